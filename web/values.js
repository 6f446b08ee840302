// What the records of an alert say, as the server gives it: what was seen, its value, and when it
// was so. Which is another time than that of the alert: data can come late, and from long ago.

import { effectiveWords } from "./times.js";

const kShownMax = 3; // of an alert, in the list; its details have all
const kReadMs = 300; // alerts come in storms: their values are asked for together
const kAgainMs = 5_000;

// Whether nothing but its code is told: it has no value of its own.
export function isBare({ code, value }) {
  return value === code;
}

// "ALT 150 U/L", "Syncope: Fainted", "Headache".
export function valueWords(one) {
  const { code, value, unit = "" } = one;
  if (isBare(one)) return code;
  return `${code}${Number.isNaN(Number(value)) ? ":" : ""} ${value} ${unit}`.trim();
}

export function whenWords({ effective }) {
  return effectiveWords(effective) || "no time given";
}

// An item of a list: the value, and then `more` about it.
export function valueLine(one, more = []) {
  const line = document.createElement("li");
  const value = document.createElement("b");
  value.textContent = valueWords(one);
  const about = document.createElement("span");
  about.className = "muted";
  about.textContent = [whenWords(one), ...more].join(", ");
  line.append(value, " ", about);
  return line;
}

// Fills a list; anew only when the values are others, for whoever is marking or reading them.
export function showValues(list, values) {
  const key = JSON.stringify(values);
  if (list.dataset.shown === key) return;
  list.dataset.shown = key;
  list.replaceChildren(...values.slice(0, kShownMax).map((one) => valueLine(one)));
  if (values.length <= kShownMax) return;
  const rest = document.createElement("li");
  rest.textContent = `and ${values.length - kShownMax} more, see the details`;
  list.append(rest);
}

// Asks for the values of alerts that the stream told of: its events have none. `take(id, values)`
// gets them.
export class ValueReader {
  #wanted = new Set(); // ids of alerts
  #timer = null; // also while it asks
  #closed = false;

  constructor(server, path, take) {
    this.server = server;
    this.path = path;
    this.take = take;
  }

  want(id) {
    this.#wanted.add(id);
    this.#wait(kReadMs);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #wait(time) {
    if (this.#closed || this.#timer !== null || this.#wanted.size === 0) return;
    this.#timer = setTimeout(() => this.#read(), time);
  }

  // One question, however many are wanted; those behind its answer are asked for next.
  async #read() {
    const ids = [...this.#wanted];
    this.#wanted.clear();
    const first = Math.min(...ids);
    let pause = kReadMs;
    try {
      const list = `?status=open&limit=500${first > 1 ? `&after=${first - 1}` : ""}`;
      const { alerts, next } = ids.length === 1
        ? { alerts: [await this.server.json(`${this.path}/${first}`)] }
        : await this.server.json(`${this.path}${list}`);
      for (const { id, values } of alerts) this.take(id, values);
      for (const id of ids) if (id > next) this.#wanted.add(id);
    } catch (refusal) {
      if (!refusal.final) ids.forEach((id) => this.#wanted.add(id));
      pause = kAgainMs;
    }
    this.#timer = null;
    this.#wait(pause);
  }
}
