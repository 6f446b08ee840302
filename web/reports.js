// The reports: asks for one with what it needs to be told, shows the token's jobs as they go on,
// and saves the results. What is under way is asked for every second, and nothing when nothing is.

import { button, byId, save } from "./page.js";

const kPollMs = 1_000;
const kRetryMs = 5_000;
const kParameterCharsMax = 200;
const kFormats = { html: "Page", csv: "CSV", json: "JSON" };

export class ReportsPanel {
  #timer = null;
  #closed = false;
  #failed = false; // the last time it asked
  #reports = new Map(); // of the catalogue, by id

  // `unblinded`: whether the holder may know of treatments.
  constructor(server, path, unblinded) {
    this.server = server;
    this.path = path;
    byId("tell-treatment").hidden = !unblinded;
    byId("unblinded").checked = false;
    byId("ask-report").onsubmit = (event) => {
      event.preventDefault();
      this.#ask();
    };
    byId("report").onchange = () => this.#showParameters();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    byId("report-jobs").replaceChildren();
    byId("report").replaceChildren();
    byId("report-parameters").replaceChildren();
  }

  async load() {
    clearTimeout(this.#timer);
    try {
      const { reports, jobs } = await this.server.json(this.path);
      if (this.#closed) return;
      if (this.#failed) this.#tell("");
      this.#failed = false;
      this.#show(reports, jobs);
    } catch (refusal) {
      this.#tell(`The reports cannot be loaded: ${refusal.message}. It is tried again.`);
      this.#failed = true;
      if (!this.#closed) this.#timer = setTimeout(() => this.load(), kRetryMs);
    }
  }

  #show(reports, jobs) {
    if (!byId("report").options.length) {
      this.#reports = new Map(reports.map((one) => [one.report, one]));
      byId("report").replaceChildren(
        ...reports.map(({ report, title }) => new Option(title, report)));
      this.#showParameters();
    }
    byId("report-jobs").replaceChildren(...jobs.map((job) => this.#row(job)));
    if (jobs.some((job) => !job.ended)) this.#timer = setTimeout(() => this.load(), kPollMs);
  }

  // A field for each parameter of the report that is chosen.
  #showParameters() {
    const fields = [];
    const chosen = this.#reports.get(byId("report").value);
    for (const { name, what, required } of chosen?.parameters ?? []) {
      const label = document.createElement("label");
      label.htmlFor = `parameter-${name}`;
      label.textContent = what[0].toUpperCase() + what.slice(1);
      const field = document.createElement("input");
      field.id = label.htmlFor;
      field.name = name;
      field.required = required;
      field.maxLength = kParameterCharsMax;
      field.autocomplete = "off";
      fields.push(label, field);
    }
    byId("report-parameters").replaceChildren(...fields);
  }

  #row(job) {
    const row = document.createElement("li");
    for (const run of job.reports) {
      const what = document.createElement("p");
      const words = [this.#reports.get(run.report)?.title ?? run.report];
      if (run.state !== "done") words.push(run.state);
      if (run.reason) words.push(run.reason);
      what.textContent = words.join(" – ");
      const when = document.createElement("time");
      when.dateTime = job.created;
      when.className = "muted";
      when.textContent = ` ${new Date(job.created).toLocaleTimeString()}`;
      what.append(when);
      row.append(what);
      for (const { format, url } of run.results) {
        row.append(button(kFormats[format] ?? format, () =>
          this.#save(url, `${run.report}.${format}`)));
      }
    }
    row.append(button(job.ended ? "Forget" : "Cancel", () => this.#cancel(job)));
    return row;
  }

  async #ask() {
    const wish = { report: byId("report").value };
    if (byId("unblinded").checked) wish.unblinded = true;
    for (const { name, value } of byId("report-parameters").querySelectorAll("input")) {
      if (value.trim()) wish.parameters = { ...wish.parameters, [name]: value.trim() };
    }
    await this.#act("It was not asked for", () =>
      this.server.json(this.path, { reports: [wish] }));
  }

  async #cancel(job) {
    await this.#act("It was not cancelled", () =>
      this.server.fetch(job.url, { method: "DELETE" }));
  }

  // A link could not bring the token along.
  async #save(url, name) {
    await this.#act("It was not saved", async () =>
      save(await (await this.server.fetch(url, {})).blob(), name));
  }

  async #act(failure, act) {
    this.#tell("");
    try {
      await act();
    } catch (refusal) {
      this.#tell(`${failure}: ${refusal.message}.`);
    }
    if (!this.#closed) await this.load();
  }

  #tell(words) {
    if (!this.#closed) byId("report-error").textContent = words;
  }
}
