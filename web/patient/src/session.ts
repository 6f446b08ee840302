// What a patient does with the page, without how it looks: enrol, lock and unlock, see what is due,
// answer, send. It owns the unlocked vault while it is open, the outbox, and the one timer that
// sends what waits. `subscribe` is called after every change. All on the page's one thread; what is
// asked of it while it works on something else waits its turn in the promises.
import { askToPersist, readDevice, writeDevice } from './storage';
import { newDraft, responseOf, type Draft } from './draft';
import type { Questionnaire } from './fhir';
import { isOpen, Outbox, settles, type Parcel } from './outbox';
import { Records } from './records';
import {
  enrol, fetchHome, fetchQuestionnaire, type Due, type Enrolment, type Help,
  type Home,
} from './server';
import {
  createVault, earlierVault, forgetEarlierVault, hasVault, unlockVault, type Unlocking, type Vault,
} from './vault';

export type Phase = 'loading' | 'new' | 'pin' | 'locked' | 'open' | 'broken';
export type EnrolFault = 'unknown' | 'used' | 'tooMany' | 'unreachable' | 'otherSubject';

// In the background for so long: the PIN is asked for again.
export const LOCK_AFTER_MS = 5 * 60_000;
// What was shown because of an answer stays under Help for so long.
const HELP_STAYS_MS = 14 * 86_400_000;

// Its record's name does not tell which it is.
interface KeptForm {
  id: string;
  canonical: string;
  questionnaire: Questionnaire;
}

export interface ShownHelp {
  help: Help;
  at: number; // ms since 1970
}

export class Session {
  phase: Phase = 'loading';
  home: Home | undefined;
  homeAt: string | undefined; // when it was asked for, by the device's time
  parcels: Parcel[] = [];
  drafts: Draft[] = [];
  ended = false; // the server no longer takes the token
  earlier: string | undefined; // the slot of an earlier vault that holds answers
  shownHelp: ShownHelp[] = []; // the latest first
  problem: 'notKept' | undefined;

