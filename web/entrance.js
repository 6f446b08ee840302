// The way into a page: asks for a token, keeps it for the tab, and opens the page with it.
//
// The token comes from the form, or from #token=… in the address, which it leaves at once. It
// is kept in sessionStorage: for this tab, until it is closed, and for every page here.

import { byId } from "./page.js";
import { Refusal, Server } from "./server.js";

const kTokenKey = "trialward.token";

export class Entrance {
  #session = null; // what is open: {end()}

  // `main` is the id of what is shown once it is open. `forbidden` says what a token of a role
  // that does not fit may not do. `open(server, holder)` gives the session, or throws a Refusal.
  constructor({ main, forbidden, open }) {
    this.main = main;
    this.forbidden = forbidden;
    this.open = open;
    byId("enter").onsubmit = (event) => {
      event.preventDefault();
      this.#enter(byId("token").value.trim());
    };
    byId("leave").onclick = () => this.leave();
    window.onhashchange = () => this.#enterFromAddress();
    const kept = sessionStorage.getItem(kTokenKey);
    if (!this.#enterFromAddress()) kept ? this.#enter(kept) : this.leave();
  }

  // Ends what is open and asks for a token; `refusal` says why, if there is a reason.
  leave(refusal, role) {
    this.#session?.end();
    this.#session = null;
    if (!refusal || refusal.final) sessionStorage.removeItem(kTokenKey);
    byId("study").textContent = byId("token").value = "";
    byId("enter-error").textContent =
      !refusal ? ""
      : refusal.status === 401 ? "This token is not valid, or no longer."
      : refusal.status === 403 ? `A token of the role ${role} ${this.forbidden}.`
      : `It did not open: ${refusal.message}.`;
    this.#show("enter");
    byId("token").focus();
  }

  #show(part) {
    byId("enter").hidden = part !== "enter";
    byId(this.main).hidden = byId("session").hidden = part === "enter";
  }

  async #enter(token) {
    const server = new Server(token);
    let role;
    try {
      // Anything else could not stand in a header.
      if (!/^[\x21-\x7e]+$/.test(token)) throw new Refusal(401, "");
      const holder = await server.json("/v1/token");
      role = holder.role;
      this.#session?.end();
      this.#session = null;
      sessionStorage.setItem(kTokenKey, token);
      const { name, site, studies: [study] } = holder;
      this.#session = this.open(server, holder);
      byId("study").textContent = study.title;
      byId("holder").textContent = name + (site ? `, site ${site}` : "");
      this.#show(this.main);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      this.leave(refusal, role);
      if (!refusal.final) byId("token").value = token; // to try again
    }
  }

  // Opens the token in the address, if there is one.
  #enterFromAddress() {
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    if (token) history.replaceState(null, "", location.pathname);
    if (token) this.#enter(token);
    return Boolean(token);
  }
}
