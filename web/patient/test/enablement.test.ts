// The rules of src/epro/enablement.cc: the cases are those of tests/epro/enablement_test.cc.
import { describe, expect, it } from 'vitest';
import type { EnableWhen, Item, ItemType, Questionnaire, Value } from '../src/fhir';
import { Form, type Answers } from '../src/form';

const UCUM = 'http://unitsofmeasure.org';
const quantity = (value: number, code: string) => ({ value, system: UCUM, code });

function questionnaireOf(...item: Item[]): Questionnaire {
  return { resourceType: 'Questionnaire', url: 'urn:q', version: '1', item };
}

function formOf(item: Item[], values: Answers['values'], counts: Answers['counts'] = {}): Form {
  return new Form(questionnaireOf(...item), { values, counts });
}

const linkIds = (form: Form) => form.steps().map(({ item }) => item.linkId);

type Condition = [ItemType, EnableWhen['operator'], Omit<EnableWhen, 'question' | 'operator'>,
                  Value[], boolean];

const CONDITIONS: Condition[] = [
  ['integer', 'exists', { answerBoolean: true }, [{ valueInteger: 1 }], true],
  ['integer', 'exists', { answerBoolean: true }, [], false],
  ['integer', 'exists', { answerBoolean: false }, [], true],
  ['integer', 'exists', { answerBoolean: false }, [{ valueInteger: 1 }], false],
  ['integer', '=', { answerInteger: 3 }, [{ valueInteger: 3 }], true],
  ['integer', '=', { answerDecimal: 3.0 }, [{ valueInteger: 3 }], true],
  ['integer', '=', { answerInteger: 3 }, [{ valueInteger: 1 }, { valueInteger: 3 }], true],
  ['integer', '=', { answerInteger: 3 }, [], false],
  ['integer', '!=', { answerInteger: 3 }, [{ valueInteger: 3 }], false],
  ['integer', '!=', { answerInteger: 3 }, [{ valueInteger: 4 }], true],
  ['integer', '!=', { answerInteger: 3 }, [], false],
  ['integer', '>', { answerInteger: 3 }, [{ valueInteger: 3 }], false],
  ['integer', '>', { answerInteger: 3 }, [{ valueInteger: 4 }], true],
  ['integer', '>=', { answerInteger: 3 }, [{ valueInteger: 3 }], true],
  ['integer', '<', { answerInteger: 3 }, [{ valueInteger: 2 }], true],
  ['integer', '<', { answerInteger: 3 }, [{ valueInteger: 3 }], false],
  ['integer', '<=', { answerInteger: 3 }, [{ valueInteger: 3 }], true],
  ['integer', '<=', { answerInteger: 3 }, [{ valueInteger: 4 }], false],
  ['boolean', '=', { answerBoolean: false }, [{ valueBoolean: false }], true],
  ['boolean', '!=', { answerBoolean: false }, [{ valueBoolean: false }], false],
  ['string', '=', { answerString: 'x' }, [{ valueString: 'x' }], true],
  ['string', '=', { answerString: 'x' }, [{ valueString: 'X' }], false],
  ['string', '>', { answerString: 'b' }, [{ valueString: 'c' }], true],
  ['string', '<', { answerString: 'b' }, [{ valueString: 'c' }], false],
  // Beyond UTF-16's first plane: by characters.
  ['string', '<', { answerString: '\u{1F600}' }, [{ valueString: '\uFFFD' }], true],
  ['date', '>', { answerDate: '2020-05' }, [{ valueDate: '2020-06-01' }], true],
  ['date', '>', { answerDate: '2020-05' }, [{ valueDate: '2020-05-31' }], false],
  ['date', '>', { answerDate: '2020-05-31' }, [{ valueDate: '2020' }], false],
  ['time', '<', { answerTime: '12:00:00' }, [{ valueTime: '11:59:59' }], true],
  ['time', '=', { answerTime: '12:00:00' }, [{ valueTime: '12:00:00.000' }], true],
  ['dateTime', '>=', { answerDateTime: '2020-01-01T00:00:00Z' },
   [{ valueDateTime: '2020-01-01T01:00:00+01:00' }], true],
  ['choice', '=', { answerCoding: { system: 'http://s', code: 'y' } },
   [{ valueCoding: { system: 'http://s', code: 'y', display: 'Yes' } }], true],
  ['choice', '=', { answerCoding: { system: 'http://s', code: 'y' } },
   [{ valueCoding: { system: 'http://t', code: 'y' } }], false],
  ['open-choice', '=', { answerString: 'y' }, [{ valueString: 'y' }], true],
  ['quantity', '>', { answerQuantity: quantity(1, 'kg') },
   [{ valueQuantity: quantity(1001, 'g') }], true],
  ['quantity', '=', { answerQuantity: quantity(100.4, '[degF]') },
   [{ valueQuantity: quantity(38, 'Cel') }], true],
  ['quantity', '>', { answerQuantity: quantity(1, 'kg') },
   [{ valueQuantity: quantity(1001, 'cm') }], false],
];

