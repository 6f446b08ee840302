// A phone in Chromium: its profile outlives its pages, so that closing and opening again is what it
// is for a patient. Looks at every screen with axe, and keeps a picture of it.
import { createRequire } from 'node:module';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';

const require = createRequire(new URL('../../web/patient/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
const WAIT_MS = 20_000;
export const PIN = '2739';

export class Phone {
  constructor({ url, screens, scheme = 'light', language = 'en-US', width = 390, height = 844 }) {
    Object.assign(this, { url, screens, scheme, language, width, height });
    this.profile = mkdtempSync(join(tmpdir(), 'trialward-phone-'));
    this.problems = [];
    this.isOffline = false;
    mkdirSync(screens, { recursive: true });
  }

  async open(path = '/p') {
    this.context = await chromium.launchPersistentContext(this.profile, {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
      viewport: { width: this.width, height: this.height },
      isMobile: true, hasTouch: true, deviceScaleFactor: 2,
      locale: this.language, timezoneId: 'Europe/Berlin', colorScheme: this.scheme,
      reducedMotion: 'reduce', offline: this.isOffline,
    });
    this.context.setDefaultTimeout(WAIT_MS);
    this.page = this.context.pages()[0] ?? await this.context.newPage();
    // A page without a network says so; everything else that a browser notes is a problem.
    this.page.on('console', (message) => {
      const words = message.text();
      const told = ['error', 'warning'].includes(message.type());
      if (told && !/ERR_|status of (4|5)\d\d/.test(words)) {
        this.problems.push(words);
      }
    });
    this.page.on('pageerror', (error) => this.problems.push(String(error)));
    this.page.on('request', (request) => {
      if (!request.url().startsWith(this.url)) this.problems.push(`asked ${request.url()}`);
    });
    await this.page.goto(this.url + path);
  }

  // Closes the browser as the system does when it needs the memory, once it is said that what was
  // answered is kept.
  async close() {
    await this.page.locator('.saved[aria-busy="true"]').waitFor({ state: 'detached' });
    await this.context.close();
  }

  async throwAway() {
    await this.context.close().catch(() => undefined);
    rmSync(this.profile, { recursive: true, force: true });
  }

  async offline(offline) {
    this.isOffline = offline;
    await this.context.setOffline(offline);
  }

  get heading() {
    return this.page.locator('h1');
  }

  async at(heading) {
    await this.page.locator('h1', { hasText: heading }).waitFor();
  }

  // At a heading, and a screen reader has begun to read it.
  async arrive(heading) {
    await this.at(heading);
    await this.page.waitForFunction(() => document.activeElement?.tagName === 'H1');
  }

  async press(name) {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  async choose(answer) {
    await this.page.getByLabel(answer, { exact: true }).check();
  }

  async enrol(code, pin = PIN) {
    await this.page.getByLabel('Your code').fill(code);
    await this.press('Continue');
    await this.at('Choose a PIN');
    await this.page.getByLabel('PIN', { exact: true }).fill(pin);
    await this.page.getByLabel('PIN, once more').fill(pin);
    await this.press('Save the PIN');
    await this.at('Your questionnaires');
  }

  async unlock(pin = PIN) {
    await this.page.getByLabel('PIN', { exact: true }).fill(pin);
    await this.press('Unlock');
  }

  // Whether the service worker holds the page, so that it opens without a network.
  async installed() {
    await this.page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      if (navigator.serviceWorker.controller) return;
      await new Promise((resolve) =>
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
    });
  }

  // What keeps the browser from offering to install the page.
  async whyNotInstallable() {
    const session = await this.context.newCDPSession(this.page);
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    await session.detach();
    return installabilityErrors.map(({ errorId }) => errorId);
  }

  // axe finds nothing, nothing is wider than the screen, every target is large enough; a picture.
  async look(name) {
    await this.page.screenshot({ path: join(this.screens, `${name}.png`) });
    await this.page.evaluate(AXE);
    const violations = await this.page.evaluate(async (tags) => {
      const result = await window.axe.run(document, { runOnly: { type: 'tag', values: tags } });
      return result.violations.map(({ id, nodes }) =>
        `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`);
    }, TAGS);
    assert.deepEqual(violations, [], `axe on ${name}`);
    const { wide, small } = await this.page.evaluate(() => ({
      wide: document.documentElement.scrollWidth > innerWidth,
      small: [...document.querySelectorAll('button, select, input, textarea, a[href]')]
        .map((element) => element.closest('label.choice') ?? element)
        .filter((element) => element.checkVisibility() && !element.matches('.skip') &&
          element.getBoundingClientRect().height < 47.9)
        .map((element) => element.outerHTML.slice(0, 120)),
    }));
    assert.equal(wide, false, `${name} scrolls sideways`);
    assert.deepEqual(small, [], `small targets on ${name}`);
  }
}
