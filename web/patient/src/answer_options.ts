// What a choice offers: its answerOption, a value set that is contained in the questionnaire, or
// one of the few of FHIR's own that patients meet. Pure.
import {
  extensionOf, extensionsOf, ITEM_WEIGHT, OPTION_EXCLUSIVE, ORDINAL_VALUE, UNIT, UNIT_OPTION,
  UNIT_VALUE_SET, withoutVersion,
  type Coding, type Item, type Questionnaire, type Value, type ValueSet, type ValueSetConcept,
} from './fhir';
import { conceptText, translated } from './translation';
import { kindOf, plainValue, sameConcept } from './value';

export interface Option {
  value: Value; // as it is answered
  words: string; // in the patient's language
  exclusive: boolean;
}

const YES_NO = 'http://terminology.hl7.org/CodeSystem/v2-0136';
const KNOWN_SETS: Record<string, ValueSet> = {
  'http://hl7.org/fhir/ValueSet/yesnodontknow': {
    resourceType: 'ValueSet',
    compose: {
      include: [
        { system: YES_NO, concept: [
          { code: 'Y', display: 'Yes', designation: [{ language: 'de', value: 'Ja' }] },
          { code: 'N', display: 'No', designation: [{ language: 'de', value: 'Nein' }] }] },
        { system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', concept: [
          { code: 'asked-unknown', display: "Don't know",
            designation: [{ language: 'de', value: 'Weiß nicht' }] }] },
      ],
    },
  },
};

function findSet(questionnaire: Questionnaire, url: string): ValueSet | undefined {
  if (!url.startsWith('#')) {
    const bare = withoutVersion(url);
    return questionnaire.contained?.find((one) => one.url === bare) ?? KNOWN_SETS[bare];
  }
  return questionnaire.contained?.find((one) => one.id === url.slice(1) || one.id === url);
}

function conceptsOf(set: ValueSet): ValueSetConcept[] {
  const flat = (list: ValueSetConcept[]): ValueSetConcept[] =>
    list.flatMap((one) => [...(one.abstract ? [] : [one]), ...flat(one.contains ?? [])]);
  if (set.expansion?.contains) return flat(set.expansion.contains);
  const listed = (parts: { system?: string; concept?: ValueSetConcept[] }[] = []) =>
    parts.flatMap(({ system, concept }) => (concept ?? []).map((one) => ({ system, ...one })));
  const excluded = listed(set.compose?.exclude);
  return listed(set.compose?.include)
    .filter((one) => !excluded.some((other) => sameConcept(one, other)));
}

function codingOf({ system, code, display }: Coding): Coding {
  return {
    ...(system ? { system } : {}), ...(code ? { code } : {}), ...(display ? { display } : {}),
  };
}

function fromSet(questionnaire: Questionnaire, url: string, language: string): Option[] {
  const set = findSet(questionnaire, url);
  return (set ? conceptsOf(set) : []).map((concept) => ({
    value: { valueCoding: codingOf(concept) },
    words: conceptText(concept, language),
    exclusive: false,
  }));
}

export function optionsOf(questionnaire: Questionnaire, item: Item, language: string): Option[] {
  if (item.answerValueSet) return fromSet(questionnaire, item.answerValueSet, language);
  return (item.answerOption ?? []).filter((option) => kindOf(option)).map((option) => {
    const exclusive = extensionOf(option, OPTION_EXCLUSIVE)?.valueBoolean === true;
    const coding = option.valueCoding;
    if (coding) {
      const words = translated(coding.display, coding._display, language) || coding.code || '';
      return { value: { valueCoding: codingOf(coding) }, words, exclusive };
    }
    const plain = plainValue(option);
    const raw = String(plain[kindOf(plain)!]);
    const words = translated(raw, option._valueString, language);
    return { value: plain, words, exclusive };
  });
}

// Whether the page has a field for the question: not for files and references, nor for a choice
// from a value set that is not on the phone.
export function isAnswerable(questionnaire: Questionnaire, item: Item): boolean {
  if (item.readOnly || item.type === 'attachment' || item.type === 'reference') return false;
  return item.type !== 'choice' || optionsOf(questionnaire, item, '').length > 0;
}

// The units that a quantity may have; none when it is a number alone.
export function unitsOf(questionnaire: Questionnaire, item: Item, language: string): Coding[] {
  const offered = extensionsOf(item, UNIT_OPTION).flatMap((one) => one.valueCoding ?? []);
  if (offered.length > 0) return offered;
  const set = extensionOf(item, UNIT_VALUE_SET);
  const url = (set as { valueCanonical?: string } | undefined)?.valueCanonical;
  if (url) return fromSet(questionnaire, url, language).map((one) => one.value.valueCoding!);
  const unit = extensionOf(item, UNIT)?.valueCoding;
  return unit ? [unit] : [];
}

// The number that stands for a coded answer: its ordinal value or weight.
export function ordinalOf(item: Item, coding: Coding): number | undefined {
  const option = item.answerOption?.find((one) =>
    one.valueCoding && sameConcept(one.valueCoding, coding));
  for (const element of [option, option?.valueCoding]) {
    for (const url of [ORDINAL_VALUE, ITEM_WEIGHT]) {
      const number = extensionOf(element, url)?.valueDecimal;
      if (number !== undefined) return number;
    }
  }
  return undefined;
}
