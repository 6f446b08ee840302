// The questionnaire's own words in the patient's language: by FHIR's translation extension, which
// stands on _text, _title and _display. Pure.
import {
  extensionOf, extensionsOf, TRANSLATION, type Extended, type ValueSetConcept,
} from './fhir';

// "de" of "de-AT".
const base = (language: string) => language.split('-')[0]!.toLowerCase();

// The best of the languages given: exactly it, else one of the same base.
function best<T>(list: { language: string; words: T }[], language: string): T | undefined {
  const exact = list.find((one) => one.language.toLowerCase() === language.toLowerCase());
  return (exact ?? list.find((one) => base(one.language) === base(language)))?.words;
}

export function translated(words: string | undefined, element: Extended | undefined,
                           language: string): string {
  const found = extensionsOf(element, TRANSLATION).map((one) => {
    const content = extensionOf(one, 'content');
    return {
      language: extensionOf(one, 'lang')?.valueCode ?? '',
      words: content?.valueString ?? content?.valueMarkdown ?? '',
    };
  });
  return best(found, language) || (words ?? '');
}

export function conceptText(concept: ValueSetConcept, language: string): string {
  const designations = (concept.designation ?? [])
    .map(({ language: of = '', value }) => ({ language: of, words: value }));
  return best(designations, language) ??
    (translated(concept.display, concept._display, language) || concept.code || '');
}

// A study's text: one for all, or one for each language.
export type StudyText = string | Record<string, string>;

export function studyText(text: StudyText | undefined, language: string): string {
  if (text === undefined || typeof text === 'string') return text ?? '';
  const list = Object.entries(text).map(([of, words]) => ({ language: of, words }));
  return best(list, language) ?? text['en'] ?? list[0]?.words ?? '';
}
