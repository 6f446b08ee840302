// A questionnaire that was begun and is not finished: its answers, and every edit of them with the
// device's time, which go with the response as an extension. Pure values; records.ts keeps them.
import {
  type Coding, type Quantity, type QuestionnaireResponse, type Questionnaire, type Value,
} from './fhir';
import { Form, initialAnswers, type Answers } from './form';
import { deviceTime } from './device_time';
import type { Due } from './server';
import { kindOf, sameValues } from './value';

// At most so many characters of edits go with a response. When there are more, the oldest that are
// neither the first nor the last of their question are left out, and counted.
export const EDITS_CHARACTERS_MAX = 48 * 1024;

export interface Edit {
  at: string;
  linkId: string;
  answers: unknown[];
  path?: string; // where the linkId alone does not say it: in a group that repeats
}

export interface Draft extends Answers {
  id: string; // the response's identifier, and so the key by which it is received only once
  activity: string;
  occurrence: Due['occurrence'];
  canonical: string;
  title: Due['title'];
  started: string;
  edits: Edit[];
  omitted: number;
  at?: string; // the path of the screen that was shown last
  helped: string[]; // the help that was shown already, by its title
}

export function newDraft(due: Due, questionnaire: Questionnaire): Draft {
  return {
    id: crypto.randomUUID(),
    activity: due.activity,
    occurrence: due.occurrence,
    canonical: due.questionnaire,
    title: due.title,
    started: deviceTime(),
    edits: [],
    omitted: 0,
    helped: [],
    ...initialAnswers(questionnaire),
  };
}

function compact(value: Value): unknown {
  const kind = kindOf(value);
  if (kind === undefined) return null;
  const content = value[kind];
  if (kind === 'valueCoding') {
    const { system, code, display } = content as Coding;
    return code ? { ...(system ? { system } : {}), code } : { display };
  }
  if (kind === 'valueQuantity') {
    const { value: number, unit, code } = content as Quantity;
    return { value: number, ...(code ? { code } : unit ? { unit } : {}) };
  }
  return content;
}

// The draft with this question answered so, and the edit noted. The draft itself if it was so
// before.
export function withAnswer(draft: Draft, path: string, linkId: string, values: Value[]): Draft {
  if (sameValues(draft.values[path] ?? [], values)) return draft;
  const edit: Edit = { at: deviceTime(), linkId, answers: values.map(compact) };
  if (path.includes('#')) edit.path = path;
  const next: Draft = {
    ...draft,
    values: { ...draft.values, [path]: values },
    edits: [...draft.edits, edit],
  };
  return withinBounds(next);
}

export function withCount(draft: Draft, path: string, linkId: string, count: number): Draft {
  const values = Object.fromEntries(Object.entries(draft.values).filter(([at]) => {
    const rest = at.startsWith(`${path}#`) ? at.slice(path.length + 1) : '';
    return rest === '' || Number.parseInt(rest, 10) < count;
  }));
  const edit: Edit = { at: deviceTime(), linkId, answers: [{ occurrences: count }], path };
  return withinBounds({
    ...draft, values, counts: { ...draft.counts, [path]: count }, edits: [...draft.edits, edit],
  });
}

function withinBounds(draft: Draft): Draft {
  let { edits, omitted } = draft;
  const sizes = edits.map((edit) => JSON.stringify(edit).length + 1);
  let size = sizes.reduce((sum, one) => sum + one, 0);
  const questionOf = (edit: Edit) => edit.path ?? edit.linkId;
  while (size > EDITS_CHARACTERS_MAX && edits.length > 1) {
    const middle = edits.findIndex((edit, i) =>
      edits.slice(0, i).some((other) => questionOf(other) === questionOf(edit)) &&
      edits.slice(i + 1).some((other) => questionOf(other) === questionOf(edit)));
    const out = middle >= 0 ? middle : 0;
    size -= sizes[out]!;
    sizes.splice(out, 1);
    edits = [...edits.slice(0, out), ...edits.slice(out + 1)];
    ++omitted;
  }
  return omitted === draft.omitted ? draft : { ...draft, edits, omitted };
}

// What is sent: FHIR, with the device's time of finishing and the edits before it.
export function responseOf(draft: Draft, questionnaire: Questionnaire, subject: string,
                           language: string): QuestionnaireResponse {
  const edits: unknown[] = draft.omitted > 0 ? [{ omitted: draft.omitted }] : [];
  const item = new Form(questionnaire, draft).responseItems();
  return {
    resourceType: 'QuestionnaireResponse',
    extension: [
      { url: 'urn:trialward:activity', valueString: draft.activity },
      { url: 'urn:trialward:occurrence', valueString: String(draft.occurrence) },
      { url: 'urn:trialward:started', valueDateTime: draft.started },
      { url: 'urn:trialward:edits', valueString: JSON.stringify([...edits, ...draft.edits]) },
    ],
    identifier: { system: 'urn:trialward:device', value: draft.id },
    language,
    questionnaire: draft.canonical,
    status: 'completed',
    subject: { reference: `Patient/${subject}` },
    authored: deviceTime(),
    ...(item.length > 0 ? { item } : {}),
  };
}
