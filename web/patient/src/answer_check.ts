// Whether answers are what their question asks for. A port of src/epro/check_answer.cc, as far as a
// field of the page can give a wrong answer at all; the server checks everything again. Pure.
import {
  extensionOf, MAX_QUANTITY, MAX_VALUE, MIN_LENGTH, MIN_QUANTITY, MIN_VALUE,
  REGEX, type Item, type Questionnaire, type Value,
} from './fhir';
import { optionsOf } from './answer_options';
import { occursAtLeast, occursAtMost } from './form';
import { compare, kindOf, plainValue, sameValue } from './value';

export type FaultCode =
  | 'required' | 'fewer' | 'more' | 'shorter' | 'longer' | 'below' | 'above' | 'pattern'
  | 'exclusive' | 'option';

export interface Fault {
  code: FaultCode;
  limit?: string;
}

function inWords(value: Value): string {
  if (value.valueQuantity) {
    const { value: number, unit, code } = value.valueQuantity;
    return `${number} ${unit ?? code ?? ''}`.trim();
  }
  return String(value[kindOf(value)!] ?? '');
}

function limitOf(item: Item, url: string, quantity_url: string): Value | undefined {
  const extension = extensionOf(item, url) ?? extensionOf(item, quantity_url);
  return extension && kindOf(extension as Value) ? plainValue(extension as Value) : undefined;
}

// Anchored as the server anchors it; a pattern that the browser does not understand is left to it.
function fitsPattern(text: string, pattern: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(text);
  } catch {
    return true;
  }
}

function* checkText(item: Item, text: string): Generator<Fault> {
  const length = [...text].length;
  const least = extensionOf(item, MIN_LENGTH)?.valueInteger;
  if (least !== undefined && length < least) yield { code: 'shorter', limit: String(least) };
  if (item.maxLength !== undefined && length > item.maxLength) {
    yield { code: 'longer', limit: String(item.maxLength) };
  }
  const pattern = extensionOf(item, REGEX)?.valueString;
  if (pattern && !fitsPattern(text, pattern)) {
    yield { code: 'pattern' };
  }
}

function* checkAnswer(questionnaire: Questionnaire, item: Item, value: Value): Generator<Fault> {
  const text = value.valueString ?? value.valueUri ??
    value.valueInteger?.toString() ?? value.valueDecimal?.toString();
  if (text !== undefined) yield* checkText(item, text);
  const least = limitOf(item, MIN_VALUE, MIN_QUANTITY);
  if (least && (compare(value, least) ?? 0) < 0) yield { code: 'below', limit: inWords(least) };
  const most = limitOf(item, MAX_VALUE, MAX_QUANTITY);
  if (most && (compare(value, most) ?? 0) > 0) yield { code: 'above', limit: inWords(most) };
  const open = item.type === 'open-choice' && value.valueString !== undefined;
  if ((item.answerOption || item.answerValueSet) && !open) {
    const options = optionsOf(questionnaire, item, '');
    if (options.length > 0 && !options.some((option) => sameValue(option.value, value))) {
      yield { code: 'option' };
    }
  }
}

export function* checkAnswers(questionnaire: Questionnaire, item: Item,
                              values: Value[]): Generator<Fault> {
  const least = occursAtLeast(item), most = occursAtMost(item);
  if (values.length === 0 && least > 0) {
    yield { code: 'required' };
  } else if (values.length < least) {
    yield { code: 'fewer', limit: String(least) };
  }
  if (values.length > most) yield { code: 'more', limit: String(most) };
  for (const value of values) yield* checkAnswer(questionnaire, item, value);
  if (values.length < 2) return;
  const exclusive = optionsOf(questionnaire, item, '').filter((option) => option.exclusive);
  if (exclusive.some((option) => values.some((value) => sameValue(option.value, value)))) {
    yield { code: 'exclusive' };
  }
}
