// Stands in for trialward in the browser's tests: serves the built page with the headers of
// src/api/web_pages.cc, and the API that the page talks to. It keeps what it gets, counts what it
// is asked, and can be told to refuse. It checks a response no further than a test tells it to.
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

export const CSP =
  "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.png': 'image/png',
  '.webmanifest': 'application/manifest+json', '.json': 'application/json',
};

const outcomeOf = (words) => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'processing', details: { text: words } }],
});

export class FakeServer {
  constructor({ dist, questionnaires, home }) {
    this.dist = dist;
    this.questionnaires = questionnaires;
    this.home = home;
    this.codes = new Map(); // code -> 'new' | 'used'
    this.tokens = new Set();
    this.responses = new Map(); // by identifier
    this.posts = 0; // of responses, however often the same one
    this.misfits = [];
    this.refuse = undefined; // (response) => words, and then it is a 422
    this.dropAnswers = 0; // so many responses are stored without an answer
    this.busy = 0; // so many posts are answered with 429
    this.requests = [];
  }

  async start() {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error) => {
        response.writeHead(500).end(String(error));
      });
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async handle(request, response) {
    const url = new URL(request.url, this.url);
    this.requests.push(`${request.method} ${url.pathname}`);
    let body = '';
    for await (const piece of request) body += piece;
    const json = (status, value, headers = {}) => {
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    };
    const key = `${request.method} ${url.pathname}`;
    if (key === 'POST /p/api/enrol') return this.enrol(JSON.parse(body), json);
    if (url.pathname.startsWith('/fhir/') || url.pathname.startsWith('/p/api/')) {
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      if (!this.tokens.has(token)) return json(401, { error: 'the session has ended' });
    }
    if (key === 'GET /p/api/home') return json(200, this.home(this));
    if (key === 'GET /fhir/Questionnaire') return this.questionnaire(url.searchParams, json);
    if (key === 'POST /fhir/QuestionnaireResponse') {
      return this.take(request, JSON.parse(body), json);
    }
    if (key === 'POST /p/api/misfits') {
      this.misfits.push(JSON.parse(body));
      return json(202, {});
    }
    if (request.method === 'GET') return this.file(url.pathname, request, response);
    return json(404, { error: 'nothing here' });
  }

  enrol({ code, device }, json) {
    if (this.codes.get(code) === 'used') return json(410, { error: 'used' });
    if (!this.codes.has(code)) return json(404, { error: 'unknown' });
    if (!device?.name) return json(400, { error: 'no device' });
    this.codes.set(code, 'used');
    const token = `tw_${randomUUID()}`;
    this.tokens.add(token);
    const { subject, study } = this.home(this);
    json(201, { token, subject, study, questionnaires: '/fhir/Questionnaire',
                expires: '2099-01-01T00:00:00Z' });
  }

  questionnaire(query, json) {
    const found = this.questionnaires.filter((one) => one.url === query.get('url') &&
      (!query.has('version') || one.version === query.get('version')));
    json(200, { resourceType: 'Bundle', type: 'searchset', total: found.length,
                entry: found.map((resource) => ({ resource })) });
  }

  take(request, resource, json) {
    ++this.posts;
    const { system, value } = resource.identifier;
    if (request.headers['if-none-exist'] !== `identifier=${system}|${value}`) {
      return json(400, outcomeOf('If-None-Exist is not the identifier'));
    }
    if (!/^application\/fhir\+json/.test(request.headers['content-type'])) {
      return json(400, outcomeOf('not FHIR'));
    }
    if (this.busy > 0) {
      --this.busy;
      return json(429, outcomeOf('busy'), { 'Retry-After': '1' });
    }
    const fault = this.refuse?.(resource);
    if (fault) return json(422, outcomeOf(fault));
    const known = this.responses.has(value);
    if (!known) this.responses.set(value, resource);
    if (this.dropAnswers > 0) {
      --this.dropAnswers;
      return request.socket.destroy();
    }
    return json(known ? 200 : 201, resource);
  }

  async file(path, request, response) {
    const name = path === '/p' ? 'index.html' : path.slice('/p/'.length);
    let bytes;
    try {
      if (path.includes('..') || !path.startsWith('/p')) throw new Error('not here');
      bytes = await readFile(join(this.dist, name));
    } catch {
      response.writeHead(404).end();
      return;
    }
    const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`;
    response.writeHead(200, {
      'Content-Type': TYPES[extname(name)],
      'Content-Security-Policy': CSP,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': name.startsWith('assets/')
        ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(name === 'sw.js' ? { 'Service-Worker-Allowed': '/p' } : {}),
      ETag: etag,
    });
    response.end(bytes);
  }
}
