// The dialog in which a response that could not be taken is corrected: by its answers, or as JSON.
// A reason is required. A correction names the version that it corrects, so that of two people the
// second one is told.

import { answerSheet } from "./answers.js";
import { byId } from "./page.js";
import { faultItem, faultsOf } from "./questions.js";
import { effectiveWords } from "./times.js";

const kOvertaken = [409, 412, 428]; // somebody else was quicker

// `read(misfit)` gives {path, response, etag, form, exact, faults}, `done()` is told of a success.
// Both may throw a Refusal. Gives open(misfit).
export function correctionDialog(server, { read, done }) {
  const dialog = byId("correction");
  let misfit = null; // the one shown
  let known = null; // what was read of it
  let response = null; // as it is being corrected
  let sheet = null; // null where there is no questionnaire

  const way = () => dialog.querySelector("[name=way]:checked").value;
  const choose = (value) => {
    dialog.querySelector(`[name=way][value=${value}]`).checked = true;
    byId("sheet").hidden = value !== "answers";
    byId("json").hidden = value !== "json";
  };
  const settle = (error = "") => {
    byId("correction-error").textContent = error;
    byId("correction-send").disabled = false;
  };
  const showFaults = (faults) =>
    byId("correction-faults").replaceChildren(...faults.map(faultItem));
  const showSheet = (faults) => {
    sheet = known.form && answerSheet(known.form, response, faults.map(({ linkId }) => linkId));
    byId("sheet").replaceChildren(...(sheet ? [sheet.table] : []));
    byId("ways").hidden = !sheet;
    showFaults(faults);
  };
  const parse = () => {
    try {
      response = JSON.parse(byId("json-text").value);
      return true;
    } catch (error) {
      settle(`This is not JSON: ${error.message}.`);
      return false;
    }
  };
  const toJson = () => {
    if (sheet) response = sheet.read();
    byId("json-text").value = JSON.stringify(response, null, 2);
    choose("json");
  };
  const toAnswers = () => {
    if (!parse()) return choose("json");
    settle();
    showSheet(known.faults);
    choose("answers");
  };
  const tellVersion = () => {
    const { form, exact } = known;
    const has = response.questionnaire?.split("|")[1];
    byId("correction-version").hidden = exact;
    byId("correction-version").textContent =
      !form ? "This study has no such questionnaire, so only the JSON can be corrected."
      : `It was answered in version ${has}; the study has ${form.version}. ` +
        "To take it into that version, change “questionnaire” in the JSON.";
  };
  const load = async (words = "") => {
    const wanted = misfit;
    byId("correction-send").disabled = true;
    try {
      const found = await read(wanted);
      if (wanted !== misfit) return;
      known = found;
      const { meta: _, ...rest } = known.response;
      response = rest;
      showSheet(known.faults);
      sheet ? choose("answers") : toJson();
      tellVersion();
      settle(words);
    } catch (refusal) {
      if (wanted === misfit) byId("correction-error").textContent = `${refusal.message}.`;
    }
  };
  const send = async () => {
    const sent = misfit;
    if (way() === "json" && !parse()) return;
    const whole = way() === "answers" ? sheet.read() : response;
    settle();
    byId("correction-send").disabled = true;
    try {
      await server.correct(known.path, { ...whole, id: String(misfit.id) }, known.etag,
                           byId("correction-reason").value.trim());
      if (sent === misfit) dialog.close();
      byId("announcer").textContent = `The response of ${sent.subject} is corrected.`;
      done();
    } catch (refusal) {
      if (sent === misfit) refused(refusal, whole);
    }
  };
  const refused = (refusal, whole) => {
    if (kOvertaken.includes(refusal.status)) {
      load("Somebody else has corrected this meanwhile. It is shown as it is now; " +
           "look whether it still has to be corrected.");
      return done();
    }
    if (!refusal.issues.length) return settle(`It was not taken: ${refusal.message}.`);
    showFaults(faultsOf(refusal.issues, whole, known.form));
    settle("It was not taken: see above what does not fit.");
    byId("correction-faults").scrollIntoView({ block: "nearest" });
  };
  byId("correction-cancel").onclick = () => dialog.close();
  byId("ways").onchange = () => way() === "json" ? toJson() : toAnswers();
  dialog.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    send();
  };
  return (wanted) => {
    misfit = wanted;
    known = sheet = null;
    byId("correction-title").textContent = `Correct a response of ${wanted.subject}`;
    byId("correction-what").textContent = `${wanted.code}, answered ` +
      (effectiveWords(wanted.effective) || "at an unknown time");
    byId("correction-reason").value = byId("json-text").value = "";
    byId("sheet").replaceChildren();
    byId("correction-version").hidden = true;
    showFaults([]);
    settle();
    dialog.showModal();
    byId("correction-title").focus();
    load();
  };
}
