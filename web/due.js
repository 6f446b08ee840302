// The list of what is due: the most pressing first. States and period are asked of the server,
// subject and activity are looked for in what has come.

import { byId, button, keepFocus, make, save } from "./page.js";
import { ago, counted, dayFromNow, days, daysBetween, daysWords, dayWords,
         timeWords } from "./times.js";

const kPageRows = 500;
const kRowsMax = 5_000; // of what is shown at all; a file has everything
const kRowsShown = 100;
const kStates = ["fault", "late", "open", "missed", "planned", "done", "not-applicable"];

// A subject whose plan cannot be worked out has the reason instead (state "fault").
export function activityWords({ activity, title, number, event, reason }) {
  const words = title || activity || reason;
  return number > 1 || event ? `${words}, no.\u00a0${number}` : words;
}

export function windowWords({ window, target = "" }) {
  if (!target) return "No day yet";
  if (!window) return target.includes("T") ? timeWords(target) : dayWords(target);
  if (!target.includes("T")) return daysWords(window.first_day, window.last_day);
  return `${timeWords(window.from)} – ${timeWords(window.until)}`;
}

export function stateBadge(state) {
  return make("span", { className: `state ${state}`, textContent: state.replace("-", " ") });
}

// The instant from which an occurrence is late, or that at which it begins.
function edge({ state, window, target = "" }, now) {
  const day = (text) => Date.parse(text.includes("T") ? text : `${text}T00:00:00Z`);
  if (state === "planned") return window ? Date.parse(window.from) : day(target);
  const until = window ? Date.parse(window.until) : day(target);
  // Late before the window's end is over counts from the target.
  return until > now && state === "late" ? day(target) : until;
}

function timing(row, now) {
  if (row.state === "done" || !row.target) return "";
  const at = edge(row, now);
  if (row.state === "late") return `${days(daysBetween(at, now))} late`;
  if (row.state === "missed") return `over for ${days(daysBetween(at, now))}`;
  const left = daysBetween(now, at) - 1;
  if (row.state === "planned") return left < 1 ? "within a day" : `in ${days(left)}`;
  return left < 1 ? "ends within a day" : `${days(left)} left`;
}

// Late ones longest first, open ones by their end, missed and done ones newest first.
function order(a, b) {
  const rank = kStates.indexOf(a.state) - kStates.indexOf(b.state);
  if (rank) return rank;
  const newestFirst = a.state === "missed" || a.state === "done";
  return (newestFirst ? b.edge - a.edge : a.edge - b.edge) ||
    a.subject.localeCompare(b.subject, undefined, { numeric: true });
}

// The lines of a CSV with line breaks within quotes, and the fields of one.
const linesOf = (text) => text.match(/(?:"(?:[^"]|"")*"|[^"\n])*\n/g) ?? [];
const fieldsOf = (line) =>
  [...line.trimEnd().matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)]
    .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);

// A study may have no schedule; the rest of the page is of use then, too.
function noSchedule(refusal) {
  if (refusal.status !== 404) throw refusal;
  return { schedule: [] };
}

export class DueList {
  #rows = [];
  #cut = false; // there is more than kRowsMax
  #shown = kRowsShown;
  #asked = 0; // how often it was asked for a list
  #closed = false;

  constructor(server, path, study, { contacts, openSubject }) {
    Object.assign(this, { server, path, study, contacts, openSubject });
    byId("filters").onsubmit = (event) => {
      event.preventDefault();
      this.#openTyped();
    };
    byId("filters").onchange = ({ target }) => this.#filter(target);
    byId("subject-filter").oninput = () => this.#again();
    byId("save-csv").onclick = () => this.#save();
    byId("due-more").onclick = () => {
      this.#shown += kRowsShown;
      this.show();
    };
  }

  close() {
    this.#closed = true;
    byId("due-rows").replaceChildren();
    byId("activity-filter").replaceChildren(new Option("All", ""));
  }

