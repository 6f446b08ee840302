// The contacts with patients: calls and messages, kept as records of kind visit with the code
// CONTACT, so that they are in the audit trail like everything else.
//
// A record's source id begins with the time at which it was logged, so records come in that order.
// What is known stays; what may have come since is asked for from a day before, as the clocks of
// those who log are not the same.

import { activityWords } from "./due.js";
import { byId, make } from "./page.js";
import { counted, effectiveWords, localTime, withOffset } from "./times.js";

const kSource = "site-page";
const kCode = "CONTACT";
const kPageRecords = 500;
const kRowsShown = 200;
const kClockSlackMs = 86_400_000;

// Also where there is no secure context, which randomUUID() needs.
function newSourceId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `contact-${new Date().toISOString()}-${random}`;
}

function contactOf({ id, subject, value, effective = "", received, author = "", attributes = {} }) {
  const instant = Date.parse(effective) || Date.parse(received);
  return { id, subject, effective, author, ...attributes, outcome: String(value ?? ""),
           instant: new Date(instant).toISOString() };
}

export function isContact({ code, kind }) {
  return kind === "visit" && code === kCode;
}

export class ContactLog {
  #contacts = new Map(); // by id
  #sorted = []; // newest first
  #titles = new Map(); // of activities, by their ids
  #after = ""; // the source id behind which it is asked for more
  #closed = false;
  #wish = null; // what the dialog is open for: {subject, rows, sourceId}
  changed = () => {}; // called when something was logged

  constructor(server, path, holder) {
    Object.assign(this, { server, path, holder });
    byId("log-filter").oninput = () => this.#show();
    byId("contact-cancel").onclick = () => byId("contact").close();
    byId("contact").querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      this.#send();
    };
  }

  close() {
    this.#closed = true;
    byId("log-rows").replaceChildren();
    byId("log-filter").value = "";
  }

  // Takes what is there now; throws a Refusal.
  async load() {
    let after = this.#after;
    do {
      const query = new URLSearchParams({ source: kSource, limit: kPageRecords });
      if (after) query.set("after", after);
      const page = await this.server.json(`${this.path}/records?${query}`);
      for (const record of page.records) {
        if (isContact(record) && !record.amended_by) {
          this.#contacts.set(record.id, contactOf(record));
        } else {
          this.#contacts.delete(record.id);
        }
      }
      after = page.next;
    } while (after !== undefined);
    this.#after = `contact-${new Date(Date.now() - kClockSlackMs).toISOString()}`;
    this.#sort();
  }

  #sort() {
    this.#sorted = [...this.#contacts.values()]
      .sort((a, b) => b.instant.localeCompare(a.instant) || b.id - a.id);
    if (!this.#closed) this.#show();
  }

  // Takes the titles of these occurrences' activities: a contact has the id only.
  know(rows) {
    for (const { activity, title } of rows) this.#titles.set(activity, title || activity);
    if (!this.#closed) this.#show();
  }

  // Newest first.
  of(subject) {
    return this.#sorted.filter((contact) => contact.subject === subject);
  }

  // The last one about this occurrence of an activity, or about nothing in particular.
  last({ subject, activity, number, event }) {
    return this.#sorted.find((contact) => contact.subject === subject &&
      (!contact.activity || (contact.activity === activity &&
        contact.occurrence === String(number) && (contact.event ?? "") === String(event ?? ""))));
  }

  // Opens the dialog. `about` is the occurrence it is about, `others` are further ones to choose.
  log(subject, about = null, others = []) {
    const rows = about ? [about, ...others.filter((row) => row !== about)] : others;
    this.#wish = { subject, rows, sourceId: newSourceId() };
    byId("contact-title").textContent = `Log a contact with ${subject}`;
    byId("contact-about").replaceChildren(new Option("Nothing in particular", ""),
      ...rows.map((row, index) => new Option(activityWords(row), index, false, row === about)));
    byId("contact-outcome").value = byId("contact-note").value = "";
    byId("contact-time").value = byId("contact-time").max = localTime(new Date());
    this.#settle("");
    byId("contact").showModal();
    byId("contact-kind").focus();
  }

  async #send() {
    const wish = this.#wish;
    const about = wish.rows[byId("contact-about").value];
    const note = byId("contact-note").value.trim();
    const attributes = { contact: byId("contact-kind").value, ...(note && { note }) };
    if (about) {
      attributes.activity = about.activity;
      attributes.occurrence = String(about.number);
      if (about.event) attributes.event = String(about.event);
    }
    this.#settle("");
    byId("contact-send").disabled = true;
    try {
      const record = { source: kSource, source_id: wish.sourceId, subject: wish.subject,
                       kind: "visit", code: kCode, value: byId("contact-outcome").value,
                       effective: withOffset(byId("contact-time").value), author: this.holder,
                       attributes };
      const { id } = await this.server.json(`${this.path}/records`, record);
      this.#contacts.set(id, contactOf({ ...record, id }));
      this.#sort();
      if (wish === this.#wish) byId("contact").close();
      byId("announcer").textContent = `The contact with ${wish.subject} is logged.`;
      this.changed();
    } catch (refusal) {
      if (wish === this.#wish) this.#settle(this.#reason(refusal));
    }
  }

  #reason(refusal) {
    return refusal.status === 422 && refusal.message.includes(kCode)
      ? `It was not logged: this study lists its visits, and ${kCode} is not one of them. ` +
        `Whoever keeps study.toml can add it. (${refusal.message}.)`
      : `It was not logged: ${refusal.message}.`;
  }

  #settle(error) {
    byId("contact-error").textContent = error;
    byId("contact-send").disabled = false;
  }

  #about({ activity, occurrence, event }) {
    const title = this.#titles.get(activity);
    return activity ? activityWords({ activity, title, number: Number(occurrence), event }) : "";
  }

  // One contact as an item of a list.
  item(contact) {
    const about = this.#about(contact);
    return make("li", {},
      make("b", { textContent: contact.outcome }),
      ` by ${contact.contact ?? "–"}, ${effectiveWords(contact.effective)}`,
      make("span", { className: "muted", textContent:
        `${about && ` · ${about}`}${contact.author && ` · ${contact.author}`}` }),
      ...(contact.note ? [make("p", { textContent: contact.note })] : []));
  }

  #show() {
    const wanted = byId("log-filter").value.trim().toLowerCase();
    const found = this.#sorted.filter((one) => one.subject.toLowerCase().includes(wanted));
    const more = found.length > kRowsShown ? ` The newest ${kRowsShown} are shown.` : "";
    byId("log-told").textContent =
      found.length ? `${counted(found.length, "contact", "contacts")}.${more}`
      : "No contact was logged yet.";
    byId("log-rows").replaceChildren(...found.slice(0, kRowsShown).map((contact) => {
      const cells = { When: effectiveWords(contact.effective), Subject: contact.subject,
                      How: contact.contact, Outcome: contact.outcome, About: this.#about(contact),
                      Note: contact.note, By: contact.author };
      return make("tr", {}, ...Object.entries(cells).map(([label, words = ""]) => {
        const cell = make("td", { textContent: words });
        cell.dataset.label = label;
        return cell;
      }));
    }));
  }
}
