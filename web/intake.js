// The figures of intake, asked for every two seconds while somebody can see them.

import { byId } from "./page.js";

const kPollMs = 2_000;
const kWindowMs = 60_000;
const kWidth = 300; // of the chart, as its viewBox has it
const kHeight = 60;

export class IntakePanel {
  #samples = []; // {at, records} of the last minute, oldest first
  #closed = false;

  // `refused(refusal)` is told of what makes no sense to ask again.
  constructor(server, path, refused) {
    this.server = server;
    this.path = path;
    this.refused = refused;
  }

  close() {
    this.#closed = true;
  }

  async run() {
    while (!this.#closed) {
      if (!document.hidden) await this.#poll();
      await new Promise((resolve) => setTimeout(resolve, kPollMs));
    }
  }

  async #poll() {
    try {
      const figures = await this.server.json(this.path);
      if (!this.#closed) this.#show(figures);
    } catch (refusal) {
      if (this.#closed) return;
      byId("intake-error").textContent = `These figures are old: ${refusal.message}.`;
      if (refusal.final) this.refused(refusal);
    }
  }

  #show(figures) {
    byId("intake-error").textContent = "";
    byId("records").textContent = figures.records_in_store.toLocaleString();
    byId("open-alerts").textContent = figures.open_alerts.toLocaleString();
    byId("lanes").replaceChildren(...figures.lanes.map(laneRow));
    this.#showRate(figures.records_in_store);
  }

  #showRate(records) {
    const at = performance.now();
    this.#samples.push({ at, records });
    this.#samples = this.#samples.filter((sample) => sample.at >= at - kWindowMs);
    if (this.#samples.length < 2) return;
    const [first] = this.#samples;
    const rate = ((records - first.records) * 1000) / (at - first.at);
    byId("rate").textContent = rate.toFixed(rate < 10 ? 1 : 0);
    // A bar from each sample to the next, as high as the rate in between.
    const rates = this.#samples.slice(1).map((sample, i) => {
      const before = this.#samples[i];
      return (sample.records - before.records) / (sample.at - before.at);
    });
    const top = Math.max(...rates) || 1;
    const xs = this.#samples.map((sample) => kWidth * (1 - (at - sample.at) / kWindowMs));
    const bars = rates.map((rate, i) => {
      const y = (kHeight - 1) * (1 - rate / top);
      return `M${xs[i]} ${kHeight}V${y}H${xs[i + 1]}V${kHeight}`;
    });
    byId("rates").setAttribute("d", bars.join(""));
  }
}

function laneRow({ name, waiting, oldest_s }) {
  const row = document.createElement("div");
  const term = document.createElement("dt");
  term.textContent = name + (waiting > 0 ? `, oldest ${oldest_s.toFixed(1)} s` : "");
  const number = document.createElement("dd");
  number.textContent = waiting.toLocaleString();
  row.append(term, number);
  return row;
}