  // Takes what is there now; throws a Refusal.
  async load() {
    const asked = ++this.#asked;
    const { rows, cut } = await this.#ask();
    if (asked !== this.#asked || this.#closed) return; // another list was asked for meanwhile
    const now = Date.now();
    this.#rows = rows.map((row) => ({ ...row, edge: row.target ? edge(row, now) : Infinity }));
    this.#rows.sort(order);
    this.#cut = cut;
    this.contacts.know(rows);
    this.#tell("");
    this.#fillActivities();
    this.show();
  }

  async #ask() {
    const rows = [];
    let after;
    do {
      const more = after ? { after } : {};
      const query = new URLSearchParams({ ...this.#query(), limit: kPageRows, ...more });
      const page = await this.server.json(`${this.path}/schedule?${query}`).catch(noSchedule);
      rows.push(...page.schedule);
      after = page.next;
    } while (after !== undefined && rows.length < kRowsMax);
    return { rows, cut: after !== undefined };
  }

  show() {
    if (this.#closed) return;
    const found = this.#rows.filter((row) => this.#fits(row.subject, row.activity));
    const now = Date.now();
    keepFocus(byId("due-rows"), byId("due-title"), () => byId("due-rows").replaceChildren(
      ...found.slice(0, this.#shown).map((row) => this.#row(row, now))));
    const left = found.length - this.#shown;
    byId("due-more").hidden = left <= 0;
    byId("due-more").textContent = `Show ${Math.min(left, kRowsShown)} more of ${left}`;
    for (const box of this.#boxes()) {
      const count = found.filter((row) => row.state === box.value).length;
      box.nextElementSibling.textContent = box.checked ? count : "";
    }
    this.#tellCount(found);
  }

  #tellCount(found) {
    const subjects = new Set(found.map((row) => row.subject)).size;
    const cut = this.#cut ? ` These are the first ${kRowsMax}: choose a period.` : "";
    byId("due-told").textContent = found.length
      ? `${counted(found.length, "activity", "activities")} of ` +
        `${counted(subjects, "subject", "subjects")}.${cut}`
      : "Nothing is due that fits this filter.";
  }

  #boxes() {
    return byId("filters").querySelectorAll("input[type=checkbox]");
  }

  #query() {
    const state = [...this.#boxes()].filter((box) => box.checked).map((box) => box.value).join();
    const period = byId("period").value;
    if (!period) return { state };
    const [from, until] = period === "own"
      ? [byId("from").value, byId("until").value]
      : period.split(",").map((count) => dayFromNow(Number(count)));
    return { state, ...(from && { from }), ...(until && { until }) };
  }

  #fits(subject, activity) {
    const wanted = byId("subject-filter").value.trim().toLowerCase();
    const chosen = byId("activity-filter").value;
    return subject.toLowerCase().includes(wanted) && (!chosen || chosen === activity);
  }

  #filter(field) {
    for (const part of byId("filters").querySelectorAll(".own")) {
      part.hidden = byId("period").value !== "own";
    }
    // None would mean the server's own choice.
    if (field.type === "checkbox" && ![...this.#boxes()].some((box) => box.checked)) {
      field.checked = true;
    }
    if (["subject-filter", "activity-filter"].includes(field.id)) return this.#again();
    this.#shown = kRowsShown;
    this.load().catch((refusal) => this.#tell(`The list cannot be loaded: ${refusal.message}.`));
  }

  // Whose id was typed, be anything due of that subject or not.
  #openTyped() {
    const typed = byId("subject-filter").value.trim();
    const known = this.#rows.find((row) => row.subject.toLowerCase() === typed.toLowerCase());
    if (typed) this.openSubject(known?.subject ?? typed);
  }

  #again() {
    this.#shown = kRowsShown;
    this.show();
  }

  #fillActivities() {
    const chosen = byId("activity-filter").value;
    const titles = new Map(this.#rows.filter((row) => row.activity)
      .map((row) => [row.activity, row.title || row.activity]));
    // One that is chosen stays, also when nothing of it is due any more.
    const before = byId("activity-filter").selectedOptions[0];
    if (chosen && !titles.has(chosen)) titles.set(chosen, before.text);
    byId("activity-filter").replaceChildren(new Option("All", ""),
      ...[...titles].map(([id, title]) => new Option(title, id, false, id === chosen)));
  }

  #row(row, now) {
    const cell = (label, ...words) => {
      const made = make("td", {}, ...words);
      made.dataset.label = label;
      return made;
    };
    const open = () => this.openSubject(row.subject, row);
    const name = make("button", { type: "button", className: "link", textContent: row.subject,
                                  onclick: open });
    const last = this.contacts.last(row);
    const contact = last ? `${last.outcome}, ${ago(last.instant)}` : "–";
    const made = make("tr", {},
      cell("Subject", name, make("span", { className: "muted", textContent: ` ${row.site}` })),
      cell("Activity", activityWords(row)),
      cell("State", stateBadge(row.state)),
      cell("Days", timing(row, now)),
      cell("Window", windowWords(row)),
      cell("Last contact", contact),
      make("td", {}, Object.assign(
        button("Log a contact", () => this.contacts.log(row.subject, row)),
        { ariaLabel: `Log a contact with ${row.subject}` })));
    made.className = row.state;
    made.dataset.key = [row.subject, row.activity, row.number, row.event].join("/");
    made.onclick = ({ target }) => target.closest("button") || open();
    return made;
  }

  // The server's file, without the lines that the filter hides.
  async #save() {
    this.#tell("");
    try {
      const query = new URLSearchParams({ ...this.#query(), format: "csv" });
      const answer = await this.server.fetch(`${this.path}/schedule?${query}`, {});
      const [head = "", ...lines] = linesOf(await answer.text());
      const [subject, activity] =
        ["subject", "activity"].map((name) => fieldsOf(head).indexOf(name));
      const found = lines.filter((line) => {
        const fields = fieldsOf(line);
        return this.#fits(fields[subject], fields[activity]);
      });
      const blob = new Blob([head, ...found], { type: "text/csv" });
      save(blob, `${this.study}-due-${dayFromNow(0)}.csv`);
    } catch (refusal) {
      this.#tell(`It was not saved: ${refusal.message}.`);
    }
  }

  #tell(words) {
    if (this.#closed) return;
    byId("due-error").textContent = words;
    byId("due-error").hidden = !words;
  }
}
