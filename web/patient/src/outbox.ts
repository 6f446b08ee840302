// Finished responses on their way to the server. Each is kept, sealed, until the server says that
// it has it; it carries its own identifier, so sending it twice makes one response. One that the
// server refuses goes to the site's staff instead and is kept until they have it. One tab sends at
// a time.
import type { QuestionnaireResponse } from './fhir';
import type { Records } from './records';
import { sendMisfit, sendResponse, type Answer, type Due } from './server';
import type { StudyText } from './translation';

// kept: on this phone alone. sent: on its way, or sent without an answer. received: the server has
// it. refused: it does not fit, and the site is to be told. referred: the site has it to look at.
export type Stage = 'kept' | 'sent' | 'received' | 'refused' | 'referred';

export interface Parcel {
  id: string;
  title: StudyText;
  activity: string;
  occurrence: string | number;
  canonical: string;
  finished: string; // the device's time
  stage: Stage;
  received?: string; // the device's time
  response?: QuestionnaireResponse; // until the server has it
  outcome?: unknown; // why it was refused
  tries: number;
  notBefore: number; // ms since 1970: not to be sent earlier
}

export type ParcelName = Pick<Parcel, 'id' | 'title' | 'activity' | 'occurrence'>;
export type Sending = 'idle' | 'waiting' | 'ended';

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 300_000;
// Receipts of what was received, the latest first, so that the phone does not fill up.
export const RECEIPTS_MAX = 100;

// Whether what the server asked for at `askedAt` is done with this. What it had received by then it
// asks for anew: as often as the patient likes, or because it was corrected.
export function settles(parcel: Parcel, due: Due, askedAt: string | undefined): boolean {
  const same = parcel.activity === due.activity &&
    String(parcel.occurrence) === String(due.occurrence);
  if (!same) return false;
  // What did not fit may be asked for again, by another version.
  if (parcel.stage === 'referred') return parcel.canonical === due.questionnaire;
  return parcel.stage !== 'received' || !askedAt || !parcel.received || askedAt <= parcel.received;
}

export const isOpen = (parcel: Parcel) =>
  parcel.stage !== 'received' && parcel.stage !== 'referred';

// Twice as long each time, and not all phones at once.
export function backoff(tries: number, random: number = Math.random()): number {
  const most = Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries, 20), LONGEST_WAIT_MS);
  return most / 2 + (most / 2) * random;
}

async function alone<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
  if (!('locks' in navigator)) return work();
  return await navigator.locks.request('trialward-outbox', { ifAvailable: true },
    async (lock) => (lock ? work() : otherwise)) as T;
}

export class Outbox {
  private running: Promise<Sending> | undefined;
  private hurried = false; // somebody asked to send now since the last round began

  constructor(private readonly records: Records, private readonly changed: () => void) {}

  async list(): Promise<Parcel[]> {
    // A page that was closed in between has both of one; then the receipt is right.
    const receipts = await this.records.list<Parcel>('receipt');
    const parcels = (await this.records.list<Parcel>('outbox'))
      .filter((parcel) => !receipts.some(({ id }) => id === parcel.id)).concat(receipts);
    return parcels.sort((a, b) => Date.parse(b.finished) - Date.parse(a.finished));
  }

  async add({ id, title, activity, occurrence }: ParcelName,
            response: QuestionnaireResponse): Promise<void> {
    await this.write({
      id, title, activity, occurrence, canonical: response.questionnaire, response,
      finished: response.authored, stage: 'kept', tries: 0, notBefore: 0,
    });
  }

  // Sends whatever is due; `now` (the network is back, or the patient asks) sends what waits for
  // its turn, too, and what failed before counts no more towards the next wait. Tells whether more
  // is waiting, or the session has ended. A second call while one runs gives the first one's end,
  // which then goes round once more if the second was `now`.
  send(token: string, now = false): Promise<Sending> {
    this.hurried ||= now;
    this.running ??= alone(() => this.sendRounds(token), 'waiting' as Sending)
      .finally(() => { this.running = undefined; });
    return this.running;
  }

  // When the next parcel may be sent, in ms since 1970; nothing when none waits.
  async nextDue(): Promise<number | undefined> {
    const open = (await this.list()).filter(isOpen);
    return open.length > 0 ? Math.min(...open.map((one) => one.notBefore)) : undefined;
  }

  private async sendRounds(token: string): Promise<Sending> {
    let sending: Sending;
    do {
      const now = this.hurried;
      this.hurried = false;
      sending = await this.sendAll(token, now);
    } while (this.hurried && sending !== 'ended');
    return sending;
  }

  private async sendAll(token: string, now: boolean): Promise<Sending> {
    const parcels = (await this.list()).filter(isOpen).reverse(); // the oldest first
    for (const parcel of parcels) {
      if (!now && parcel.notBefore > Date.now()) continue;
      const fresh = now ? { ...parcel, tries: 0 } : parcel;
      if (!(await this.sendOne(token, fresh))) return 'ended';
    }
    await this.tidy();
    return (await this.list()).some(isOpen) ? 'waiting' : 'idle';
  }

  // False when the session has ended.
  private async sendOne(token: string, parcel: Parcel): Promise<boolean> {
    const { response } = parcel;
    if (!response) return true;
    let current = parcel;
    if (current.stage !== 'refused') {
      current = { ...current, stage: 'sent' };
      await this.write(current);
      const answer = await sendResponse(token, response);
      if (answer.kind === 'ok') {
        return this.close(current, 'received');
      }
      if (answer.kind !== 'refused') return this.postpone(current, answer, 'kept');
      current = { ...current, stage: 'refused', outcome: answer.body ?? { status: answer.status } };
      await this.write(current);
    }
    const answer = await sendMisfit(token, response, current.outcome);
    if (answer.kind === 'ok') return this.close(current, 'referred');
    return this.postpone(current, answer, 'refused');
  }

  private async postpone(parcel: Parcel, answer: Answer<unknown>, stage: Stage): Promise<boolean> {
    const tries = parcel.tries + 1;
    const wait = Math.max(backoff(tries), answer.kind === 'later' ? answer.waitMs : 0);
    const unsure = stage === 'kept' && answer.kind === 'unreachable' && answer.perhaps;
    await this.write({
      ...parcel, stage: unsure ? 'sent' : stage, tries, notBefore: Date.now() + wait,
    });
    return answer.kind !== 'ended';
  }

  // The site has it: what it said is no longer kept here, only that it was said.
  private async close(parcel: Parcel, stage: Stage): Promise<true> {
    const { response: _, outcome: __, ...rest } = parcel;
    const receipt: Parcel = { ...rest, stage, received: new Date().toISOString() };
    await this.records.write(`receipt:${parcel.id}`, receipt);
    await this.records.delete(`outbox:${parcel.id}`);
    this.changed();
    return true;
  }

  private async tidy(): Promise<void> {
    const done = (await this.list()).filter((parcel) => !isOpen(parcel));
    for (const { id } of done.slice(RECEIPTS_MAX)) await this.records.delete(`receipt:${id}`);
  }

  private async write(parcel: Parcel): Promise<void> {
    await this.records.write(`outbox:${parcel.id}`, parcel);
    this.changed();
  }
}
