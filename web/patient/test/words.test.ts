// Language packs are complete; translations and the study's texts; help on a worrying answer.
import { describe, expect, it } from 'vitest';
import { Form } from '../src/form';
import type { Questionnaire } from '../src/fhir';
import { chooseLanguage, languageOf, PACKS } from '../src/i18n/language_pack';
import english from '../src/i18n/en.json';
import type { Help } from '../src/server';
import { studyText, translated } from '../src/translation';
import { helpFor } from '../src/worry';
import { numberOf } from '../src/fields/text_field';
import { isSimple } from '../src/screens/pin';

const places = (words: string) => (words.match(/\{\w+\}/g) ?? []).sort();

describe('a language pack', () => {
  it.each([...PACKS.keys()])('%s has every word, with its places', (code) => {
    const pack = PACKS.get(code)!;
    expect(Object.keys(pack).sort()).toEqual(Object.keys(english).sort());
    for (const [word, words] of Object.entries(english)) {
      expect(places(pack[word as keyof typeof english]!), word).toEqual(places(words));
    }
  });

  it('is chosen by the browser\'s wishes', () => {
    expect(chooseLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(chooseLanguage(['fr'])).toBe('en');
  });

  it('counts and tells numbers as its language does', () => {
    expect(languageOf('en').count('unlock.wrong', 1)).toContain('1 try');
    expect(languageOf('de').count('unlock.wrong', 2)).toContain('2 Versuche');
    expect(languageOf('de').decimal(37.5)).toBe('37,5');
    expect(languageOf('en').span(90_000)).toBe('2 minutes');
  });
});

describe('the questionnaire\'s and the study\'s words', () => {
  const extension = [['de', 'Hallo'], ['pt-BR', 'Oi']].map(([lang, content]) => ({
    url: 'http://hl7.org/fhir/StructureDefinition/translation',
    extension: [{ url: 'lang', valueCode: lang }, { url: 'content', valueString: content }],
  }));
  it.each([['de', 'Hallo'], ['de-CH', 'Hallo'], ['pt', 'Oi'], ['fr', 'Hello'], ['en', 'Hello']])(
    'in %s', (language, words) => {
      expect(translated('Hello', { extension }, language)).toBe(words);
      expect(studyText({ en: 'Hello', de: 'Hallo', 'pt-BR': 'Oi' }, language)).toBe(words);
      expect(studyText('Hello', language)).toBe('Hello');
    });
});

describe('help', () => {
  const questionnaire: Questionnaire = {
    resourceType: 'Questionnaire', url: 'urn:q', version: '1', item: [
      { linkId: 'a', type: 'boolean' },
      { linkId: 'n', type: 'integer' },
      { linkId: 'c', type: 'choice',
        enableWhen: [{ question: 'a', operator: '=', answerBoolean: true }],
        answerOption: [{ valueCoding: { code: 'x' }, extension: [
          { url: 'http://hl7.org/fhir/StructureDefinition/ordinalValue', valueDecimal: 3 }] }] }],
  };
  const help = (more: Partial<Help>): Help =>
    ({ title: 'T', text: '', phones: [], when: [], ...more });
  const shown = (more: Partial<Help>, a = true) => helpFor([help(more)], new Form(questionnaire, {
    values: { '/a': [{ valueBoolean: a }], '/n': [{ valueInteger: 7 }],
              '/c': [{ valueCoding: { code: 'x' } }] },
    counts: {} })).length === 1;
  it.each<[Partial<Help>, boolean]>([
    [{ when: [{ linkId: 'c', answers: ['x'] }] }, true],
    [{ when: [{ linkId: 'c', answers: ['y'] }] }, false],
    [{ when: [{ linkId: 'c', min: 3 }] }, true],
    [{ when: [{ linkId: 'c', min: 4 }] }, false],
    [{ when: [{ linkId: 'n', min: 7 }] }, true],
    [{ when: [{ linkId: 'n', min: 8 }, { linkId: 'a', answers: ['true'] }] }, true],
    [{ when: [{ linkId: 'n', min: 7 }], questionnaire: 'urn:q' }, true],
    [{ when: [{ linkId: 'n', min: 7 }], questionnaire: 'urn:q|1' }, true],
    [{ when: [{ linkId: 'n', min: 7 }], questionnaire: 'urn:q|2' }, false],
  ])('%j: %s', (more, expected) => expect(shown(more)).toBe(expected));
  it('is not shown for what is skipped', () => {
    expect(shown({ when: [{ linkId: 'c', answers: ['x'] }] }, false)).toBe(false);
  });
});

describe('what is typed', () => {
  it.each<[string, boolean, number | undefined]>([
    ['38,5', false, 38.5], [' -1.25 ', false, -1.25], ['\u22122', false, -2], ['.5', false, 0.5],
    ['1e5', false, undefined], ['1.000,5', false, undefined], ['4', true, 4],
    ['4.0', true, undefined],
    ['99999999999', true, undefined], ['', true, undefined],
  ])('%s', (text, whole, number) => expect(numberOf(text, whole)).toBe(number));

  it.each([['1111', true], ['1234', true], ['98765', true], ['2739', false], ['1357', false]])(
    'PIN %s', (pin, simple) => expect(isSimple(pin)).toBe(simple));
});
