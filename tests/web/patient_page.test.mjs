// The patient's page in a real browser, at a phone's size, against fake_server.mjs:
//   node --test tests/web/      (after the page is built; `make test` does both)
// Pictures of every screen go to $TRIALWARD_SCREENS.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FakeServer } from './fake_server.mjs';
import { Phone, PIN } from './phone.mjs';
import { dueOf, EVERY_TYPE, homeOf, PHQ9 } from './study.mjs';

const ROOT = new URL('../../', import.meta.url).pathname;
const DIST = process.env.TRIALWARD_WEB_DIST ?? join(ROOT, 'build/web/dist');
const SCREENS = process.env.TRIALWARD_SCREENS ?? join(ROOT, 'build/web/screenshots');
const FIRST_LOAD_BYTES_MAX = 150_000;
const ITEM_9 = '/44260-8';

const phones = [], servers = [];

async function start({ due = [dueOf(PHQ9)], codes = ['CALM-7Q4X'], path,
                       ...phone_options } = {}) {
  const questionnaires = [PHQ9, EVERY_TYPE];
  const server = new FakeServer({ dist: DIST, questionnaires, home: homeOf(due) });
  for (const code of codes) server.codes.set(code, 'new');
  await server.start();
  servers.push(server);
  const phone = new Phone({ url: server.url, screens: SCREENS, ...phone_options });
  phones.push(phone);
  await phone.open(path);
  return { server, phone, page: phone.page };
}

after(async () => {
  for (const phone of phones) await phone.throwAway();
  for (const server of servers) await server.stop();
});

before(() => mkdirSync(SCREENS, { recursive: true }));

