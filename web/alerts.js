// The list of alerts, of one state or all that are open: those about the past last, then the most
// severe first, then the newest.

import { byId } from "./page.js";
import { ago } from "./times.js";
import { showValues, ValueReader } from "./values.js";

const kCardsMax = 200; // a longer list helps nobody; its length is told
const kRenderMs = 50; // changes that come together are shown together
const kNewMs = 6_000;
const kClockMs = 10_000;
const kRetryMs = { first: 1_000, max: 10_000 };
const kSeverities = ["critical", "warning", "info"];

function tellTime(time) {
  time.textContent = ago(time.dateTime);
}

function order(a, b) {
  return Number(a.historical ?? false) - Number(b.historical ?? false) ||
    kSeverities.indexOf(a.severity) - kSeverities.indexOf(b.severity) || b.id - a.id;
}

export class AlertList {
  #alerts = null; // by id; null until they are loaded
  #cards = new Map(); // by id: those shown
  #news = new Set(); // ids to announce
  #timer = null;
  #closed = false;
  #loads = 0; // how often it was asked for another list
  #held = []; // events that came while it was being loaded
  #trouble = ""; // why it is not loaded
  #view = byId("view").value; // as the server's list is asked for it
  #clock = setInterval(() => this.#cards.forEach(({ time }) => tellTime(time)), kClockMs);

  // `acknowledge(alert)` opens the dialog, null when the role may not; `look(alert)` the details.
  constructor(server, path, { acknowledge, look }) {
    this.server = server;
    this.path = path;
    this.acknowledge = acknowledge;
    this.look = look;
    this.values = new ValueReader(server, path, (id, values) => this.#takeValues(id, values));
    byId("view").onchange = () => this.#show(byId("view").value);
    byId("alerts").replaceChildren();
    this.#tellCount(0);
  }

  close() {
    this.#closed = true;
    clearInterval(this.#clock);
    clearTimeout(this.#timer);
    this.values.close();
    document.title = "trialward";
  }

  get #isOpen() {
    return this.#view === "status=open";
  }

  async #show(view) {
    this.#view = view;
    this.#alerts = null;
    this.#news.clear();
    byId("view-name").textContent = `${byId("view").selectedOptions[0].text} alerts`;
    this.#trouble = "";
    this.#change();
    await this.#insist(() => this.load(), () => this.#view === view);
  }

  // Asks until there is an answer, as long as it is still wanted.
  async #insist(ask, wanted) {
    for (let wait = kRetryMs.first; !this.#closed && wanted(); ) {
      try {
        return await ask();
      } catch (refusal) {
        if (!this.#alerts) this.#trouble = refusal.message;
        if (refusal.final) return;
      } finally {
        this.#change();
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(2 * wait, kRetryMs.max);
    }
  }

  // Takes what is there now; throws a Refusal.
  async load() {
    const load = ++this.#loads;
    this.#held = [];
    const alerts = new Map();
    for (let after = ""; after !== undefined; ) {
      const query = `${this.#view}&limit=500${after && `&after=${after}`}`;
      const page = await this.server.json(`${this.path}?${query}`);
      for (const alert of page.alerts) alerts.set(alert.id, alert);
      after = page.next;
    }
    if (load !== this.#loads) return; // another list was asked for meanwhile
    this.#alerts = alerts;
    for (const event of this.#held.splice(0)) this.apply(event);
    this.#change();
  }

  apply(event) {
    const { alert: id, records, type } = event;
    if (!this.#alerts) {
      if (this.#isOpen && type === "raised" && !event.historical) this.#news.add(id);
      return this.#held.push(event);
    }
    if (this.#isOpen && (type === "raised" || (type === "joined" && this.#alerts.has(id)))) {
      const known = this.#alerts.get(id);
      if (!known && !event.historical) this.#news.add(id);
      const alert = known ?? { ...event, id, raised: event.at, records: [] };
      const more = records.filter((record) => !alert.records.some(({ id }) => id === record.id));
      this.#alerts.set(id, { ...alert, records: [...alert.records, ...more] });
      this.values.want(id);
      return this.#change();
    }
    if (this.#isOpen && ["acknowledged", "merged", "closed"].includes(type)) return this.remove(id);
    this.#refresh(id);
  }

  // Asks what has become of one alert, and whether it belongs here.
  async #refresh(id) {
    const load = this.#loads;
    const current = () => load === this.#loads && this.#alerts;
    const alert = await this.#insist(() => this.server.json(`${this.path}/${id}`), current);
    if (!alert || !current()) return;
    const [member, wanted] = this.#view.split("=");
    if (alert[member] !== wanted) return this.remove(id);
    if (!this.#alerts.has(id) && !alert.historical) this.#news.add(id);
    this.#alerts.set(id, alert);
    this.#change();
  }

  remove(id) {
    this.#alerts?.delete(id);
    this.#change();
  }

  #takeValues(id, values) {
    const known = this.#alerts?.get(id);
    if (!known) return;
    this.#alerts.set(id, { ...known, values });
    this.#change();
  }

  #change() {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => this.#render(), kRenderMs);
  }

  #render() {
    const alerts = [...(this.#alerts?.values() ?? [])].sort(order).slice(0, kCardsMax);
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
      const { card, records, tier, values } = this.#cards.get(alert.id);
      showValues(values, alert.values ?? []);
      tier.textContent =
        [alert.historical && "about the past",
         alert.holds === false && "does not hold any more", alert.storm && `storm ${alert.storm}`,
         alert.tier > 1 && `escalated to tier ${alert.tier}`].filter(Boolean).join(", ");
      records.textContent = `${alert.records.length} record${alert.records.length > 1 ? "s" : ""}`;
      records.title = alert.records.map((one) => `${one.source} ${one.source_id}`).join("\n");
      if (list.children[place] !== card) list.insertBefore(card, list.children[place]);
    });
    if (focused && !focused.isConnected) {
      (neighbour?.querySelector("button:not([hidden])") ?? byId("title")).focus();
    }
    this.#announce(alerts.filter((alert) => this.#news.delete(alert.id)));
    const all = [...(this.#alerts?.values() ?? [])];
    this.#tellCount(all.length, all.filter((alert) => !alert.historical).length);
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
    const details = card.querySelector(".look");
    details.setAttribute("aria-label", `Details: ${alert.title}, ${alert.subject}`);
    details.onclick = () => this.look(alert);
    if (this.acknowledge && this.#isOpen) {
      const button = set(".take", "Acknowledge");
      button.hidden = false;
      button.setAttribute("aria-label", `Acknowledge: ${alert.title}, ${alert.subject}`);
      button.onclick = () => this.acknowledge(alert);
    }
    const records = set(".records", "");
    const values = card.querySelector(".seen");
    this.#cards.set(alert.id, { card, time, records, values, tier: set(".tier", "") });
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

  #tellCount(count, current = count) {
    byId("count").textContent = this.#alerts ? count : "";
    document.title = current > 0 && this.#isOpen ? `(${current}) trialward` : "trialward";
    byId("empty").hidden = count > 0 && count <= kCardsMax;
    byId("empty").textContent =
      !this.#alerts && this.#trouble
        ? `The alerts cannot be loaded: ${this.#trouble}. The server is asked again by itself.`
      : !this.#alerts ? "Loading the alerts…"
      : count > 0 ? `These are the ${kCardsMax} most severe and newest of ${count}.`
      : this.#isOpen ? "There are no open alerts. New ones appear here by themselves."
      : "There are none.";
  }
}
