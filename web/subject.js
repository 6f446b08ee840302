// The dialog of one subject: the whole schedule with compliance, contacts, and a code.

import { isContact } from "./contacts.js";
import { activityWords, stateBadge, windowWords } from "./due.js";
import { byId, make } from "./page.js";
import { effectiveWords } from "./times.js";

function complianceRows({ expected, done, done_percent, in_window, out_of_window,
                          in_window_percent, late, missed, open }) {
  const share = (percent) => percent === null ? "" : ` (${percent} %)`;
  return {
    "Done of what was expected": `${done} of ${expected}${share(done_percent)}`,
    "In the window": `${in_window} of ${in_window + out_of_window}${share(in_window_percent)}`,
    Open: open, Late: late, Missed: missed,
  };
}

function doneWords({ state, effective, in_window, reason }) {
  if (state !== "done") return reason ?? "";
  if (in_window === undefined) return effectiveWords(effective);
  return `${effectiveWords(effective)}, ${in_window ? "in" : "out of"} the window`;
}

function planRow(row) {
  const cells = { Activity: activityWords(row), State: stateBadge(row.state),
                  Window: windowWords(row), Done: doneWords(row) };
  return make("tr", { className: row.state }, ...Object.entries(cells).map(([label, words]) => {
    const cell = make("td", {}, words);
    cell.dataset.label = label;
    return cell;
  }));
}

// Gives open(subject, row): `row` is the occurrence that was looked at, if there is one.
export function subjectDialog(server, path, { contacts, giveCode }) {
  const dialog = byId("subject");
  const coded = new Set(); // who was given a code in this session
  let subject = "";
  let plan = null;
  let looked = null;

  const tell = (words) => {
    byId("subject-error").textContent = words;
    byId("subject-error").hidden = !words;
  };
  const showContacts = () => {
    const found = contacts.of(subject);
    const none = make("li", { className: "muted", textContent: "None was logged yet." });
    byId("subject-contacts").replaceChildren(
      ...(found.length ? found.map((one) => contacts.item(one)) : [none]));
    byId("subject-code").textContent = coded.has(subject) ? "Resend a code" : "Give a code";
  };
  const show = () => {
    const left = plan.left ? `, left on ${effectiveWords(plan.left)}` : "";
    byId("subject-what").textContent = `Site ${plan.site}, ${plan.time_zone}${left}`;
    byId("compliance").replaceChildren(
      ...Object.entries(complianceRows(plan.compliance)).map(([what, count]) =>
        make("div", {}, make("dt", { textContent: what }), make("dd", { textContent: count }))));
    byId("plan-rows").replaceChildren(...plan.activities.map(planRow));
    const beside = plan.unscheduled.filter((one) => !isContact(one));
    byId("unscheduled").hidden = beside.length === 0;
    byId("unscheduled").querySelector("ul").replaceChildren(...beside.map((one) =>
      make("li", { textContent: `${one.code}, ${effectiveWords(one.effective)}: ${one.reason}` })));
    if (plan.cut) tell("There are more activities than are listed.");
  };
  const load = async () => {
    const wanted = subject;
    try {
      const found = await server.json(`${path}/subjects/${encodeURIComponent(wanted)}/schedule`);
      if (wanted !== subject) return;
      plan = found;
      contacts.know(plan.activities);
      show();
      showContacts();
    } catch (refusal) {
      if (wanted === subject) tell(`The schedule cannot be loaded: ${refusal.message}.`);
    }
  };
  byId("subject-done").onclick = () => dialog.close();
  byId("subject-code").onclick = () => giveCode(subject, coded.has(subject), () => {
    coded.add(subject);
    showContacts();
  });
  byId("subject-contact").onclick = () => {
    const open = plan?.activities.filter(({ state }) => ["late", "open", "missed"].includes(state));
    const same = ({ activity, number, event }) => looked && activity === looked.activity &&
      number === looked.number && event === looked.event;
    contacts.log(subject, open?.find(same), open);
  };
  byId("contact").onclose = showContacts;
  return (wanted, row = null) => {
    subject = wanted;
    looked = row;
    plan = null;
    byId("subject-title").textContent = `Subject ${wanted}`;
    byId("subject-what").textContent = "";
    byId("compliance").replaceChildren();
    byId("plan-rows").replaceChildren();
    byId("unscheduled").hidden = true;
    tell("");
    showContacts();
    dialog.showModal();
    byId("subject-done").focus();
    load();
  };
}
