// Answers in the patient's words, for the review. Pure.
import { optionsOf } from './answer_options';
import type { Item, Questionnaire, Value } from './fhir';
import type { Language } from './i18n/language_pack';
import { sameValue } from './value';

export function answerWords(questionnaire: Questionnaire, item: Item, value: Value,
                            language: Language): string {
  const option = optionsOf(questionnaire, item, language.code)
    .find((one) => sameValue(one.value, value));
  if (option) return option.words;
  if (value.valueBoolean !== undefined) {
    return language.say(value.valueBoolean ? 'question.yes' : 'question.no');
  }
  const number = value.valueInteger ?? value.valueDecimal;
  if (number !== undefined) return language.decimal(number);
  if (value.valueQuantity) {
    const { value: amount = 0, unit, code } = value.valueQuantity;
    return `${language.decimal(amount)} ${unit ?? code ?? ''}`.trim();
  }
  const time = value.valueDate ?? value.valueDateTime;
  if (time !== undefined) return language.time(time);
  if (value.valueTime !== undefined) return value.valueTime.slice(0, 5);
  return value.valueString ?? value.valueUri ?? value.valueCoding?.display ?? '';
}
