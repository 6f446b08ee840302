// The dialog that gives a code, with which a patient's device becomes known. The server shows it
// once; here it is gone when the dialog is closed, so that closing it takes a button.

import { byId } from "./page.js";
import { timeWords } from "./times.js";

// Gives open(subject, again, given): `given()` is called when there is a code.
export function codeDialog(server, path) {
  const dialog = byId("code");
  let subject = "";
  let given = () => {};

  const show = (code) => {
    for (const id of ["code-given", "code-print", "code-done"]) byId(id).hidden = !code;
    for (const id of ["code-ask", "code-make", "code-cancel"]) byId(id).hidden = Boolean(code);
    byId("code-words").textContent = code?.code ?? "";
    byId("code-end").textContent = code ? timeWords(code.expires) : "";
    byId("code-error").textContent = "";
    byId("code-make").disabled = false;
  };
  byId("code-make").onclick = async () => {
    const wanted = subject;
    byId("code-error").textContent = "";
    byId("code-make").disabled = true;
    try {
      const subjects = `${path}/subjects/${encodeURIComponent(wanted)}`;
      const code = await server.json(`${subjects}/invitations`, {});
      if (wanted !== subject || !dialog.open) return;
      show(code);
      given();
      byId("code-done").focus();
    } catch (refusal) {
      if (wanted !== subject) return;
      byId("code-error").textContent = `There is no code: ${refusal.message}.`;
      byId("code-make").disabled = false;
    }
  };
  const end = () => {
    show(null);
    dialog.close();
  };
  byId("code-cancel").onclick = byId("code-done").onclick = end;
  byId("code-print").onclick = () => window.print();
  dialog.oncancel = (event) => byId("code-given").hidden || event.preventDefault();
  dialog.onclose = () => show(null); // also when the session ends
  return (wanted, again, whenGiven) => {
    subject = wanted;
    given = whenGiven;
    byId("code-title").textContent = `${again ? "Resend a" : "Give a"} code to ${wanted}`;
    byId("code-subject").textContent = wanted;
    byId("code-page").textContent = `${location.host}/p`;
    show(null);
    dialog.showModal();
    byId("code-make").focus();
  };
}
