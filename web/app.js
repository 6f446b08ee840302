// The page: asks for a token, then shows the alerts and the intake of the token's study.
//
// The token comes from the form, or from #token=… in the address, from where it is removed at once.
// It is kept in sessionStorage: for this tab, until it is closed.

import { acknowledgeDialog } from "./acknowledge.js";
import { AlertList } from "./alerts.js";
import { detailsDialog } from "./details.js";
import { IntakePanel } from "./intake.js";
import { byId } from "./page.js";
import { ReportsPanel } from "./reports.js";
import { AlertStream, Refusal, Server } from "./server.js";

const kAcknowledgingRoles = ["investigator", "safety", "admin"];
const kClosingRoles = ["safety", "admin"];
const kPatienceMs = 10_000; // a shorter break is nothing to worry about
const kTokenKey = "trialward.token";

let session = null; // what is open: {end()}

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

function show(part) {
  byId("enter").hidden = part !== "enter";
  byId("watch").hidden = byId("session").hidden = part !== "watch";
}

function askForToken(refusal, role) {
  session?.end();
  session = null;
  if (!refusal || refusal.final) sessionStorage.removeItem(kTokenKey);
  byId("study").textContent = byId("token").value = "";
  byId("enter-error").textContent =
    !refusal ? ""
    : refusal.status === 401 ? "This token is not valid, or no longer."
    : refusal.status === 403 ? `A token of the role ${role} may not see the alerts.`
    : `It did not open: ${refusal.message}.`;
  show("enter");
  byId("token").focus();
}

function watch(server, { name, role, site, unblinded, studies: [study] }) {
  const path = `/v1/studies/${encodeURIComponent(study.id)}`;
  const refused = (refusal) => askForToken(refusal, role);
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
  byId("study").textContent = study.title;
  byId("holder").textContent = name + (site ? `, site ${site}` : "");
  show("watch");
  return {
    end: () => {
      for (const part of [alerts, intake, reports, state, stream, byId("acknowledge"),
                          byId("details")]) part.close();
    },
  };
}

async function open(token) {
  const server = new Server(token);
  try {
    // Anything else could not stand in a header.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Refusal(401, "");
    const holder = await server.json("/v1/token");
    session?.end();
    sessionStorage.setItem(kTokenKey, token);
    session = watch(server, holder);
  } catch (refusal) {
    askForToken(refusal);
    if (!refusal.final) byId("token").value = token; // to try again
  }
}

// Opens the token in the address, if there is one.
function openFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) history.replaceState(null, "", location.pathname);
  if (token) open(token);
  return Boolean(token);
}

byId("enter").onsubmit = (event) => {
  event.preventDefault();
  open(byId("token").value.trim());
};
byId("leave").onclick = () => askForToken();
window.onhashchange = openFromAddress;

const kept = sessionStorage.getItem(kTokenKey);
if (!openFromAddress()) kept ? open(kept) : askForToken();