async function until(what, condition) {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `never came: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

// What the program says of a response that the page made, where there is a program.
function judge(questionnaire_file, response, name) {
  const file = join(SCREENS, `${name}.json`);
  writeFileSync(file, JSON.stringify(response, null, 1));
  const program = process.env.TRIALWARD;
  if (!program) return;
  const result = spawnSync(program, ['questionnaire',
    new URL(questionnaire_file, import.meta.url).pathname, '--response', file],
  { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stdout + result.stderr);
}

async function stored(page) {
  // Everything that IndexedDB holds, as text, as far as it can be read at all.
  return page.evaluate(() => new Promise((resolve, reject) => {
    const request = indexedDB.open('trialward-patient');
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      const texts = [];
      const transaction = database.transaction(['device', 'records']);
      for (const name of ['device', 'records']) {
        transaction.objectStore(name).getAll().onsuccess = ({ target }) => {
          for (const row of target.result) {
            texts.push(JSON.stringify(row, (_, value) => {
              if (value instanceof CryptoKey) return { extractable: value.extractable };
              if (value instanceof ArrayBuffer) return new TextDecoder().decode(value);
              return value;
            }));
          }
        };
      }
      transaction.oncomplete = () => { database.close(); resolve(texts.join('\n')); };
    };
  }));
}

test('a patient enrols, answers PHQ-9 offline with a break, and it arrives once', async () => {
  const { server, phone, page } = await start({ codes: ['CALM-7Q4X'] });
  await phone.at('Welcome');
  await phone.look('01-welcome');
  await page.getByLabel('Your code').fill('WRONG');
  await phone.press('Continue');
  await page.getByText('This code is not known').waitFor();
  await phone.look('02-wrong-code');
  await page.getByLabel('Your code').fill('CALM-7Q4X');
  await phone.press('Continue');
  await phone.at('Choose a PIN');
  await page.getByLabel('PIN', { exact: true }).fill('1234');
  await page.getByLabel('PIN, once more').fill('1234');
  await phone.press('Save the PIN');
  await page.getByText('easy to guess').waitFor();
  await phone.look('03-pin');
  await page.getByLabel('PIN', { exact: true }).fill(PIN);
  await page.getByLabel('PIN, once more').fill(PIN);
  await phone.press('Save the PIN');
  await phone.at('Your questionnaires');
  await page.getByRole('button', { name: 'Start' }).waitFor();
  await phone.installed();
  assert.deepEqual(await phone.whyNotInstallable(), []);
  await phone.look('04-home');

  await phone.press('Start');
  await phone.at('Little interest or pleasure');
  await phone.press('Next');
  await page.getByText('Please answer this question to go on.').waitFor();
  await phone.look('05-required');
  await phone.choose('Not at all');
  await phone.look('06-question');
  await phone.press('Next');
  for (const heading of ['Feeling down', 'Trouble falling', 'Feeling tired']) {
    await phone.at(heading);
    await phone.choose('Not at all');
    await phone.press('Next');
  }
  // As nothing troubles so far, the question how difficult that makes things is not asked.
  await page.getByText('Question 5 of 10').waitFor();

  await phone.offline(true);
  await phone.at('Poor appetite');
  await phone.choose('Several days');
  await page.getByText('Question 5 of 11').waitFor(); // now it is
  await phone.look('07-offline');
  await phone.press('Back');
  await phone.at('Feeling tired');
  await phone.choose('More than half the days'); // an edit
  await phone.choose('Several days'); // and another
  await phone.press('Next');
  await phone.at('Poor appetite');
  await phone.press('Next');
  await phone.at('Feeling bad about yourself');
  await phone.choose('Not at all');
  await page.getByText('No network').waitFor();
  const before_closing = await stored(page);
  const telling = /LA6568|LA6569|44254|SUBJ-7|tw_|CALM|PHQ|phq/;
  assert.ok(!telling.test(before_closing), 'it is all sealed');
  assert.ok(!/"extractable":true/.test(before_closing));

  await phone.close();
  await phone.open();
  await phone.at('Enter your PIN');
  await phone.page.getByLabel('PIN', { exact: true }).fill('0001');
  await phone.press('Unlock');
  await phone.page.getByText('You have 9 tries left').waitFor();
  await phone.look('08-unlock');
  await phone.unlock();
  await phone.at('Your questionnaires');
  await phone.page.getByText('Begun, not finished').waitFor();
  await phone.look('09-home-offline');
  await phone.press('Continue');
  await phone.at('Feeling bad about yourself');
  assert.ok(await phone.page.getByLabel('Not at all').isChecked());
  await phone.press('Next');
  await phone.at('Trouble concentrating');
  await phone.choose('Several days');
  await phone.press('Next');
  await phone.at('Moving or speaking');
  await phone.look('10-long-question');
  await phone.choose('Not at all');
  await phone.press('Next');
  await phone.at('better off dead');
  await phone.choose('Several days');
  // The help is there at once, without a network, with numbers that can be called.
  const panel = phone.page.getByRole('dialog', { name: 'Help' });
  await panel.getByText('You are not alone').waitFor();
  const numbers = await panel.getByRole('link')
    .evaluateAll((links) => links.map((one) => one.href));
  assert.deepEqual(numbers, ['tel:08001110111', 'tel:112', 'tel:+49305550100']);
  await phone.look('11-help');
  await phone.press('Go on');
  await phone.page.getByRole('button', { name: 'Help', exact: true }).click(); // it stays there
  await panel.getByText('You are not alone').waitFor();
  await phone.page.keyboard.press('Escape');
  await phone.press('Next');
  await phone.at('How difficult have these problems');
  await phone.choose('Somewhat difficult');
  await phone.press('Next');
  await phone.at('anything else');
  await phone.page.getByLabel('anything else').fill('I sleep better.');
  await phone.look('12-text');
  await phone.press('Review answers');
  await phone.at('Check your answers');
  await phone.look('13-review');
  await phone.page.getByRole('button', { name: 'Change: Trouble concentrating' }).click();
  await phone.choose('More than half the days');
  await phone.press('Back to the review');
  await phone.at('Check your answers');
  await phone.press('Send my answers');
  await phone.at('Thank you');
  await phone.page.getByText('They are sent as soon as there is a network').waitFor();
  await phone.look('14-thanks-offline');
  await phone.press('Back to my questionnaires');
  await phone.page.getByText('Kept on this phone', { exact: true }).waitFor();
  await phone.look('15-kept');
  assert.equal(server.responses.size, 0);

  // Twice it arrives without the phone learning of it; it counts once.
  server.dropAnswers = 2;
  await phone.offline(false);
  await phone.page.getByText('Received', { exact: true }).waitFor();
  await phone.look('16-received');
  assert.equal(server.responses.size, 1);
  assert.ok(server.posts >= 3, `${server.posts} posts`);

  const [response] = server.responses.values();
  judge('phq9.json', response, 'response');
  assert.equal(response.status, 'completed');
  assert.match(response.authored, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0[12]:00$/);
  const answers = new Map(response.item.flatMap((item) => item.item ?? [item])
    .map((item) => [item.linkId, item.answer[0]]));
  assert.equal(answers.size, 11);
  assert.equal(answers.get(ITEM_9).valueCoding.code, 'LA6569-3');
  assert.equal(answers.get('/44254-1').valueCoding.code, 'LA6569-3');
  assert.equal(answers.get('note').valueString, 'I sleep better.');
  const edits = JSON.parse(response.extension
    .find(({ url }) => url === 'urn:trialward:edits').valueString);
  const of = (link_id) => edits.filter(({ linkId }) => linkId === link_id)
    .map(({ answers: [answer] }) => answer.code);
  assert.deepEqual(of('/44254-1'), ['LA6568-5', 'LA6570-1', 'LA6569-3']);
  assert.deepEqual(of('/44252-5'), ['LA6569-3', 'LA6570-1']);
  assert.equal(edits.length, 14);
  assert.deepEqual(phone.problems, []);
});

test('a response that does not fit goes to the staff, and nothing is lost', async () => {
  const { server, phone, page } = await start();
  await phone.enrol('CALM-7Q4X');
  server.refuse = () => 'QuestionnaireResponse.item[0]: the questionnaire has another version now';
  server.busy = 1;
  await page.getByRole('button', { name: 'Start' }).click();
  for (let i = 0; i < 9; ++i) {
    await page.getByText(`Question ${i + 1} of`).waitFor();
    await phone.choose('Not at all');
    await phone.press('Next');
  }
  await phone.at('anything else');
  await phone.press('Review answers');
  await phone.press('Send my answers');
  await page.locator('[data-stage="referred"]').waitFor();
  await phone.look('17-referred');
  assert.equal(server.responses.size, 0);
  assert.equal(server.misfits.length, 1);
  const [{ response, outcome }] = server.misfits;
  assert.equal(response.item[0].item.length, 9);
  assert.match(outcome.issue[0].details.text, /another version/);
  assert.deepEqual(phone.problems, []);
});

test('an ended session takes a new code, and what was kept is sent', async () => {
  const { server, phone, page } = await start({ codes: ['FIRST', 'SECOND'] });
  await phone.enrol('FIRST');
  await page.getByRole('button', { name: 'Start' }).click();
  server.tokens.clear();
  for (let i = 0; i < 9; ++i) {
    await page.getByText(`Question ${i + 1} of`).waitFor();
    await phone.choose('Not at all');
    await phone.press('Next');
  }
  await phone.press('Review answers');
  await phone.press('Send my answers');
  await phone.press('Back to my questionnaires');
  await page.getByText('Your access has ended').waitFor();
  await page.getByText('Kept on this phone', { exact: true }).waitFor();
  await phone.look('18-ended');
  await page.getByLabel('Your code').fill('SECOND');
  await phone.press('Continue');
  await page.getByText('Received', { exact: true }).waitFor();
  assert.equal(server.responses.size, 1);
  assert.deepEqual(phone.problems, []);
});

test('wrong PINs are slowed, and a new code brings back what the earlier PIN holds', async () => {
  const { server, phone, page } = await start({ codes: ['FIRST', 'SECOND'] });
  await phone.enrol('FIRST');
  await phone.installed();
  await page.getByRole('button', { name: 'Start' }).click();
  await phone.choose('Several days');
  await page.getByText('Saved on this phone').waitFor();
  await page.reload();
  for (let left = 9; left >= 7; --left) {
    await phone.unlock('5555');
    await page.getByText(left === 7 ? /wait \d+ seconds/ : `${left} tries left`).waitFor();
  }
  await phone.unlock(); // right, but too early
  await page.getByText('Please wait').waitFor();
  await page.reload(); // wins nothing
  await page.getByText('Please wait').waitFor();
  await phone.press('I forgot my PIN');
  await phone.look('19-forgot');
  await phone.press('Enter a new code');
  await phone.enrol('SECOND', '4826');
  await page.getByText('Answers under your earlier PIN').waitFor();
  await phone.look('20-earlier');
  await page.getByLabel('PIN', { exact: true }).fill(PIN);
  await phone.press('Open them');
  await phone.press('Continue');
  await phone.at('Little interest');
  assert.ok(await page.getByLabel('Several days').isChecked());
  assert.equal(server.responses.size, 0);
  assert.deepEqual(phone.problems, []);
});

test('every type of question, by the keyboard alone', async () => {
  const { server, phone, page } = await start({ due: [dueOf(EVERY_TYPE)], scheme: 'dark' });
  await phone.enrol('CALM-7Q4X');
  await page.getByRole('button', { name: 'Start' }).waitFor();
  const reach = async (name) => {
    for (let i = 0; i < 30; ++i) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate(() => document.activeElement?.textContent);
      if (focused === name) return;
    }
    assert.fail(`the keyboard does not reach ${name}`);
  };
  await page.getByRole('button', { name: 'Start' }).focus();
  await page.keyboard.press('Enter');
  const next = async (name = 'Next') => {
    await reach(name);
    await page.keyboard.press('Enter');
  };
  await phone.arrive('Did you have a fever?');
  await page.getByText('A few questions about your day.').waitFor();
  await page.keyboard.press('Tab'); // from the heading to the answers
  await page.keyboard.press('Space');
  await phone.look('21-boolean-dark');
  await next();
  await phone.arrive('How high was it?');
  await page.keyboard.press('Tab');
  await page.keyboard.type('38,5');
  await phone.look('22-quantity-dark');
  await next();
  await phone.arrive('How many flights');
  await page.keyboard.press('Tab');
  await page.keyboard.type('101');
  await next();
  await page.getByText('Please enter 100 or less.').waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('many');
  await next();
  await page.getByText('Please enter a whole number.').waitFor();
  await phone.look('23-number-fault');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('4');
  await next();
  await phone.arrive('What do you weigh');
  await page.keyboard.press('Tab');
  await page.keyboard.type('71.5');
  await next();
  await phone.arrive('When did it begin?');
  await page.getByLabel('When did it begin?').fill('2026-03-29');
  await phone.look('24-date');
  await next();
  await phone.arrive('last dose');
  await page.getByLabel('last dose').fill('2026-07-01T08:30');
  await next();
  await phone.arrive('go to bed');
  await page.getByLabel('go to bed').fill('22:15');
  await next();
  await phone.arrive('In a word');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Fine');
  await next();
  await phone.arrive('Where were you?');
  await page.getByText('In the clinic').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await next();
  await phone.arrive('What troubled you?');
  await phone.choose('Nothing');
  await phone.choose('Nausea'); // takes "Nothing" back
  assert.ok(!await page.getByLabel('Nothing').isChecked());
  await phone.choose('Something else');
  await page.getByLabel('In your own words').fill('Dizziness');
  await phone.look('25-open-choice');
  await next();
  await phone.arrive('allergic');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Pollen');
  await phone.press('Add another answer');
  await page.getByLabel('Answer 2').fill('Nuts');
  await phone.look('26-several');
  await next();
  await phone.arrive('Other medicines');
  await phone.look('27-repeat');
  for (const name of ['Ibuprofen', 'Vitamin D']) {
    await page.getByRole('button', { name: /^Add (one|another)$/ }).click();
    await phone.arrive('What is it called?');
    await page.getByLabel('What is it called?').fill(name);
    await next();
    await phone.arrive('Did it help?');
    await next();
    await phone.arrive('Other medicines');
  }
  await page.getByText('You have entered 2.').waitFor();
  await next('Review answers');
  await phone.arrive('Check your answers');
  await phone.look('28-review-dark');
  await next('Send my answers');
  await phone.at('Thank you');
  await until('the response', () => server.responses.size === 1);
  const [response] = server.responses.values();
  judge('every-type.json', response, 'response-every-type');
  const [fever, temperature, steps, weight, day, moment, bed, word, where, symptoms, allergies,
         ...medicines] = response.item;
  assert.deepEqual(fever.answer, [{ valueBoolean: true }]);
  assert.deepEqual(temperature.answer[0].valueQuantity,
    { value: 38.5, unit: '°C', system: 'http://unitsofmeasure.org', code: 'Cel' });
  assert.deepEqual(steps.answer, [{ valueInteger: 4 }]);
  assert.deepEqual(weight.answer, [{ valueDecimal: 71.5 }]);
  assert.deepEqual(day.answer, [{ valueDate: '2026-03-29' }]);
  assert.deepEqual(moment.answer, [{ valueDateTime: '2026-07-01T08:30:00+02:00' }]);
  assert.deepEqual(bed.answer, [{ valueTime: '22:15:00' }]);
  assert.deepEqual(word.answer, [{ valueString: 'Fine' }]);
  assert.equal(where.answer[0].valueCoding.code, 'home');
  assert.deepEqual(symptoms.answer, [{ valueString: 'Nausea' }, { valueString: 'Dizziness' }]);
  assert.deepEqual(allergies.answer, [{ valueString: 'Pollen' }, { valueString: 'Nuts' }]);
  assert.deepEqual(medicines.map((one) => one.item[0].answer[0].valueString),
    ['Ibuprofen', 'Vitamin D']);
  assert.deepEqual(phone.problems, []);
});

test('in German, on a small phone, with the code from a link', async () => {
  const { phone, page } = await start({ path: '/p#code=CALM-7Q4X', language: 'de-AT',
                                        width: 320, height: 568 });
  await phone.at('Willkommen');
  assert.equal(await page.getByLabel('Ihr Code').inputValue(), 'CALM-7Q4X');
  assert.equal(await page.evaluate(() => location.hash), '');
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  await phone.look('29-welcome-german');
  await phone.press('Weiter');
  await page.getByLabel('PIN', { exact: true }).fill(PIN);
  await page.getByLabel('PIN noch einmal').fill(PIN);
  await phone.press('PIN speichern');
  await phone.press('Beginnen');
  await phone.at('Wenig Interesse');
  await page.getByText('Wie oft fühlten Sie sich').waitFor();
  await phone.choose('Beinahe jeden Tag');
  await phone.look('30-question-german');
  await phone.press('Speichern und schließen');
  await phone.at('Ihre Fragebögen');
  await page.getByLabel('Sprache').selectOption('en');
  await phone.at('Your questionnaires');
  await page.reload();
  await phone.at('Enter your PIN'); // the choice was kept
  assert.deepEqual(phone.problems, []);
});

test('the first load is small', () => {
  const names = ['index.html', ...readdirSync(join(DIST, 'assets')).map((name) => `assets/${name}`),
                 'manifest.webmanifest', 'icon.svg', 'sw.js'];
  const bytes = names.map((name) => gzipSync(readFileSync(join(DIST, name)), { level: 9 }).length)
    .reduce((sum, one) => sum + one, 0);
  console.log(`first load: ${bytes} bytes compressed`);
  assert.ok(bytes < FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
});
