// The reports: asks for one with what it needs to be told, shows the token's jobs as they go on,
// and opens or saves the results. What is under way is asked for every second, and nothing when
// nothing is.

import { button, byId, make, save } from "./page.js";

const kPollMs = 1_000;
const kRetryMs = 5_000;
const kParameterCharsMax = 200;
const kFormats = { html: "Save", csv: "CSV", json: "JSON" }; // in this order
const kOpenedMs = 60_000; // by then the new tab has read the page

// What a report was asked with, in words.
function asked({ site, unblinded, parameters, as_of: asOf }) {
  const words = Object.entries(parameters ?? {}).map(([name, value]) => `${name} ${value}`);
  if (site) words.push(`site ${site}`);
  if (unblinded) words.push("treatment told");
  if (asOf) words.push(`as of ${new Date(asOf.split("@")[0]).toLocaleString()}`);
  return words;
}

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
    byId("report-as-of").value = "";
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
    byId("report-site").replaceChildren();
  }

  async load() {
    clearTimeout(this.#timer);
    try {
      const { reports, sites, jobs } = await this.server.json(this.path);
      if (this.#closed) return;
      if (this.#failed) this.#tell("");
      this.#failed = false;
      this.#show(reports, sites, jobs);
    } catch (refusal) {
      this.#tell(`The reports cannot be loaded: ${refusal.message}. It is tried again.`);
      this.#failed = true;
      if (!this.#closed) this.#timer = setTimeout(() => this.load(), kRetryMs);
    }
  }

  #show(reports, sites, jobs) {
    if (!byId("report").options.length) {
      this.#reports = new Map(reports.map((one) => [one.report, one]));
      byId("report").replaceChildren(
        ...reports.map(({ report, title }) => new Option(title, report)));
      this.#showParameters();
      // Who may see one site only is not asked.
      byId("report-site").replaceChildren(
        new Option("All sites", ""),
        ...sites.map(({ id, name }) => new Option(name && name !== id ? `${id} ${name}` : id, id)));
      byId("choose-site").hidden = sites.length < 2;
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
      const words = [this.#reports.get(run.report)?.title ?? run.report, ...asked(run.request)];
      if (run.state !== "done") words.push(run.state);
      if (run.reason) words.push(run.reason);
      what.textContent = words.join(" – ");
      const when = document.createElement("time");
      when.dateTime = job.created;
      when.className = "muted";
      when.textContent = ` ${new Date(job.created).toLocaleTimeString()}`;
      what.append(when);
      row.append(what);
      const order = Object.keys(kFormats);
      const results = [...run.results].sort(
        (one, other) => order.indexOf(one.format) - order.indexOf(other.format));
      for (const { format, url } of results) {
        if (format === "html") row.append(button("Open", () => this.#open(url)));
        row.append(button(kFormats[format] ?? format, () =>
          this.#save(url, `${run.report}.${format}`)));
      }
    }
    row.append(button(job.ended ? "Forget" : "Cancel", () => this.#cancel(job)));
    return row;
  }

  async #ask() {
    const wish = { report: byId("report").value };
    const site = byId("report-site").value;
    if (site) wish.site = site;
    const asOf = byId("report-as-of").value; // without an offset: the clock of this device
    const request = { reports: [wish] };
    if (asOf) request.as_of = new Date(asOf).toISOString();
    if (byId("unblinded").checked) wish.unblinded = true;
    for (const { name, value } of byId("report-parameters").querySelectorAll("input")) {
      if (value.trim()) wish.parameters = { ...wish.parameters, [name]: value.trim() };
    }
    await this.#act("It was not asked for", () =>
      this.server.json(this.path, request));
  }

  async #cancel(job) {
    await this.#act("It was not cancelled", () =>
      this.server.fetch(job.url, { method: "DELETE" }));
  }

  // A link could not bring the token along.
  async #save(url, otherwise) {
    await this.#act("It was not saved", async () => {
      const response = await this.server.fetch(url, {});
      const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
      save(await response.blob(), named?.[1] ?? otherwise);
    });
  }

  // In a tab of its own.
  async #open(url) {
    await this.#act("It was not opened", async () => {
      const blob = await (await this.server.fetch(url, {})).blob();
      const link = make("a", { href: URL.createObjectURL(blob), target: "_blank",
                               rel: "noopener" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), kOpenedMs);
    });
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
