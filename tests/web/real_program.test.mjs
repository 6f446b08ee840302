// The patient's page served by the program itself, on the demonstration's study: from the code that
// a coordinator makes to the alert and the audit trail. $TRIALWARD is the program.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Phone } from './phone.mjs';

const ROOT = new URL('../../', import.meta.url).pathname;
const PROGRAM = process.env.TRIALWARD ?? join(ROOT, 'build/release/trialward');
const SCREENS = process.env.TRIALWARD_SCREENS ?? join(ROOT, 'build/web/screenshots');
const DEMO = join(ROOT, 'studies/demo');
const DAY_MS = 24 * 3600 * 1000;

class Program {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'trialward-real-'));
    this.store = `sqlite:${join(this.folder, 'store.db')}`;
  }

  async start() {
    this.process = spawn(PROGRAM, ['serve', '--store', this.store, '--study', DEMO,
      '--listen', '127.0.0.1:0', '--ops', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    for await (const piece of this.process.stdout) {
      said += piece;
      const found = said.match(/^listening on (http:\/\/\S+)$/m);
      if (found && said.includes('operations on ')) {
        this.url = found[1];
        return;
      }
    }
    throw new Error(`it does not serve: ${said}`);
  }

  run(...words) {
    const done = spawnSync(PROGRAM, words, { encoding: 'utf8' });
    assert.equal(done.status, 0, done.stdout + done.stderr);
    return done.stdout.trim();
  }

  token(role, ...more) {
    return this.run('token', '--store', this.store, '--study', 'demo', '--role', role, ...more);
  }

  async call(method, path, token, body) {
    const answer = await fetch(this.url + path, {
      method, body: body && JSON.stringify(body),
      headers: { Authorization: `Bearer ${token}`,
                 ...(body ? { 'Content-Type': 'application/json' } : {}) },
    });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return answer.json();
  }

  async stop() {
    const ended = new Promise((resolve) => { this.process.once('exit', resolve); });
    this.process.kill('SIGTERM');
    assert.equal(await ended, 0);
  }
}

const program = new Program();
let phone;

after(async () => {
  await phone?.throwAway();
  program.process?.kill('SIGKILL');
  rmSync(program.folder, { recursive: true, force: true });
});

test('a patient answers offline, and the program has it once, with edits and alert', async () => {
  await program.start();
  const feed = program.token('feed', '--unblinded');
  const enrolled = new Date(Date.now() - 8 * DAY_MS).toISOString().slice(0, 10);
  await program.call('POST', '/v1/studies/demo/records', feed, {
    source: 'edc', source_id: 'SUBJ-7', subject: 'SUBJ-7', site: 'S01', kind: 'demographics',
    effective: enrolled });
  const coordinator = program.token('coordinator', '--site', 'S01');
  const { code } = await program.call(
    'POST', '/v1/studies/demo/subjects/SUBJ-7/invitations', coordinator, {});

  phone = new Phone({ url: program.url, screens: SCREENS });
  await phone.open();
  await phone.enrol(code.toLowerCase());
  await phone.installed();
  await phone.look('real-01-home');
  await phone.press('Start');
  for (const heading of ['Little interest', 'Feeling down', 'Trouble falling', 'Feeling tired']) {
    await phone.at(heading);
    await phone.choose('Not at all');
    await phone.press('Next');
  }
  await phone.offline(true);
  await phone.at('Poor appetite');
  await phone.choose('Several days');
  await phone.press('Back');
  await phone.at('Feeling tired');
  await phone.choose('Several days'); // an edit
  await phone.close();
  await phone.open();
  await phone.unlock();
  await phone.press('Continue');
  // It goes on at the question that was reached; what was answered is as it was left.
  await phone.at('Poor appetite');
  assert.ok(await phone.page.getByLabel('Several days').isChecked());
  await phone.press('Next');
  for (const heading of ['Feeling bad', 'Trouble concentrating', 'Moving']) {
    await phone.at(heading);
    await phone.choose('Not at all');
    await phone.press('Next');
  }
  await phone.at('better off dead');
  await phone.choose('Several days');
  await phone.page.getByRole('dialog', { name: 'Help' }).getByText('You are not alone').waitFor();
  await phone.look('real-02-help');
  await phone.press('Go on');
  await phone.press('Next');
  await phone.at('How difficult');
  await phone.choose('Not difficult at all');
  await phone.press('Review answers');
  await phone.press('Send my answers');
  await phone.at('Thank you');
  await phone.page.getByText('They are sent as soon as there is a network').waitFor();
  await phone.press('Back to my questionnaires');
  await phone.offline(false);
  await phone.page.getByText('Received', { exact: true }).waitFor();
  await phone.look('real-03-received');
  assert.deepEqual(phone.problems, []);

  const found = await program.call(
    'GET', '/fhir/QuestionnaireResponse?subject=Patient/SUBJ-7', coordinator);
  assert.equal(found.entry.length, 1);
  const [{ resource }] = found.entry;
  const edits = JSON.parse(resource.extension
    .find(({ url }) => url === 'urn:trialward:edits').valueString);
  assert.deepEqual(edits.filter(({ linkId }) => linkId === '/44254-1')
    .map(({ answers: [answer] }) => answer.code), ['LA6568-5', 'LA6569-3']);
  const scores = await program.call(
    'GET', '/fhir/Observation?subject=SUBJ-7&code=PHQ9-TOTAL', coordinator);
  assert.equal(scores.entry[0].resource.valueQuantity.value, 3);
  const { alerts } = await program.call(
    'GET', '/v1/studies/demo/alerts', program.token('safety'));
  assert.deepEqual(alerts.map(({ rule }) => rule), ['phq9-item9']);
  await program.stop();
  program.run('verify', '--store', program.store);
});
