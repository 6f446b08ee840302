// A questionnaire that is being answered: which items are to be asked, in which order, what is
// still missing, and the response that comes of it. The answers are kept flat, by path, so that
// those of an item that is skipped for now are there again when it is asked again; only what is
// enabled gets into the response. Pure: it changes nothing that it was given.
//
// A path names a place: "/group#0/question" is a question in the first occurrence of a group,
// "/question#1" the place below its second answer. linkIds are percent-encoded in it.
import { Enablement, hasAnswer, type Place } from './enablement';
import {
  CALCULATED, extensionOf, HIDDEN, MAX_OCCURS, MIN_OCCURS,
  type Item, type Questionnaire, type ResponseAnswer, type ResponseItem, type Value,
} from './fhir';
import { checkAnswers, type Fault } from './answer_check';
import { isAnswerable } from './answer_options';
import { kindOf, plainValue } from './value';

export interface Answers {
  values: Record<string, Value[]>; // by a question's path
  counts: Record<string, number>; // occurrences, by a repeating group's path
}

// What is shown on one screen.
export interface Step {
  kind: 'question' | 'display' | 'repeat';
  path: string;
  item: Item;
  trail: Item[]; // the groups around it, outermost first
  notes: Item[]; // display items right before it
  occurrence?: number; // of the innermost repeating group, from 1
}

export interface Issue extends Fault {
  path: string;
}

const ROUNDS_MAX = 50;
const OCCURRENCES_MAX = 50;

export const pathOf = (container: string, linkId: string) =>
  `${container}/${encodeURIComponent(linkId)}`;
const below = (path: string, index: number) => `${path}#${index}`;

export function isAsked(item: Item): boolean {
  return extensionOf(item, HIDDEN)?.valueBoolean !== true && !extensionOf(item, CALCULATED);
}

export function occursAtLeast(item: Item): number {
  return extensionOf(item, MIN_OCCURS)?.valueInteger ?? (item.required ? 1 : 0);
}

export function occursAtMost(item: Item): number {
  const most = extensionOf(item, MAX_OCCURS)?.valueInteger;
  return item.repeats ? Math.min(most ?? OCCURRENCES_MAX, OCCURRENCES_MAX) : 1;
}

// What a form starts with: the values that the questionnaire proposes.
export function initialAnswers(questionnaire: Questionnaire): Answers {
  const answers: Answers = { values: {}, counts: {} };
  const walk = (items: Item[], container: string) => {
    for (const item of items) {
      const path = pathOf(container, item.linkId);
      if (item.type === 'group') {
        for (let i = 0; i < (item.repeats ? occursAtLeast(item) : 1); ++i) {
          walk(item.item ?? [], below(path, i));
        }
        continue;
      }
      const proposed = (item.initial ?? []).concat(
        (item.answerOption ?? []).filter((option) => option.initialSelected));
      const values = proposed.map(plainValue).filter((value) => kindOf(value) !== undefined);
      if (values.length > 0) answers.values[path] = values;
    }
  };
  walk(questionnaire.item ?? [], '');
  return answers;
}

export class Form {
  private readonly off: Set<string>; // paths of items that are not enabled
  private readonly root: Place;

  constructor(readonly questionnaire: Questionnaire, readonly answers: Answers) {
    this.off = this.skipped();
    this.root = this.tree(this.off);
  }

  valuesAt(path: string): Value[] {
    return this.answers.values[path] ?? [];
  }

  countAt(path: string, item: Item): number {
    if (!item.repeats) return 1;
    return this.answers.counts[path] ?? occursAtLeast(item);
  }

  // The screens, in the questionnaire's order.
  steps(): Step[] {
    const steps: Step[] = [];
    let notes: Item[] = [];
    const walk = (items: Item[], container: string, trail: Item[], occurrence?: number) => {
      for (const item of items) {
        const path = pathOf(container, item.linkId);
        if (this.off.has(path) || !isAsked(item)) continue;
        if (item.type === 'display') {
          notes.push(item);
        } else if (item.type === 'group') {
          this.groupSteps(item, path, trail, steps, walk);
          if (item.repeats) steps.push({ kind: 'repeat', path, item, trail, notes: [] });
        } else {
          steps.push({ kind: 'question', path, item, trail, notes, occurrence });
          notes = [];
          this.valuesAt(path).forEach((_, i) => walk(item.item ?? [], below(path, i), trail));
        }
      }
      const last = notes[notes.length - 1];
      if (last) {
        // Nothing follows here that they could stand above.
        const path = pathOf(container, last.linkId);
        steps.push({ kind: 'display', path, item: last, trail, notes: notes.slice(0, -1) });
        notes = [];
      }
    };
    walk(this.questionnaire.item ?? [], '', []);
    return steps;
  }

  // Everything that keeps the response from being complete, each at the path of a step.
  issues(): Issue[] {
    const issues: Issue[] = [];
    this.check(this.questionnaire.item ?? [], '', issues);
    return issues;
  }

  responseItems(): ResponseItem[] {
    return this.itemsOf(this.questionnaire.item ?? [], this.root);
  }

