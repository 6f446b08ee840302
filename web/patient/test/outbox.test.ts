// What is finished is kept until the server has it, and arrives once.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoff, Outbox, settles, type Parcel } from '../src/outbox';
import type { QuestionnaireResponse } from '../src/fhir';
import type { Records } from '../src/records';

// Records without a vault: what was written, by name, as JSON.
class PlainRecords {
  readonly kept = new Map<string, string>();
  async read<T>(name: string): Promise<T | undefined> {
    const text = this.kept.get(name);
    return text === undefined ? undefined : JSON.parse(text) as T;
  }
  async list<T>(kind: string): Promise<T[]> {
    return [...this.kept].filter(([name]) => name.startsWith(`${kind}:`))
      .map(([, text]) => JSON.parse(text) as T);
  }
  async write(name: string, value: unknown): Promise<void> {
    this.kept.set(name, JSON.stringify(value));
  }
  async delete(name: string): Promise<void> {
    this.kept.delete(name);
  }
}

const responseOf = (id: string): QuestionnaireResponse => ({
  resourceType: 'QuestionnaireResponse', identifier: { system: 'urn:trialward:device', value: id },
  questionnaire: 'urn:q|1', status: 'completed', subject: { reference: 'Patient/S-1' },
  authored: '2026-05-01T08:00:00.000+02:00',
});

let records: PlainRecords, outbox: Outbox;
let asked: { path: string; headers: Headers; body: string }[];
let answers: (() => Response)[];

afterEach(() => { vi.useRealTimers(); });

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  records = new PlainRecords();
  outbox = new Outbox(records as unknown as Records, () => undefined);
  asked = [];
  answers = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    asked.push({ path, headers: new Headers(init.headers), body: String(init.body) });
    return (answers.shift() ?? (() => new Response('{}', { status: 201 })))();
  });
  await outbox.add({ id: 'u-1', title: 'Q', activity: 'a', occurrence: 1 }, responseOf('u-1'));
});

const stage = async () => (await outbox.list()).map((parcel: Parcel) => parcel.stage);
const answer = (status: number, body: unknown = {}, headers = {}) =>
  () => new Response(JSON.stringify(body), { status, headers });
const lost = (name: string) => () => { throw Object.assign(new Error('lost'), { name }); };

describe('what is asked for', () => {
  const due = { activity: 'diary', occurrence: 1, title: 'Diary', questionnaire: 'urn:q|2' };
  const parcel = (more: Partial<Parcel>): Parcel => ({
    id: 'p', title: 'Diary', activity: 'diary', occurrence: '1', canonical: 'urn:q|1',
    finished: '2026-05-01T08:00:00Z', stage: 'kept', tries: 0, notBefore: 0, ...more });
  const at = (minute: string) => `2026-05-01T08:${minute}:00Z`;

  it.each<[string, Partial<Parcel>, boolean]>([
    ['is done with what is on its way', { stage: 'sent' }, true],
    ['is done with what was received since', { stage: 'received', received: at('06') }, true],
    ['is asked anew of what was received before', { stage: 'received', received: at('04') }, false],
    ['is asked anew in another version', { stage: 'referred' }, false],
    ['is not asked again in the version that did not fit',
     { stage: 'referred', canonical: 'urn:q|2' }, true],
    ['has nothing to do with another occurrence', { occurrence: 2 }, false],
  ])('%s', (_, more, done) => {
    expect(settles(parcel(more), due, at('05'))).toBe(done);
  });
});

describe('the outbox', () => {
  it('sends with the key by which it counts once, and keeps only a receipt', async () => {
    expect(await outbox.send('tw_1')).toBe('idle');
    expect(asked[0]!.headers.get('If-None-Exist')).toBe('identifier=urn:trialward:device|u-1');
    expect(asked[0]!.headers.get('Authorization')).toBe('Bearer tw_1');
    expect(asked[0]!.headers.get('Content-Type')).toBe('application/fhir+json');
    expect(await stage()).toEqual(['received']);
    expect([...records.kept.values()].join()).not.toContain('QuestionnaireResponse');
    await outbox.send('tw_1', true);
    expect(asked.length).toBe(1);
  });

  it.each([
    ['no network', lost('TypeError'), 'kept', 'waiting'],
    ['no answer', lost('TimeoutError'), 'sent', 'waiting'],
    ['busy', answer(429, {}, { 'Retry-After': '60' }), 'kept', 'waiting'],
    ['down', answer(503), 'kept', 'waiting'],
    ['session ended', answer(401), 'kept', 'ended'],
    ['there already', answer(200), 'received', 'idle'],
  ])('%s', async (_, first, expected, sending) => {
    answers = [first];
    expect(await outbox.send('tw_1')).toBe(sending);
    expect(await stage()).toEqual([expected]);
    if (expected === 'received') return;
    await outbox.send('tw_1'); // not yet its turn
    expect(asked.length).toBe(1);
    expect(await outbox.send('tw_2', true)).toBe('idle');
    expect(await stage()).toEqual(['received']);
    expect(asked[1]!.body).toBe(asked[0]!.body);
  });

  it('waits as long as the server says', async () => {
    answers = [answer(429, {}, { 'Retry-After': '900' })];
    await outbox.send('tw_1');
    expect((await outbox.nextDue())! - Date.now()).toBeGreaterThan(890_000);
  });

  it('refers what the server refuses, and keeps it until the site has it', async () => {
    answers = [answer(422, { resourceType: 'OperationOutcome', issue: [] }), answer(503)];
    expect(await outbox.send('tw_1')).toBe('waiting');
    expect(await stage()).toEqual(['refused']);
    expect(await outbox.send('tw_1', true)).toBe('idle');
    expect(await stage()).toEqual(['referred']);
    expect(asked.map(({ path }) => path)).toEqual(
      ['/fhir/QuestionnaireResponse', '/p/api/misfits', '/p/api/misfits']);
    expect(JSON.parse(asked[2]!.body)).toEqual({
      response: responseOf('u-1'), outcome: { resourceType: 'OperationOutcome', issue: [] } });
  });

  it('sends the oldest first, one after the other, however often it is told to', async () => {
    await outbox.add({ id: 'u-0', title: 'Q', activity: 'a', occurrence: 0 },
      { ...responseOf('u-0'), authored: '2026-04-30T08:00:00.000+02:00' });
    await Promise.all([outbox.send('tw_1'), outbox.send('tw_1'), outbox.send('tw_1')]);
    expect(asked.map(({ body }) => JSON.parse(body).identifier.value)).toEqual(['u-0', 'u-1']);
  });

  it('begins with short waits again when the network is back', async () => {
    for (let k = 0; k < 4; ++k) {
      answers = [lost('TypeError')];
      vi.setSystemTime(Math.max(Date.now(), (await outbox.nextDue())! + 1));
      await outbox.send('tw_1');
    }
    expect(asked.length).toBe(4);
    answers = [lost('TypeError')];
    await outbox.send('tw_1', true);
    expect((await outbox.nextDue())! - Date.now()).toBeLessThanOrEqual(4000);
  });

  it('goes round once more when told to send now in the middle of sending', async () => {
    answers = [() => { void outbox.send('tw_1', true); throw new TypeError('lost'); }];
    expect(await outbox.send('tw_1')).toBe('idle');
    expect(asked.length).toBe(2);
  });

  it('waits longer each time, to a limit', () => {
    const waits = [0, 1, 2, 20, 1000].map((tries) => backoff(tries, 1));
    expect(waits).toEqual([2000, 4000, 8000, 300_000, 300_000]);
    expect(backoff(2, 0)).toBe(4000);
  });
});
