// The page for a site's staff: who is due, late or has missed something; what patients sent that
// could not be taken; codes for devices; and the contacts with patients.
//
// It is loaded anew every minute while somebody can see it, and when Refresh is pressed.

import { ContactLog } from "./contacts.js";
import { DueList } from "./due.js";
import { Entrance } from "./entrance.js";
import { codeDialog } from "./code.js";
import { byId } from "./page.js";
import { MisfitQueue } from "./queue.js";
import { Refusal } from "./server.js";
import { subjectDialog } from "./subject.js";

const kRoles = ["coordinator", "investigator", "admin"];
const kRefreshMs = 60_000;
const kLookMs = 5_000; // how often it is looked whether it is time

function showView(view) {
  for (const button of byId("views").children) {
    const chosen = button.dataset.view === view;
    byId(button.dataset.view).hidden = !chosen;
    chosen ? button.setAttribute("aria-current", "page") : button.removeAttribute("aria-current");
  }
}

// Loads all parts, and tells of when what is shown is.
class Refresher {
  #loaded = null; // when it last went well
  #tried = 0;
  #busy = false;
  #closed = false;
  #timer = setInterval(() => this.#look(), kLookMs);

  constructor(parts, refused) {
    this.parts = parts;
    this.refused = refused;
    byId("refresh").onclick = () => this.load();
    document.onvisibilitychange = () => this.#look();
    this.#show("connecting", "Loading…");
    this.load();
  }

  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    document.onvisibilitychange = null;
  }

  #look() {
    const seen = document.visibilityState === "visible";
    if (seen && Date.now() - this.#tried >= kRefreshMs) this.load();
  }

  async load() {
    if (this.#busy) return;
    this.#busy = byId("refresh").disabled = true;
    this.#tried = Date.now();
    try {
      for (const part of this.parts) await part.load();
      this.#loaded = new Date().toLocaleTimeString();
      if (!this.#closed) this.#show("live", `As of ${this.#loaded}`);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (!this.#closed) this.#failed(refusal);
    } finally {
      this.#busy = byId("refresh").disabled = false;
    }
  }

  #failed(refusal) {
    if (refusal.status === 401) return this.refused(refusal);
    const seen = this.#loaded ? `You see what was so at ${this.#loaded}`
      : "Nothing could be loaded";
    this.#show("stale", "Not up to date",
      `${seen}: ${refusal.message}. It is tried again every minute.`);
  }

  #show(state, words, notice = "") {
    byId("connection").className = state;
    byId("connection").textContent = words;
    byId("notice").textContent = notice;
    byId("notice").hidden = !notice;
  }
}

function open(server, { name, role, studies: [study] }) {
  if (!kRoles.includes(role)) throw new Refusal(403, "");
  const path = `/v1/studies/${encodeURIComponent(study.id)}`;
  const contacts = new ContactLog(server, path, name);
  const giveCode = codeDialog(server, path);
  const openSubject = subjectDialog(server, path, { contacts, giveCode });
  const due = new DueList(server, path, study.id, { contacts, openSubject });
  const queue = new MisfitQueue(server, path, { openSubject });
  const refresher = new Refresher([contacts, due, queue],
    (refusal) => entrance.leave(refusal, role));
  contacts.changed = () => due.show();
  queue.corrected = () => refresher.load();
  byId("views").onclick = ({ target }) => {
    const view = target.closest("button")?.dataset.view;
    if (view) showView(view);
  };
  showView("due");
  return {
    end: () => {
      for (const part of [refresher, contacts, due, queue]) part.close();
      for (const dialog of document.querySelectorAll("dialog")) dialog.close();
    },
  };
}

const entrance = new Entrance({
  main: "site",
  forbidden: "is not for this page",
  open,
});