  private enrolment: Enrolment | undefined; // until a PIN is chosen
  private token: string | undefined;
  private records: Records | undefined;
  private outbox: Outbox | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private hiddenSince: number | undefined;
  private readonly listeners = new Set<() => void>();
  private readonly questionnaires = new Map<string, Questionnaire>(); // by their canonical
  unsaved = 0; // changes of drafts that are not on the phone yet
  private saving: Promise<void> = Promise.resolve();

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => { this.listeners.delete(listener); };
  }

  async start(): Promise<void> {
    addEventListener('online', () => { void this.refresh(true); });
    document.addEventListener('visibilitychange', () => this.visibilityChanged());
    try {
      this.phase = (await hasVault()) ? 'locked' : 'new';
    } catch {
      this.phase = 'broken';
    }
    this.changed();
  }

  // Before there is a PIN, for a new one, or with the session open after the token has ended.
  async enrol(code: string): Promise<EnrolFault | undefined> {
    const answer = await enrol(code, deviceName());
    if (answer.kind === 'unreachable') return 'unreachable';
    if (answer.kind === 'later') return answer.status === 429 ? 'tooMany' : 'unreachable';
    if (answer.kind === 'ended') return 'unknown';
    if (answer.kind === 'refused') return answer.status === 410 ? 'used' : 'unknown';
    if (this.phase !== 'open') {
      this.enrolment = answer.body;
      this.phase = 'pin';
      this.changed();
      return undefined;
    }
    if (this.home && this.home.subject !== answer.body.subject) return 'otherSubject';
    this.token = answer.body.token;
    await this.records!.write('token', this.token);
    this.ended = false;
    this.changed();
    await this.refresh(true);
    return undefined;
  }

  async choosePin(pin: string): Promise<void> {
    const { token } = this.enrolment!;
    const vault = await createVault(pin);
    await new Records(vault).write('token', token);
    this.enrolment = undefined;
    await askToPersist();
    await this.open(vault);
  }

  async unlock(pin: string): Promise<Unlocking> {
    const result = await unlockVault(pin);
    if (result.kind === 'open') await this.open(result.vault);
    return result;
  }

  // Moves what an earlier vault of the same patient holds into this one; "other": of another's.
  async recoverEarlier(pin: string): Promise<Unlocking | { kind: 'other' }> {
    const result = await unlockVault(pin, this.earlier!);
    if (result.kind !== 'open') return result;
    const from = new Records(result.vault), to = this.records!;
    const home = await from.read<Home>('home');
    if (home?.subject !== this.home?.subject) return { kind: 'other' };
    for (const parcel of await from.list<Parcel>('outbox')) {
      await to.write(`outbox:${parcel.id}`, parcel);
    }
    for (const draft of await from.list<Draft>('draft')) {
      await to.write(`draft:${draft.id}`, draft);
    }
    for (const form of await from.list<KeptForm>('form')) await to.write(`form:${form.id}`, form);
    await forgetEarlierVault(this.earlier!);
    await this.load();
    await this.refresh(true);
    return result;
  }

  lock(): void {
    clearTimeout(this.timer);
    this.token = this.records = this.outbox = this.home = undefined;
    this.parcels = [];
    this.drafts = [];
    this.shownHelp = [];
    this.questionnaires.clear();
    this.phase = 'locked';
    this.changed();
  }

  // From the locked page: a new code, and then a new PIN.
  forgetPin(): void {
    this.phase = 'new';
    this.changed();
  }

  backToPin(): void {
    this.phase = 'locked';
    this.changed();
  }

  // Asks the server what is due, fetches the questionnaires for it and sends what waits.
  async refresh(now = false): Promise<void> {
    const { token, records } = this;
    if (!token || !records) return;
    await this.send(now);
    if (this.token !== token || this.ended) return;
    const asked = new Date().toISOString();
    const answer = await fetchHome(token);
    if (this.records !== records) return; // locked meanwhile
    if (answer.kind === 'ended') {
      this.ended = true;
    } else if (answer.kind === 'ok') {
      this.home = answer.body;
      this.homeAt = asked;
      await this.keep(async () => {
        await records.write('home', this.home);
        await records.write('homeAt', this.homeAt);
      });
      this.changed();
      await this.fetchQuestionnaires(token, records);
    }
    this.changed();
  }

  // Nothing: it is not on the phone yet.
  questionnaire(canonical: string): Questionnaire | undefined {
    return this.questionnaires.get(canonical);
  }

  draftOf(due: Due): Draft | undefined {
    return this.drafts.find((draft) =>
      draft.activity === due.activity && String(draft.occurrence) === String(due.occurrence));
  }

  // What is still to do: what is on its way already is not, whatever the server knew last. What was
  // begun can be finished, though the server no longer asks for it: it is the site's to judge.
  due(): Due[] {
    const listed = this.home?.due ?? [];
    const begun = this.drafts.filter((draft) => !listed.some((due) => this.draftOf(due) === draft))
      .map(({ activity, occurrence, title, canonical }): Due =>
        ({ activity, occurrence, title, questionnaire: canonical }));
    return [...begun, ...listed].filter((due) =>
      !this.parcels.some((parcel) => settles(parcel, due, this.homeAt)));
  }

  async begin(due: Due): Promise<Draft | undefined> {
    const begun = this.draftOf(due);
    if (begun) return begun;
    const questionnaire = this.questionnaire(due.questionnaire);
    if (!questionnaire) return undefined;
    const draft = newDraft(due, questionnaire);
    await this.saveDraft(draft);
    return draft;
  }

  // Kept in the order of the calls; the last one wins.
  saveDraft(draft: Draft): Promise<void> {
    const { records } = this;
    if (!records) return Promise.resolve();
    this.drafts = [draft, ...this.drafts.filter((one) => one.id !== draft.id)];
    this.unsaved += 1;
    this.changed();
    this.saving = this.saving.then(async () => {
      await this.keep(() => records.write(`draft:${draft.id}`, draft));
      this.unsaved -= 1;
      this.changed();
    });
    return this.saving;
  }

  // Puts the finished response into the outbox, and only then lets the draft go. False: not kept.
  async finish(draft: Draft, language: string): Promise<boolean> {
    const { records, outbox } = this;
    const questionnaire = this.questionnaire(draft.canonical);
    if (!records || !outbox || !questionnaire || !this.home) return false;
    await this.saving;
    const response = responseOf(draft, questionnaire, this.home.subject, language);
    const kept = await this.keep(async () => {
      await outbox.add(draft, response);
      await records.delete(`draft:${draft.id}`);
    });
    if (!kept) return false;
    this.drafts = this.drafts.filter((one) => one.id !== draft.id);
    await this.readParcels();
    void this.refresh(true);
    return true;
  }

  async send(now = false): Promise<void> {
    const { token, outbox } = this;
    if (!token || !outbox || this.ended) return;
    clearTimeout(this.timer);
    let sending;
    try {
      sending = await outbox.send(token, now);
    } catch {
      sending = 'waiting';
    }
    if (this.outbox !== outbox) return;
    if (sending === 'ended') this.ended = true;
    await this.readParcels();
    if (sending !== 'waiting') return;
    const due = await outbox.nextDue();
    if (due === undefined || this.outbox !== outbox) return;
    this.timer = setTimeout(() => { void this.send(); }, Math.max(1000, due - Date.now()));
  }

  async noteHelp(list: Help[]): Promise<void> {
    const { records } = this;
    const titles = list.map(({ title }) => JSON.stringify(title));
    const others = this.shownHelp.filter(({ help }) =>
      !titles.includes(JSON.stringify(help.title)));
    this.shownHelp = [...list.map((help) => ({ help, at: Date.now() })), ...others];
    this.changed();
    await this.keep(async () => { await records?.write('shownHelp', this.shownHelp); });
  }

  get waiting(): boolean {
    return this.parcels.some(isOpen);
  }

  private async open(vault: Vault): Promise<void> {
    this.records = new Records(vault);
    const { records } = this;
    this.outbox = new Outbox(records, () => { void this.readParcels(); });
    this.token = await records.read<string>('token');
    this.ended = false;
    await this.load();
    this.phase = 'open';
    this.changed();
    void this.refresh(true);
  }

  private async load(): Promise<void> {
    const records = this.records!;
    this.home = await records.read<Home>('home');
    this.homeAt = await records.read<string>('homeAt');
    this.drafts = await records.list<Draft>('draft');
    this.parcels = await this.outbox!.list();
    // A page that was closed between the two steps of finish() left both.
    this.drafts = this.drafts.filter((draft) => !this.parcels.some(({ id }) => id === draft.id));
    this.earlier = await earlierVault();
    const shown = await records.read<ShownHelp[]>('shownHelp') ?? [];
    this.shownHelp = shown.filter(({ at }) => Date.now() - at < HELP_STAYS_MS);
    await this.loadForms(records);
  }

  // Those that nothing asks for any more are let go.
  private async loadForms(records: Records): Promise<void> {
    const wanted = new Set([...(this.home?.due ?? []).map(({ questionnaire }) => questionnaire),
                            ...this.drafts.map(({ canonical }) => canonical)]);
    for (const { id, canonical, questionnaire } of await records.list<KeptForm>('form')) {
      if (wanted.has(canonical)) this.questionnaires.set(canonical, questionnaire);
      else await records.delete(`form:${id}`);
    }
  }

  private async fetchQuestionnaires(token: string, records: Records): Promise<void> {
    for (const { questionnaire: canonical } of this.home?.due ?? []) {
      if (this.questionnaires.has(canonical)) continue;
      const answer = await fetchQuestionnaire(token, canonical);
      if (this.records !== records) return;
      if (answer.kind !== 'ok') continue;
      const form: KeptForm = { id: crypto.randomUUID(), canonical, questionnaire: answer.body };
      if (!(await this.keep(() => records.write(`form:${form.id}`, form)))) return;
      this.questionnaires.set(canonical, answer.body);
      this.changed();
    }
  }

  private async readParcels(): Promise<void> {
    const { outbox } = this;
    if (!outbox) return;
    const parcels = await outbox.list();
    if (this.outbox !== outbox) return;
    this.parcels = parcels;
    this.changed();
  }

  private async keep(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      this.problem = undefined;
      return true;
    } catch {
      this.problem = 'notKept';
      this.changed();
      return false;
    }
  }

  private visibilityChanged(): void {
    if (document.visibilityState === 'hidden') {
      this.hiddenSince = Date.now();
      return;
    }
    const away = this.hiddenSince === undefined ? 0 : Date.now() - this.hiddenSince;
    this.hiddenSince = undefined;
    if (this.phase !== 'open') return;
    if (away >= LOCK_AFTER_MS) this.lock();
    else void this.refresh();
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

// What the site sees of the device: enough to tell two phones apart, no more.
function deviceName(): string {
  const agent = navigator.userAgent;
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'CrOS', 'Linux']
    .find((name) => agent.includes(name)) ?? 'Device';
  const browser = ['Firefox', 'Edg', 'SamsungBrowser', 'Chrome', 'Safari']
    .find((name) => agent.includes(name)) ?? 'Browser';
  return `${system}, ${browser === 'Edg' ? 'Edge' : browser}`;
}

export async function chosenLanguage(): Promise<string | undefined> {
  try {
    return await readDevice<string>('language');
  } catch {
    return undefined; // then the browser's own
  }
}

export function keepLanguage(code: string): Promise<void> {
  return writeDevice('language', code).catch(() => undefined);
}