describe('skip logic', () => {
  it.each(CONDITIONS)('%s %s %j of %j: %s', (type, operator, answer, given, enabled) => {
    const form = formOf([
      { linkId: 'a', type, repeats: true },
      { linkId: 't', type: 'string', enableWhen: [{ question: 'a', operator, ...answer }] },
    ], { '/a': given });
    expect(linkIds(form).includes('t')).toBe(enabled);
  });

  it.each([[0, true, false], [3, true, true], [9, true, false], [undefined, false, false]])(
    'any or all of two conditions: %s', (given, any, all) => {
      for (const [enableBehavior, expected] of [['any', any], ['all', all]] as const) {
        const form = formOf([
          { linkId: 'a', type: 'integer' },
          { linkId: 't', type: 'string', enableBehavior, enableWhen: [
            { question: 'a', operator: '>', answerInteger: 1 },
            { question: 'a', operator: '<', answerInteger: 5 }] },
        ], { '/a': given === undefined ? [] : [{ valueInteger: given }] });
        expect(linkIds(form).includes('t')).toBe(expected);
      }
    });

  // A question of the same occurrence comes before one of another, an earlier one before a later.
  it('the nearest question decides', () => {
    const when: EnableWhen[] = [{ question: 'q', operator: '=', answerBoolean: true }];
    const items: Item[] = [
      { linkId: 'g', type: 'group', repeats: true, item: [
        { linkId: 'q', type: 'boolean' },
        { linkId: 'inner', type: 'group',
          item: [{ linkId: 't', type: 'string', enableWhen: when }] }] },
      { linkId: 'u', type: 'string', enableWhen: when }];
    const asked = (first: boolean, second: boolean) => formOf(items, {
      '/g#0/q': [{ valueBoolean: first }], '/g#1/q': [{ valueBoolean: second }],
    }, { '/g': 2 }).steps().map(({ path }) => path);
    expect(asked(true, false)).toEqual(['/g#0/q', '/g#0/inner#0/t', '/g#1/q', '/g']);
    expect(asked(false, true)).toEqual(['/g#0/q', '/g#1/q', '/g#1/inner#0/t', '/g', '/u']);
  });

  it('what is skipped takes its answers with it, and gives them back', () => {
    const items: Item[] = [
      { linkId: 'a', type: 'boolean' },
      { linkId: 'b', type: 'boolean',
        enableWhen: [{ question: 'a', operator: '=', answerBoolean: true }] },
      { linkId: 'c', type: 'string', required: true,
        enableWhen: [{ question: 'b', operator: '=', answerBoolean: true }] }];
    const values = (a: boolean) => ({
      '/a': [{ valueBoolean: a }], '/b': [{ valueBoolean: true }], '/c': [{ valueString: 'x' }],
    });
    expect(linkIds(formOf(items, values(false)))).toEqual(['a']);
    expect(formOf(items, values(false)).responseItems())
      .toEqual([{ linkId: 'a', answer: [{ valueBoolean: false }] }]);
    expect(linkIds(formOf(items, values(true)))).toEqual(['a', 'b', 'c']);
  });

  it('conditions that contradict each other come to an end', () => {
    const form = formOf([
      { linkId: 'a', type: 'string',
        enableWhen: [{ question: 'b', operator: 'exists', answerBoolean: false }] },
      { linkId: 'b', type: 'string',
        enableWhen: [{ question: 'a', operator: 'exists', answerBoolean: true }] },
    ], { '/a': [{ valueString: 'x' }], '/b': [{ valueString: 'y' }] });
    expect(form.responseItems()).toEqual([]);
  });
});

