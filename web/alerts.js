// The list of open alerts: most severe first, then newest.

import { byId } from "./page.js";

const kCardsMax = 200; // a longer list helps nobody; its length is told
const kRenderMs = 50; // changes that come together are shown together
const kNewMs = 6_000;
const kClockMs = 10_000;
const kSeverities = ["critical", "warning", "info"];

function tellTime(time) {
  const minutes = Math.max(0, Date.now() - Date.parse(time.dateTime)) / 60_000;
  time.textContent =
    minutes < 1 ? "just now"
    : minutes < 60 ? `${Math.floor(minutes)} min ago`
    : minutes < 2880 ? `${Math.floor(minutes / 60)} h ago`
    : `${Math.floor(minutes / 1440)} days ago`;
}

function order(a, b) {
  return kSeverities.indexOf(a.severity) - kSeverities.indexOf(b.severity) || b.id - a.id;
}

export class AlertList {
  #alerts = null; // by id; null until they are loaded
  #cards = new Map(); // by id: those shown
  #news = new Set(); // ids to announce
  #timer = null;
  #closed = false;
  #clock = setInterval(() => this.#cards.forEach(({ time }) => tellTime(time)), kClockMs);

  // `acknowledge(alert)` opens the dialog; null when the role may not.
  constructor(acknowledge) {
    this.acknowledge = acknowledge;
    byId("alerts").replaceChildren();
    this.#tellCount(0);
  }

  close() {
    this.#closed = true;
    clearInterval(this.#clock);
    clearTimeout(this.#timer);
    document.title = "trialward";
  }

  // Takes what is open now; throws a Refusal.
  async load(server, path) {
    const alerts = new Map();
    for (let after = ""; after !== undefined; ) {
      const page = await server.json(`${path}?status=open&limit=500${after && `&after=${after}`}`);
      for (const alert of page.alerts) alerts.set(alert.id, alert);
      after = page.next;
    }
    this.#alerts = alerts;
    this.#change();
  }

  apply(event) {
    const { alert: id, records } = event;
    if (event.type === "acknowledged") return this.remove(id);
    const known = this.#alerts.get(id);
    if (!known) this.#news.add(id);
    const alert = known ?? { ...event, id, raised: event.at, records: [] };
    const more = records.filter((record) => !alert.records.some(({ id }) => id === record.id));
    this.#alerts.set(id, { ...alert, records: [...alert.records, ...more] });
    this.#change();
  }

  remove(id) {
    this.#alerts.delete(id);
    this.#change();
  }

  #change() {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => this.#render(), kRenderMs);
  }

  #render() {
    const alerts = [...this.#alerts.values()].sort(order).slice(0, kCardsMax);
    const ids = new Set(alerts.map((alert) => alert.id));
    // When the card with the focus goes, its neighbour gets it.
    const focused = document.activeElement.closest(".alert");
    const neighbour = focused?.nextElementSibling ?? focused?.previousElementSibling;
    for (const [id, { card }] of this.#cards) {
      if (ids.has(id)) continue;
      card.remove();
      this.#cards.delete(id);
    }
    const list = byId("alerts");
    alerts.forEach((alert, place) => {
      if (!this.#cards.has(alert.id)) this.#makeCard(alert);
      const { card, records } = this.#cards.get(alert.id);
      records.textContent = `${alert.records.length} record${alert.records.length > 1 ? "s" : ""}`;
      records.title = alert.records.map((one) => `${one.source} ${one.source_id}`).join("\n");
      if (list.children[place] !== card) list.insertBefore(card, list.children[place]);
    });
    if (focused && !focused.isConnected) {
      (neighbour?.querySelector("button") ?? byId("title")).focus();
    }
    this.#announce(alerts.filter((alert) => this.#news.delete(alert.id)));
    this.#tellCount(this.#alerts.size);
  }

  #makeCard(alert) {
    const card = byId("card").content.cloneNode(true).firstElementChild;
    const set = (selector, text) => {
      const part = card.querySelector(selector);
      part.textContent = text;
      return part;
    };
    card.classList.add(alert.severity);
    set(".severity", alert.severity);
    set("h3", alert.title).title = `Rule ${alert.rule}`;
    set(".subject", alert.subject);
    set(".site", alert.site);
    const time = set("time", "");
    time.dateTime = alert.raised;
    time.title = new Date(alert.raised).toLocaleString();
    tellTime(time);
    if (this.acknowledge) {
      const button = set("button", "Acknowledge");
      button.hidden = false;
      button.setAttribute("aria-label", `Acknowledge: ${alert.title}, ${alert.subject}`);
      button.onclick = () => this.acknowledge(alert);
    }
    this.#cards.set(alert.id, { card, time, records: set(".records", "") });
  }

  #announce(news) {
    if (news.length === 0) return;
    for (const { id } of news) {
      const { card } = this.#cards.get(id);
      card.classList.add("new");
      setTimeout(() => card.classList.remove("new"), kNewMs);
    }
    const [{ severity, title, subject, site }] = news;
    byId("announcer").textContent =
      `New alert, ${severity}: ${title}, subject ${subject}, site ${site}.` +
      (news.length > 1 ? ` ${news.length} new alerts in all.` : "");
  }

  #tellCount(count) {
    byId("count").textContent = this.#alerts ? count : "";
    document.title = count > 0 ? `(${count}) trialward` : "trialward";
    byId("empty").hidden = count > 0 && count <= kCardsMax;
    byId("empty").textContent =
      !this.#alerts ? "Loading the open alerts…"
      : count > 0 ? `These are the ${kCardsMax} most severe and newest of ${count}.`
      : "There are no open alerts. New ones appear here by themselves.";
  }
}
