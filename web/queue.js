// The staff queue: responses that the server could not take, until somebody corrects them.

import { correctionDialog } from "./correction.js";
import { byId, keepFocus, make } from "./page.js";
import { faultItem, faultsOf, formOf } from "./questions.js";
import { Refusal } from "./server.js";
import { ago, effectiveWords } from "./times.js";

const kPageRecords = 100;
const kCardsMax = 50; // of which each takes a request; how many more there are is told

// The issues of the outcome that the patient's page kept; it may be cut, or none.
function issuesOf({ outcome = "" } = {}) {
  try {
    return JSON.parse(outcome).issue ?? [];
  } catch {
    return outcome ? [{ severity: "error", diagnostics: outcome }] : [];
  }
}

export class MisfitQueue {
  #known = new Map(); // what was read of a misfit, by its id: {response, etag, form, exact}
  #forms = new Map(); // promises of formOf(), by what a response names
  #closed = false;
  corrected = () => {}; // called when one has left the queue

  constructor(server, path, { openSubject }) {
    Object.assign(this, { server, path, openSubject });
    this.correct = correctionDialog(server, {
      read: (misfit) => this.#read(misfit, true),
      done: () => this.corrected(),
    });
  }

  close() {
    this.#closed = true;
    byId("queue-cards").replaceChildren();
    byId("queue-count").textContent = "";
  }

  // Takes what is there now; throws a Refusal.
  async load() {
    const misfits = [];
    for (let after = ""; after !== undefined; ) {
      const query = `limit=${kPageRecords}${after && `&after=${after}`}`;
      const page = await this.server.json(`${this.path}/misfits?${query}`);
      misfits.push(...page.misfits);
      after = page.next;
    }
    const shown = misfits.slice(0, kCardsMax);
    for (const misfit of shown) await this.#read(misfit).catch(notNow);
    if (this.#closed) return;
    byId("queue-count").textContent = misfits.length || "";
    byId("queue-told").textContent =
      !misfits.length ? "Nothing is waiting."
      : misfits.length <= kCardsMax ? ""
      : `${misfits.length}, of which the oldest ${kCardsMax} are shown.`;
    keepFocus(byId("queue-cards"), byId("queue-title"), () =>
      byId("queue-cards").replaceChildren(...shown.map((misfit) => this.#card(misfit))));
  }

  // What was sent, with its questionnaire; anew when it may have been corrected meanwhile.
  async #read(misfit, anew = false) {
    if (!anew && this.#known.has(misfit.id)) return this.#known.get(misfit.id);
    const path = `/fhir/QuestionnaireResponse/${misfit.id}`;
    const { resource: response, etag } = await this.server.read(path);
    const name = String(response.questionnaire ?? "");
    if (!this.#forms.has(name)) {
      const asked = formOf(this.server, name);
      this.#forms.set(name, asked);
      asked.catch(() => this.#forms.delete(name));
    }
    const { form, exact } = await this.#forms.get(name);
    const known = { path, response, etag, form, exact,
                    faults: faultsOf(issuesOf(misfit.attributes), response, form) };
    this.#known.set(misfit.id, known);
    return known;
  }

  #card(misfit) {
    const { response, form, faults = [] } = this.#known.get(misfit.id) ?? {};
    const title = form?.title ?? response?.questionnaire ?? misfit.code;
    const answered = misfit.effective ? `Answered ${effectiveWords(misfit.effective)}` : "";
    const reasons = faults.length ? faults.map(faultItem) : [make("li", { textContent:
      response ? "There is no reason with it that could be read."
      : "What was sent is no response to a questionnaire, so it cannot be shown here." })];
    const open = make("button", { type: "button", textContent: "Look and correct",
                                  onclick: () => this.correct(misfit) });
    open.hidden = !response;
    open.ariaLabel = `Look and correct: ${misfit.subject}, ${title}`;
    const card = make("li", { className: "card misfit" },
      make("h2", { textContent: title }),
      make("p", { className: "facts" },
        make("span", {}, "Subject ",
          make("button", { type: "button", className: "link", textContent: misfit.subject,
                           onclick: () => this.openSubject(misfit.subject) })),
        make("span", {}, `Site ${misfit.site ?? "–"}`),
        make("span", {}, answered),
        make("span", {}, `Came ${ago(misfit.received)}`)),
      make("ul", { className: "faults" }, ...reasons),
      make("div", { className: "buttons" }, open));
    card.dataset.key = misfit.id;
    return card;
  }
}

// One that cannot be read is shown without its questions; that the server is away is told.
function notNow(error) {
  if (!(error instanceof Refusal) || !error.final || error.status === 401) throw error;
}
