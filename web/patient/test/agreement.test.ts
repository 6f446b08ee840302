// The page and the program agree: of questionnaires with random groups and conditions, answered at
// random, what the page sends is sound to `trialward questionnaire`, and as much is missing to the
// one as to the other. Needs the program (TRIALWARD); without it the test is skipped.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { EnableWhen, Item, Questionnaire, Value } from '../src/fhir';
import { Form, pathOf, type Answers } from '../src/form';

const PROGRAM = process.env['TRIALWARD'];
const CASES = 120;

// mulberry32
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function questionnaireOf(random: (below: number) => number): Questionnaire {
  const questions: Item[] = [];
  let number = 0;
  const conditions = (): Pick<Item, 'enableWhen' | 'enableBehavior'> => {
    if (questions.length === 0 || random(3) > 0) return {};
    const enableWhen = Array.from({ length: 1 + random(2) }, (): EnableWhen => {
      const { linkId: question, type } = questions[random(questions.length)]!;
      if (random(4) === 0) return { question, operator: 'exists', answerBoolean: random(2) === 0 };
      if (type === 'boolean') {
        return { question, operator: random(2) ? '=' : '!=', answerBoolean: random(2) === 0 };
      }
      const operator = (['=', '!=', '>', '<', '>=', '<='] as const)[random(6)]!;
      return { question, operator, answerInteger: random(4) };
    });
    // Of two conditions there must be said how they join.
    return { enableWhen, enableBehavior: random(2) ? 'all' : 'any' };
  };
  const items = (depth: number): Item[] => Array.from({ length: 2 + random(3) }, (): Item => {
    const linkId = `i${++number}`, required = random(3) === 0, when = conditions();
    if (depth < 2 && random(3) === 0) {
      return { linkId, type: 'group', required, repeats: random(2) === 0, ...when,
               item: items(depth + 1) };
    }
    const item: Item = { linkId, type: random(2) ? 'boolean' : 'integer', required, ...when };
    questions.push(item);
    if (depth < 2 && random(6) === 0) item.item = items(2);
    return item;
  });
  return { resourceType: 'Questionnaire', url: 'urn:random', version: '1', item: items(0) };
}

function answersOf(questionnaire: Questionnaire, random: (below: number) => number): Answers {
  const answers: Answers = { values: {}, counts: {} };
  const walk = (items: Item[], container: string) => {
    for (const item of items) {
      const path = pathOf(container, item.linkId);
      if (item.type === 'group') {
        const count = item.repeats ? random(3) : 1;
        if (item.repeats) answers.counts[path] = count;
        for (let i = 0; i < count; ++i) walk(item.item ?? [], `${path}#${i}`);
        continue;
      }
      if (random(3) === 0) continue;
      const value: Value = item.type === 'boolean' ? { valueBoolean: random(2) === 0 }
        : { valueInteger: random(4) };
      answers.values[path] = [value];
      walk(item.item ?? [], `${path}#0`);
    }
  };
  walk(questionnaire.item ?? [], '');
  return answers;
}

interface Outcome {
  issue: { severity: string; details: { coding?: { code: string }[]; text: string } }[];
}

it.skipIf(!PROGRAM)('agrees with the program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'trialward-agreement-'));
  const file = (name: string, value: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(value));
    return join(folder, name);
  };
  let judged = 0, missing = 0, skipped = 0;
  for (let seed = 1; seed <= CASES; ++seed) {
    const random = randomOf(seed);
    const questionnaire = questionnaireOf(random);
    const asked = file('q.json', { ...questionnaire, status: 'active' });
    // Conditions that can never hold are refused: such a case is none.
    try {
      execFileSync(PROGRAM!, ['questionnaire', asked], { stdio: 'pipe' });
    } catch {
      continue;
    }
    const form = new Form(questionnaire, answersOf(questionnaire, random));
    const item = form.responseItems();
    const response = file('r.json', {
      resourceType: 'QuestionnaireResponse', status: 'completed', questionnaire: 'urn:random|1',
      ...(item.length > 0 ? { item } : {}),
    });
    const { stdout } = spawnSync(PROGRAM!, ['questionnaire', asked, '--response', response],
      { encoding: 'utf8' });
    const found = (JSON.parse(stdout) as Outcome).issue
      .filter(({ severity }) => severity === 'error' || severity === 'fatal');
    const told = found.map(({ details }) => details.coding?.[0]?.code);
    const words = [`seed ${seed}`, JSON.stringify(questionnaire), JSON.stringify(item), stdout]
      .join('\n');
    expect(told.filter((code) => code !== 'required'), words).toEqual([]);
    expect(form.issues().length, words).toBe(told.length);
    ++judged;
    missing += told.length;
    const given = Object.values(form.answers.values).length;
    skipped += JSON.stringify(item).split('"answer"').length - 1 < given ? 1 : 0;
  }
  rmSync(folder, { recursive: true });
  // It is a test only if cases come to be, things are missing, and answers are skipped.
  expect(judged).toBeGreaterThan(CASES / 3);
  expect(missing).toBeGreaterThan(CASES / 10);
  expect(skipped).toBeGreaterThan(CASES / 10);
}, 60_000);
