// The parts of FHIR R4 that the page reads and writes, and the extensions that it knows.

export interface Extension {
  url: string;
  extension?: Extension[];
  valueString?: string;
  valueMarkdown?: string;
  valueCode?: string;
  valueInteger?: number;
  valueDecimal?: number;
  valueBoolean?: boolean;
  valueCoding?: Coding;
  valueQuantity?: Quantity;
  valueDate?: string;
  valueDateTime?: string;
  valueTime?: string;
  valueCodeableConcept?: { coding?: Coding[]; text?: string };
}

export interface Extended {
  extension?: Extension[];
}

export interface Coding extends Extended {
  system?: string;
  code?: string;
  display?: string;
  _display?: Extended;
}

export interface Quantity {
  value?: number;
  unit?: string;
  system?: string;
  code?: string;
}

// An answer: exactly one of its members is there.
export interface Value {
  valueBoolean?: boolean;
  valueDecimal?: number;
  valueInteger?: number;
  valueDate?: string;
  valueDateTime?: string;
  valueTime?: string;
  valueString?: string;
  valueUri?: string;
  valueCoding?: Coding;
  valueQuantity?: Quantity;
}

export interface AnswerOption extends Value, Extended {
  initialSelected?: boolean;
  _valueString?: Extended;
}

export interface EnableWhen {
  question: string;
  operator: 'exists' | '=' | '!=' | '>' | '<' | '>=' | '<=';
  answerBoolean?: boolean;
  answerDecimal?: number;
  answerInteger?: number;
  answerDate?: string;
  answerDateTime?: string;
  answerTime?: string;
  answerString?: string;
  answerCoding?: Coding;
  answerQuantity?: Quantity;
}

export type ItemType =
  | 'group' | 'display' | 'boolean' | 'decimal' | 'integer' | 'date' | 'dateTime' | 'time'
  | 'string' | 'text' | 'url' | 'choice' | 'open-choice' | 'quantity' | 'attachment' | 'reference';

export interface Item extends Extended {
  linkId: string;
  type: ItemType;
  text?: string;
  _text?: Extended;
  prefix?: string;
  required?: boolean;
  repeats?: boolean;
  readOnly?: boolean;
  maxLength?: number;
  enableWhen?: EnableWhen[];
  enableBehavior?: 'all' | 'any';
  answerOption?: AnswerOption[];
  answerValueSet?: string;
  initial?: Value[];
  item?: Item[];
}

export interface ValueSetConcept {
  system?: string;
  code?: string;
  display?: string;
  abstract?: boolean;
  contains?: ValueSetConcept[];
  _display?: Extended;
  designation?: { language?: string; value: string }[];
}

export interface ValueSet {
  resourceType: 'ValueSet';
  id?: string;
  url?: string;
  compose?: { include?: { system?: string; concept?: ValueSetConcept[] }[];
              exclude?: { system?: string; concept?: ValueSetConcept[] }[] };
  expansion?: { contains?: ValueSetConcept[] };
}

export interface Questionnaire extends Extended {
  resourceType: 'Questionnaire';
  id?: string;
  url?: string;
  version?: string;
  title?: string;
  _title?: Extended;
  language?: string;
  description?: string;
  contained?: ValueSet[];
  item?: Item[];
}

export interface ResponseAnswer extends Value {
  item?: ResponseItem[];
}

export interface ResponseItem {
  linkId: string;
  answer?: ResponseAnswer[];
  item?: ResponseItem[];
}

export interface QuestionnaireResponse extends Extended {
  resourceType: 'QuestionnaireResponse';
  identifier: { system: string; value: string };
  questionnaire: string;
  status: 'completed';
  language?: string;
  subject: { reference: string };
  authored: string;
  item?: ResponseItem[];
}

const FHIR = 'http://hl7.org/fhir/StructureDefinition/';
const SDC = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/';

export const TRANSLATION = FHIR + 'translation';
export const MIN_VALUE = FHIR + 'minValue';
export const MAX_VALUE = FHIR + 'maxValue';
export const MIN_LENGTH = FHIR + 'minLength';
export const REGEX = FHIR + 'regex';
export const ENTRY_FORMAT = FHIR + 'entryFormat';
export const MIN_OCCURS = FHIR + 'questionnaire-minOccurs';
export const MAX_OCCURS = FHIR + 'questionnaire-maxOccurs';
export const UNIT = FHIR + 'questionnaire-unit';
export const UNIT_OPTION = FHIR + 'questionnaire-unitOption';
export const UNIT_VALUE_SET = FHIR + 'questionnaire-unitValueSet';
export const OPTION_EXCLUSIVE = FHIR + 'questionnaire-optionExclusive';
export const HIDDEN = FHIR + 'questionnaire-hidden';
export const ORDINAL_VALUE = FHIR + 'ordinalValue';
export const ITEM_WEIGHT = FHIR + 'itemWeight';
export const MIN_QUANTITY = SDC + 'sdc-questionnaire-minQuantity';
export const MAX_QUANTITY = SDC + 'sdc-questionnaire-maxQuantity';
export const CALCULATED = SDC + 'sdc-questionnaire-calculatedExpression';

export function extensionOf(element: Extended | undefined, url: string): Extension | undefined {
  return element?.extension?.find((one) => one.url === url);
}

export function extensionsOf(element: Extended | undefined, url: string): Extension[] {
  return element?.extension?.filter((one) => one.url === url) ?? [];
}

// "url|version", as a canonical reference has it.
export function canonicalOf(questionnaire: Questionnaire): string {
  const { url = '', version } = questionnaire;
  return version ? `${url}|${version}` : url;
}

export function withoutVersion(canonical: string): string {
  const bar = canonical.indexOf('|');
  return bar < 0 ? canonical : canonical.slice(0, bar);
}
