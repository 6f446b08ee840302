// The dialog that tells an alert's life: its state and history, and what may be done with it next.

import { byId } from "./page.js";
import { timeWords } from "./times.js";
import { valueLine, valueWords } from "./values.js";

const kWords = {
  raised: "raised", joined: "further records joined", delivered: "delivered",
  escalated: "escalated", acknowledged: "acknowledged", assessed: "assessed", closed: "closed",
  reopened: "reopened", merged: "merged as a duplicate", stormed: "part of a storm",
  revised: "revised",
};

function words({ type, detail = {}, actor, note }) {
  const more = [
    detail.holds === false && "does not hold any more",
    detail.holds === true && "holds again",
    detail.tier && `tier ${detail.tier}`,
    detail.targets && `to ${detail.targets.join(", ")}`,
    detail.late_ms && `${Math.round(detail.late_ms / 1000)} s late`,
    detail.storm && `storm ${detail.storm}${detail.count ? `, ${detail.count} alerts` : ""}`,
    detail.values && `read back ${detail.values.map(valueWords).join(", ")}`,
    detail.causality && [detail.causality, detail.expectedness, detail.action_taken]
      .map((term) => term.replaceAll("_", " ")).join(", "),
    detail.duplicate_of && `of alert ${detail.duplicate_of}`,
    detail.target && `at ${detail.target}`,
    note && `“${note}”`,
  ].filter(Boolean);
  return `${kWords[type] ?? type} by ${actor}${more.length ? `: ${more.join("; ")}` : ""}`;
}

// The values, each with its record by the name that its sender knows it by.
function valueLines({ values, records }) {
  const lines = values.map((one) => {
    const name = records.find(({ id }) => id === one.record);
    return valueLine(one, [
      one.kind.replaceAll("_", " "),
      `record ${one.record}${name ? ` (${name.source} ${name.source_id})` : ""}`]);
  });
  if (values.length > 0 && records.length > values.length) {
    const rest = document.createElement("li");
    rest.textContent = `These are the newest of its ${records.length} records.`;
    lines.push(rest);
  }
  return lines;
}

// `may`: {assess, settle}. Gives open(alert).
export function detailsDialog(server, path, may) {
  const dialog = byId("details");
  let shown = null; // the id of the alert

  const tell = (error) => { byId("details-error").textContent = error; };
  const load = async () => {
    const id = shown;
    try {
      const [alert, { events }] = await Promise.all([
        server.json(`${path}/${id}`), server.json(`${path}/${id}/events?limit=500`)]);
      if (id !== shown) return;
      byId("details-state").textContent = `It is ${alert.state}` +
        `${alert.historical ? " and about the past: nobody was called" : ""}` +
        `${alert.duplicate_of ? `, a duplicate of alert ${alert.duplicate_of}` : ""}` +
        `${alert.duplicates ? `; ${alert.duplicates} duplicates were merged into it` : ""}.`;
      byId("details-values").replaceChildren(...valueLines(alert));
      byId("history").replaceChildren(...events.map((event) => {
        const line = document.createElement("li");
        line.textContent = `${new Date(event.at).toLocaleString()}: ${words(event)}`;
        return line;
      }));
      byId("assess").hidden = !may.assess || !["acknowledged", "assessed"].includes(alert.state);
      byId("settle").hidden = !may.settle ||
        !["acknowledged", "assessed", "closed"].includes(alert.state);
      byId("close-alert").hidden = alert.state !== "assessed";
      byId("merge").hidden = byId("merge-with").hidden =
        !["acknowledged", "assessed"].includes(alert.state);
    } catch (refusal) {
      if (id === shown) tell(`${refusal.message}.`);
    }
  };
  let sending = false;
  // Once, however often the button is pressed; what was written stays when it is refused.
  const send = async (act, body) => {
    if (sending) return;
    sending = true;
    tell("");
    try {
      await server.json(`${path}/${shown}/${act}`, body);
      byId("reason").value = byId("duplicate-of").value = "";
    } catch (refusal) {
      tell(`It was refused: ${refusal.message}.`);
    }
    await load();
    sending = false;
  };
  byId("assess").onsubmit = (event) => {
    event.preventDefault();
    const term = (name) => byId(name).value;
    send("assess", { causality: term("causality"), expectedness: term("expectedness"),
                     action_taken: term("action_taken") });
  };
  byId("settle").onsubmit = (event) => {
    event.preventDefault();
    const act = event.submitter.value;
    const body = { note: byId("reason").value };
    if (act === "merge") {
      body.duplicate_of = byId("duplicate-of").valueAsNumber;
      if (!body.duplicate_of) return tell("Of which alert is it a duplicate?");
    }
    send(act, body);
  };
  byId("details-done").onclick = () => dialog.close();
  return (alert) => {
    shown = alert.id;
    byId("details-title").textContent = alert.title;
    byId("details-what").textContent = `Subject ${alert.subject}, site ${alert.site}, raised ` +
      timeWords(alert.raised);
    byId("details-state").textContent = byId("reason").value = byId("duplicate-of").value = "";
    byId("history").replaceChildren();
    byId("details-values").replaceChildren();
    byId("assess").reset();
    byId("assess").hidden = byId("settle").hidden = true;
    tell("");
    dialog.showModal();
    load();
  };
}
