// Every edit is kept with its time, bounded; the response that comes of it.
import { describe, expect, it } from 'vitest';
import { EDITS_CHARACTERS_MAX, newDraft, responseOf, withAnswer, withCount } from '../src/draft';
import { deviceTime } from '../src/device_time';
import type { Questionnaire } from '../src/fhir';

const QUESTIONNAIRE: Questionnaire = {
  resourceType: 'Questionnaire', url: 'urn:q', version: '1', item: [
    { linkId: 'a', type: 'string' },
    { linkId: 'b', type: 'integer', initial: [{ valueInteger: 1 }] },
    { linkId: 'g', type: 'group', repeats: true, item: [{ linkId: 'c', type: 'string' }] }],
};
const begun = () => newDraft(
  { activity: 'act', title: 'Q', occurrence: 3, questionnaire: 'urn:q|1' }, QUESTIONNAIRE);

function editsOf(draft: ReturnType<typeof begun>): { linkId?: string; omitted?: number }[] {
  const response = responseOf(draft, QUESTIONNAIRE, 'S-1', 'en');
  const edits = response.extension!.find(({ url }) => url === 'urn:trialward:edits')!;
  return JSON.parse(edits.valueString!);
}

describe('a draft', () => {
  it('keeps each edit, and only what is one', () => {
    let draft = begun();
    draft = withAnswer(draft, '/a', 'a', [{ valueString: 'x' }]);
    draft = withAnswer(draft, '/a', 'a', [{ valueString: 'x' }]);
    draft = withAnswer(draft, '/a', 'a', [{ valueString: 'y' }]);
    draft = withAnswer(draft, '/a', 'a', []);
    expect(editsOf(draft)).toMatchObject([
      { linkId: 'a', answers: ['x'] }, { linkId: 'a', answers: ['y'] },
      { linkId: 'a', answers: [] }]);
  });

  it('is bounded: the first and the last edit of each question stay', () => {
    let draft = begun();
    const words = 'w'.repeat(1000);
    for (let i = 0; i < 100; ++i) {
      draft = withAnswer(draft, '/a', 'a', [{ valueString: `${i} ${words}` }]);
      if (i === 0) draft = withAnswer(draft, '/b', 'b', [{ valueInteger: 2 }]);
    }
    const edits = editsOf(draft);
    expect(JSON.stringify(draft.edits).length).toBeLessThanOrEqual(EDITS_CHARACTERS_MAX + 2);
    expect(edits[0]).toEqual({ omitted: draft.omitted });
    expect(draft.omitted + draft.edits.length).toBe(101);
    expect(draft.edits[0]!.answers[0]).toMatch(/^0 /);
    expect(draft.edits[draft.edits.length - 1]!.answers[0]).toMatch(/^99 /);
    expect(draft.edits.some(({ linkId }) => linkId === 'b')).toBe(true);
  });

  it('becomes a response with its own identifier, the device\'s time and what was proposed', () => {
    let draft = withCount(begun(), '/g', 'g', 2);
    draft = withAnswer(draft, '/g#1/c', 'c', [{ valueString: 'z' }]);
    const response = responseOf(draft, QUESTIONNAIRE, 'S-1', 'de');
    expect(response).toMatchObject({
      identifier: { system: 'urn:trialward:device', value: draft.id },
      questionnaire: 'urn:q|1', status: 'completed', subject: { reference: 'Patient/S-1' },
      language: 'de',
      item: [{ linkId: 'b', answer: [{ valueInteger: 1 }] },
             { linkId: 'g', item: [{ linkId: 'c', answer: [{ valueString: 'z' }] }] }],
    });
    expect(withCount(draft, '/g', 'g', 1).values['/g#1/c']).toBeUndefined();
    expect(response.authored).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/);
    expect(Date.parse(deviceTime(new Date(1e12)))).toBe(1e12);
  });
});