  private groupSteps(item: Item, path: string, trail: Item[], steps: Step[],
                     walk: (items: Item[], at: string, trail: Item[], nth?: number) => void) {
    const count = this.countAt(path, item);
    for (let i = 0; i < count; ++i) {
      const length = steps.length;
      walk(item.item ?? [], below(path, i), [...trail, item], item.repeats ? i + 1 : undefined);
      if (!item.repeats) continue;
      for (const step of steps.slice(length)) step.occurrence ??= i + 1;
    }
  }

  private check(items: Item[], container: string, issues: Issue[]): void {
    for (const item of items) {
      const path = pathOf(container, item.linkId);
      if (this.off.has(path) || !isAsked(item) || item.type === 'display') continue;
      if (item.type === 'group') {
        this.checkGroup(item, path, issues);
        continue;
      }
      const values = this.valuesAt(path);
      // What nobody can answer here keeps nobody from sending: the site sees that it is missing.
      if (values.length === 0 && !isAnswerable(this.questionnaire, item)) continue;
      for (const fault of checkAnswers(this.questionnaire, item, values)) {
        issues.push({ path, ...fault });
      }
      values.forEach((_, i) => this.check(item.item ?? [], below(path, i), issues));
    }
  }

  // An optional group that is absent asks for nothing, though questions in it be required.
  private checkGroup(item: Item, path: string, issues: Issue[]): void {
    let answered = 0;
    for (let i = 0; i < this.countAt(path, item); ++i) {
      const place = this.find(below(path, i));
      if (place === undefined || !hasAnswer(place)) continue;
      ++answered;
      this.check(item.item ?? [], below(path, i), issues);
    }
    const least = occursAtLeast(item);
    if (answered >= least) return;
    const first = this.steps().find((step) => step.path.startsWith(below(path, answered)));
    const at = item.repeats ? path : (first?.path ?? path);
    if (!issues.some((issue) => issue.path === at)) {
      issues.push(least > 1 ? { path: at, code: 'fewer', limit: String(least) }
                            : { path: at, code: 'required' });
    }
  }

  private find(path: string, place: Place = this.root): Place | undefined {
    if (place.path === path) return place;
    for (const one of place.places) {
      const found = this.find(path, one);
      if (found) return found;
    }
    return undefined;
  }

  // What is not enabled takes its answers with it, and these may be what others depend on: so it is
  // asked again until nothing changes. Conditions that contradict each other never come to rest;
  // then everything that was ever skipped is.
  private skipped(): Set<string> {
    let off = new Set<string>();
    const ever = new Set<string>();
    for (let round = 0; round < ROUNDS_MAX; ++round) {
      const next = this.notEnabled(off);
      if (next.size === off.size && [...next].every((path) => off.has(path))) return next;
      for (const path of next) ever.add(path);
      off = next;
    }
    return ever;
  }

  private notEnabled(off: Set<string>): Set<string> {
    const root = this.tree(off);
    const enablement = new Enablement(root);
    const found = new Set<string>();
    const walk = (items: Item[], container: string) => {
      for (const item of items) {
        const path = pathOf(container, item.linkId);
        const occurrence = this.firstOccurrence(item, path);
        if (!enablement.enabled(item, container, off.has(path) ? undefined : occurrence)) {
          found.add(path);
        } else if (!off.has(path)) {
          this.containersOf(item, path).forEach((one) => walk(item.item ?? [], one));
        }
      }
    };
    walk(this.questionnaire.item ?? [], '');
    return found;
  }

  private firstOccurrence(item: Item, path: string): string | undefined {
    if (item.type !== 'group') return this.valuesAt(path).length > 0 ? path : undefined;
    const count = this.countAt(path, item);
    for (let i = 0; i < count; ++i) {
      if (this.answeredBelow(below(path, i))) return below(path, i);
    }
    return undefined;
  }

  private answeredBelow(container: string): boolean {
    return Object.entries(this.answers.values)
      .some(([path, values]) => path.startsWith(`${container}/`) && values.length > 0);
  }

  private containersOf(item: Item, path: string): string[] {
    const count = item.type === 'group' ? this.countAt(path, item) : this.valuesAt(path).length;
    return Array.from({ length: count }, (_, i) => below(path, i));
  }

  private tree(off: Set<string>): Place {
    const places = (items: Item[], container: string): Place[] => items.flatMap((item) => {
      const path = pathOf(container, item.linkId);
      if (off.has(path) || item.type === 'display') return [];
      const containers = this.containersOf(item, path)
        .map((one): Place => ({ path: one, values: [], places: places(item.item ?? [], one) }));
      if (item.type === 'group') {
        return containers.map((one) => ({ ...one, linkId: item.linkId }));
      }
      return [{ path, linkId: item.linkId, values: this.valuesAt(path), places: containers }];
    });
    return { path: '', values: [], places: places(this.questionnaire.item ?? [], '') };
  }

  private itemsOf(items: Item[], place: Place): ResponseItem[] {
    const asked = new Map(items.map((item) => [item.linkId, item]));
    return place.places.filter(hasAnswer).map((one): ResponseItem => {
      const item = asked.get(one.linkId!)!;
      if (item.type === 'group') {
        return { linkId: item.linkId, item: this.itemsOf(item.item ?? [], one) };
      }
      const answer = one.values.map((value, i): ResponseAnswer => {
        const items_below = this.itemsOf(item.item ?? [], one.places[i]!);
        return { ...value, ...(items_below.length > 0 ? { item: items_below } : {}) };
      });
      return { linkId: item.linkId, answer };
    });
  }
}
