// The dialog in which an alert is acknowledged: its values are read back, and a note says what is
// done. Values are never filled in: whoever types them has read them.

import { byId } from "./page.js";
import { isBare, whenWords } from "./values.js";

// "ALT in U/L: type 150": what is to be typed, and nothing else, stands out.
function makeRow(one, number) {
  const { code, value, unit = "", record } = one;
  const row = document.createElement("div");
  row.className = "value";
  const label = document.createElement("label");
  label.htmlFor = `value-${number}`;
  const wanted = document.createElement("b");
  wanted.textContent = value;
  const when = document.createElement("small");
  when.className = "muted";
  when.textContent = whenWords(one);
  label.append(isBare(one) ? "Type " : `${code}${unit && ` in ${unit}`}: type `, wanted, when);
  const input = document.createElement("input");
  input.id = label.htmlFor;
  input.required = true;
  input.autocomplete = "off";
  row.append(label, input);
  return { row, read: () => ({ record, value: input.value, unit }) };
}

// `load(alert)` gives the alert as it is now; `send(alert, body)` resolves when it is durable. Both
// may throw a Refusal. Gives open(alert).
export function acknowledgeDialog(load, send) {
  const dialog = byId("acknowledge");
  let alert = null; // the one shown
  let rows = [];

  const settle = (error) => {
    byId("acknowledge-error").textContent = error;
    byId("send").disabled = false;
  };
  const showValues = async () => {
    const wanted = alert;
    byId("send").disabled = true;
    try {
      const { values } = await load(wanted);
      if (wanted !== alert) return;
      rows = values.map(makeRow);
      byId("value-rows").replaceChildren(...rows.map(({ row }) => row));
      byId("values").hidden = rows.length === 0;
      byId("send").disabled = false;
      (byId("value-0") ?? byId("note")).focus();
    } catch (refusal) {
      if (wanted === alert) byId("acknowledge-error").textContent = `${refusal.message}.`;
    }
  };
  byId("cancel").onclick = () => dialog.close();
  dialog.querySelector("form").onsubmit = async (event) => {
    event.preventDefault();
    const sent = alert;
    settle("");
    byId("send").disabled = true;
    try {
      const values = rows.map(({ read }) => read());
      await send(sent, { note: byId("note").value, values });
      if (sent === alert) dialog.close();
    } catch (refusal) {
      if (sent !== alert) return;
      settle(`It was not acknowledged: ${refusal.message}.`);
      // Perhaps there is a newer value: it has to be read, too.
      if (refusal.status === 409) await showValues();
    }
  };
  return (wanted) => {
    alert = wanted;
    rows = [];
    byId("value-rows").replaceChildren();
    byId("values").hidden = true;
    byId("acknowledge-what").textContent =
      `${alert.title}, subject ${alert.subject}, site ${alert.site}`;
    byId("note").value = "";
    settle("");
    dialog.showModal();
    showValues();
  };
}