describe('what is missing', () => {
  const faults = (form: Form) => form.issues().map(({ path, code }) => `${path} ${code}`);

  it('an optional group that is absent asks for nothing, whatever it holds', () => {
    const items = (required: boolean): Item[] => [{ linkId: 'g', type: 'group', required, item: [
      { linkId: 'a', type: 'string', required: true },
      { linkId: 'b', type: 'string', required: true }] }];
    expect(faults(formOf(items(false), {}))).toEqual([]);
    expect(faults(formOf(items(false), { '/g#0/b': [{ valueString: 'x' }] })))
      .toEqual(['/g#0/a required']);
    expect(faults(formOf(items(true), {}))).toEqual(['/g#0/a required']);
  });

  const EXT = 'http://hl7.org/fhir/StructureDefinition/';
  it.each<[Partial<Item>, Value[], string[]]>([
    [{ type: 'string', maxLength: 2 }, [{ valueString: 'a\u{1F600}' }], []],
    [{ type: 'string', maxLength: 2 }, [{ valueString: 'abc' }], ['longer']],
    [{ type: 'string', extension: [{ url: EXT + 'minLength', valueInteger: 2 }] },
     [{ valueString: 'a' }], ['shorter']],
    [{ type: 'string', extension: [{ url: EXT + 'regex', valueString: '[0-9]{3}' }] },
     [{ valueString: '1234' }], ['pattern']],
    [{ type: 'integer', extension: [{ url: EXT + 'minValue', valueInteger: 3 }] },
     [{ valueInteger: 2 }], ['below']],
    [{ type: 'quantity', extension: [{ url: EXT + 'maxValue', valueQuantity: quantity(2, 'kg') }] },
     [{ valueQuantity: quantity(2500, 'g') }], ['above']],
    [{ type: 'date', extension: [{ url: EXT + 'maxValue', valueDate: '2020-06-15' }] },
     [{ valueDate: '2020-06-16' }], ['above']],
    [{ type: 'string', repeats: true,
       extension: [{ url: EXT + 'questionnaire-maxOccurs', valueInteger: 1 }] },
     [{ valueString: 'a' }, { valueString: 'b' }], ['more']],
    [{ type: 'string', repeats: true,
       extension: [{ url: EXT + 'questionnaire-minOccurs', valueInteger: 2 }] },
     [{ valueString: 'a' }], ['fewer']],
    [{ type: 'choice', answerOption: [{ valueString: 'a' }] }, [{ valueString: 'b' }], ['option']],
    [{ type: 'open-choice', answerOption: [{ valueString: 'a' }] }, [{ valueString: 'b' }], []],
    [{ type: 'choice', repeats: true, answerOption: [{ valueString: 'a' }, { valueString: 'none',
       extension: [{ url: EXT + 'questionnaire-optionExclusive', valueBoolean: true }] }] },
     [{ valueString: 'a' }, { valueString: 'none' }], ['exclusive']],
  ])('%j with %j', (item, values, codes) => {
    const form = formOf([{ linkId: 'a', type: 'string', ...item }], { '/a': values });
    expect(form.issues().map(({ code }) => code)).toEqual(codes);
  });

  it.each<[Partial<Item>, number]>([
    [{ type: 'attachment' }, 0], [{ type: 'reference' }, 0],
    [{ type: 'string', readOnly: true }, 0],
    [{ type: 'choice', answerValueSet: 'urn:not-here' }, 0], [{ type: 'open-choice' }, 1],
    [{ type: 'choice', answerValueSet: 'http://hl7.org/fhir/ValueSet/yesnodontknow' }, 1],
  ])('what cannot be answered here keeps nobody from sending: %j', (item, count) => {
    const form = formOf([{ linkId: 'a', type: 'string', required: true, ...item }], {});
    expect(form.issues().length).toBe(count);
    expect(linkIds(form)).toEqual(['a']);
  });

  it('nested items stand below their answer in the response', () => {
    const form = formOf([{ linkId: 'a', type: 'boolean',
      item: [{ linkId: 'b', type: 'string' }] }],
    { '/a': [{ valueBoolean: true }], '/a#0/b': [{ valueString: 'x' }] });
    expect(form.responseItems()).toEqual([{ linkId: 'a', answer: [
      { valueBoolean: true, item: [{ linkId: 'b', answer: [{ valueString: 'x' }] }] }] }]);
  });
});
