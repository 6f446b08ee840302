// The dialog in which an alert is acknowledged with a note.

import { byId } from "./page.js";

// `send(alert, note)` resolves when it is durable, or throws a Refusal. Gives open(alert).
export function acknowledgeDialog(send) {
  const dialog = byId("acknowledge");
  let alert = null; // the one shown

  const settle = (error) => {
    byId("acknowledge-error").textContent = error;
    byId("send").disabled = false;
  };
  byId("cancel").onclick = () => dialog.close();
  dialog.querySelector("form").onsubmit = async (event) => {
    event.preventDefault();
    const sent = alert;
    settle("");
    byId("send").disabled = true;
    try {
      await send(sent, byId("note").value);
      if (sent === alert) dialog.close();
    } catch (refusal) {
      if (sent === alert) settle(`It was not acknowledged: ${refusal.message}.`);
    }
  };
  return (wanted) => {
    alert = wanted;
    byId("acknowledge-what").textContent =
      `${alert.title}, subject ${alert.subject}, site ${alert.site}`;
    byId("note").value = "";
    settle("");
    dialog.showModal();
  };
}
