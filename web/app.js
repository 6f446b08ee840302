// The page of alerts and intake of the token's study.

import { acknowledgeDialog } from "./acknowledge.js";
import { AlertList } from "./alerts.js";
import { detailsDialog } from "./details.js";
import { Entrance } from "./entrance.js";
import { IntakePanel } from "./intake.js";
import { byId } from "./page.js";
import { ReportsPanel } from "./reports.js";
import { AlertStream } from "./server.js";

const kAcknowledgingRoles = ["investigator", "safety", "admin"];
const kClosingRoles = ["safety", "admin"];
const kSiteRoles = ["coordinator", "investigator", "admin"]; // for them is /site
const kPatienceMs = 10_000; // a shorter break is nothing to worry about

// How far the list can be trusted, in words.
class ConnectionState {
  #heard = null; // when the server was last heard
  #timer = null; // set while the connection is broken

  constructor() {
    this.#show("connecting", "Connecting…");
  }

  live() {
    this.close();
    this.#heard = new Date();
    this.#show("live", "Live");
  }

  broken() {
    if (this.#timer !== null) return;
    const since = this.#heard?.toLocaleTimeString();
    if (since) this.#show("broken", "Reconnecting…");
    this.#timer = setTimeout(() => {
      if (!since) return this.#show("stale", "Not connected", "The alerts cannot be loaded.");
      this.#show("stale", `Not live since ${since}`,
        `You see the alerts as of ${since}; newer ones may be missing.`);
    }, kPatienceMs);
  }

  close() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #show(state, words, notice = "") {
    if (byId("connection").className === state) return;
    byId("connection").className = state;
    byId("connection").textContent = words;
    byId("notice").textContent = notice && `${notice} The server is tried again by itself.`;
    byId("notice").hidden = !notice;
  }
}

function watch(server, { role, unblinded, studies: [study] }) {
  const path = `/v1/studies/${encodeURIComponent(study.id)}`;
  const refused = (refusal) => entrance.leave(refusal, role);
  const list = `${path}/alerts`;
  const takes = kAcknowledgingRoles.includes(role);
  const acknowledge = acknowledgeDialog(
    (alert) => server.json(`${list}/${alert.id}`),
    async (alert, body) => {
      await server.json(`${list}/${alert.id}/acknowledge`, body);
      alerts.remove(alert.id);
    });
  const look = detailsDialog(server, list, { assess: takes, settle: kClosingRoles.includes(role) });
  const alerts = new AlertList(server, list, { acknowledge: takes ? acknowledge : null, look });
  const intake = new IntakePanel(server, `${path}/figures`, refused);
  const reports = new ReportsPanel(server, `${path}/reports`, unblinded);
  const state = new ConnectionState();
  const stream = new AlertStream(server, `${path}/alerts/stream`, {
    opened: (resumed) => resumed || alerts.load(),
    event: (event) => alerts.apply(event),
    heard: () => state.live(),
    broken: () => state.broken(),
    refused,
  });
  stream.run();
  intake.run();
  reports.load();
  byId("to-site").hidden = !kSiteRoles.includes(role);
  return {
    end: () => {
      for (const part of [alerts, intake, reports, state, stream, byId("acknowledge"),
                          byId("details")]) part.close();
    },
  };
}

const entrance = new Entrance({
  main: "watch",
  forbidden: "may not see the alerts",
  open: watch,
});
