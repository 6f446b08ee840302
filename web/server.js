// What the pages ask of the server: JSON requests, and the stream of alert events.

const kRequestMs = 10_000;
const kSilenceMs = 25_000; // the server sends at least a comment every 15 s
const kWaitMs = { first: 1_000, max: 10_000 };

// The server said no, and why. Status 0: it said nothing. `issues` are an OperationOutcome's.
export class Refusal extends Error {
  constructor(status, reason, issues = []) {
    super(reason);
    this.status = status;
    this.issues = issues;
    this.final = [400, 401, 403, 404].includes(status); // no use in asking again
  }
}

async function refusalOf(response) {
  const { faults = [], issue = [] } = await response.json().catch(() => ({}));
  const reasons = [...faults.map((fault) => fault.reason),
                   ...issue.map((one) => one.details?.text ?? one.diagnostics)].join("; ");
  return new Refusal(response.status, reasons || `the server answered ${response.status}`, issue);
}

export class Server {
  constructor(token) {
    this.token = token;
  }

  async fetch(path, { headers, ...options }) {
    const all = { ...headers, Authorization: `Bearer ${this.token}` };
    const response = await fetch(path, { ...options, cache: "no-store", headers: all });
    if (!response.ok) throw await refusalOf(response);
    return response;
  }

  // The answer's JSON; with something to post it is a POST. Throws a Refusal.
  async json(path, post) {
    const { body } = await this.#ask(path, post && this.#sent("POST", "application/json", post));
    return body;
  }

  // Of a FHIR resource {resource, etag}. Throws a Refusal.
  async read(path) {
    const { body, etag } = await this.#ask(path);
    return { resource: body, etag };
  }

  // Corrects the version `etag` of a FHIR resource. Throws a Refusal.
  async correct(path, resource, etag, reason) {
    const sent = this.#sent("PUT", "application/fhir+json", resource);
    // A header has bytes: the words go as UTF-8, one character a byte.
    const bytes = new TextEncoder().encode(reason.replace(/\s+/g, " "));
    sent.headers["X-Correction-Reason"] = String.fromCharCode(...bytes);
    sent.headers["If-Match"] = etag;
    await this.#ask(path, sent);
  }

  #sent(method, type, body) {
    return { method, headers: { "Content-Type": type }, body: JSON.stringify(body) };
  }

  async #ask(path, options) {
    try {
      const signal = AbortSignal.timeout(kRequestMs);
      const response = await this.fetch(path, { ...options, signal });
      const text = await response.text(); // a correction is answered without a body
      return { body: text && JSON.parse(text), etag: response.headers.get("ETag") };
    } catch (error) {
      throw error instanceof Refusal ? error : new Refusal(0, "the server cannot be reached");
    }
  }
}

// Follows alert events through breaks, behind the last one seen, so that none is missed. Calls
//   opened(resumed)   connected; if not resumed, what is open has to be loaded. Awaited.
//   event(event)
//   heard()           it is open, or the server sent something, be it a comment
//   broken()          it is tried again
//   refused(refusal)  it is not
export class AlertStream {
  #stop = new AbortController();
  #last = 0; // the number of the last event

  constructor(server, path, calls) {
    this.server = server;
    this.path = path;
    this.calls = calls;
  }

  close() {
    this.#stop.abort();
  }

  async run() {
    let wait = kWaitMs.first;
    while (!this.#stop.signal.aborted) {
      const opened = await this.#follow();
      if (this.#stop.signal.aborted) return;
      this.calls.broken();
      wait = opened ? kWaitMs.first : Math.min(wait * 2, kWaitMs.max);
      // Spread, so that the pages of a whole hospital do not come back in one instant.
      const spread = wait * (0.5 + Math.random() / 2);
      await new Promise((resolve) => setTimeout(resolve, spread));
    }
  }

  // One connection, until it breaks. Whether it was opened.
  async #follow() {
    const silence = new AbortController();
    let timer;
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), kSilenceMs);
    };
    let opened = false;
    try {
      listen();
      const end = () => silence.abort();
      this.#stop.signal.addEventListener("abort", end, { signal: silence.signal });
      const headers = this.#last ? { "Last-Event-ID": this.#last } : {};
      const response = await this.server.fetch(this.path, { headers, signal: silence.signal });
      await this.calls.opened(this.#last > 0);
      silence.signal.throwIfAborted();
      this.calls.heard();
      opened = true;
      let rest = "";
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece; !(piece = await reader.read()).done; ) {
        listen();
        this.calls.heard();
        const blocks = (rest + piece.value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block); // a comment has none
          if (!data) continue;
          const event = JSON.parse(data[1]);
          this.calls.event(event);
          this.#last = event.number;
        }
      }
    } catch (error) {
      if (error.final) {
        this.close();
        this.calls.refused(error);
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
    return opened;
  }
}
