// Answers compared as src/model/form_value.cc compares them, so that skip logic means the same in
// the browser as on the server. Pure.
import type { Coding, EnableWhen, Quantity, Value } from './fhir';
import { convert } from './units';

export type Kind = keyof Value;

const KINDS: Kind[] = [
  'valueBoolean', 'valueDecimal', 'valueInteger', 'valueDate', 'valueDateTime', 'valueTime',
  'valueString', 'valueUri', 'valueCoding', 'valueQuantity',
];
const UCUM = 'http://unitsofmeasure.org';

export function kindOf(value: Value): Kind | undefined {
  return KINDS.find((kind) => value[kind] !== undefined);
}

// The value alone, without what else stood beside it.
export function plainValue(value: Value): Value {
  const kind = kindOf(value);
  return kind ? { [kind]: value[kind] } : {};
}

export function valueOfCondition(condition: EnableWhen): Value {
  for (const kind of KINDS) {
    const answer = kind.replace('value', 'answer') as keyof EnableWhen;
    if (condition[answer] !== undefined) return { [kind]: condition[answer] } as Value;
  }
  return {};
}

export function sameConcept(a: Coding, b: Coding): boolean {
  if (!a.code && !b.code) return same(a.system, b.system) && same(a.display, b.display);
  return same(a.system, b.system) && same(a.code, b.code);
}

function same(a = '', b = ''): boolean {
  return a === b;
}

const orderOf = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);

// By characters, not by UTF-16's halves of them.
function orderOfTexts(a: string, b: string): number {
  const left = [...a], right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); ++i) {
    const order = orderOf(left[i]!.codePointAt(0)!, right[i]!.codePointAt(0)!);
    if (order !== 0) return order;
  }
  return orderOf(left.length, right.length);
}

// Most significant first; nothing where one is the beginning of the other.
function orderOfPartial(a: string, b: string): number | undefined {
  const common = Math.min(a.length, b.length);
  const head = orderOfTexts(a.slice(0, common), b.slice(0, common));
  if (head !== 0) return head;
  return a.length === b.length ? 0 : undefined;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function orderOfDates(a: string, b: string): number | undefined {
  if (INSTANT.test(a) && INSTANT.test(b)) return orderOf(Date.parse(a), Date.parse(b));
  return orderOfPartial(a.slice(0, 10), b.slice(0, 10));
}

function orderOfTimes(a: string, b: string): number {
  const head = orderOfTexts(a.slice(0, 8), b.slice(0, 8));
  if (head !== 0) return head;
  const fraction = (time: string) => time.slice(9).replace(/0+$/, '');
  return orderOfTexts(fraction(a), fraction(b));
}

function orderOfQuantities(a: Quantity, b: Quantity): number | undefined {
  if (a.value === undefined || b.value === undefined) return undefined;
  if (!a.code || !b.code) {
    const left = a.unit || a.code || '', right = b.unit || b.code || '';
    if (left !== right && left && right) return undefined;
    return orderOf(a.value, b.value);
  }
  if (a.code === b.code && same(a.system, b.system)) return orderOf(a.value, b.value);
  if (a.system !== UCUM || b.system !== UCUM) return undefined;
  const converted = convert(a.value, a.code, b.code);
  if (converted === undefined) return undefined;
  // What differs by the conversion's rounding alone is the same.
  const same_at = Math.abs(converted - b.value) <= 1e-9 * Math.max(1, Math.abs(b.value));
  return same_at ? 0 : orderOf(converted, b.value);
}

function numberOf(value: Value): number | undefined {
  return value.valueInteger ?? value.valueDecimal ?? value.valueQuantity?.value;
}

const dateOf = (value: Value) => value.valueDate ?? value.valueDateTime;
const textOf = (value: Value) => value.valueString ?? value.valueUri;

// a < b is -1. Nothing when the two cannot be compared.
export function compare(a: Value, b: Value): number | undefined {
  if (a.valueQuantity && b.valueQuantity) {
    return orderOfQuantities(a.valueQuantity, b.valueQuantity);
  }
  const left = numberOf(a), right = numberOf(b);
  if (left !== undefined && right !== undefined) return orderOf(left, right);
  const day = dateOf(a), other_day = dateOf(b);
  if (day !== undefined && other_day !== undefined) return orderOfDates(day, other_day);
  if (a.valueTime !== undefined && b.valueTime !== undefined) {
    return orderOfTimes(a.valueTime, b.valueTime);
  }
  const text = textOf(a), other_text = textOf(b);
  if (text !== undefined && other_text !== undefined) return orderOfTexts(text, other_text);
  return undefined;
}

export function sameValue(a: Value, b: Value): boolean {
  if (a.valueCoding && b.valueCoding) return sameConcept(a.valueCoding, b.valueCoding);
  if (a.valueBoolean !== undefined && b.valueBoolean !== undefined) {
    return a.valueBoolean === b.valueBoolean;
  }
  return compare(a, b) === 0;
}

export function sameValues(a: Value[], b: Value[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
