// The field that a question is answered with, by its type. A field gives its values at every
// change: `settled` when a choice was made, not yet while something is being typed. What was typed
// but is no value gives none, and a fault.
import type { Item, Questionnaire, Value } from '../fhir';
import type { Word } from '../i18n/language_pack';
import { ChoiceField } from './choice_field';
import { NumberField, TextField } from './text_field';
import { DateField, DateTimeField, TimeField } from './date_field';
import { QuantityField } from './quantity_field';
import { Several } from './several';
import { useSurroundings } from '../frame';

export interface FieldProps {
  questionnaire: Questionnaire;
  item: Item;
  id: string;
  values: Value[];
  labelledBy: string;
  describedBy: string;
  invalid: boolean;
  onChange(values: Value[], settled: boolean, fault?: Word): void;
}

export interface SingleFieldProps extends Omit<FieldProps, 'values' | 'onChange'> {
  value: Value | undefined;
  onChange(value: Value | undefined, settled: boolean, fault?: Word): void;
}

function singleOf(item: Item) {
  switch (item.type) {
    case 'integer':
    case 'decimal': return NumberField;
    case 'date': return DateField;
    case 'dateTime': return DateTimeField;
    case 'time': return TimeField;
    case 'quantity': return QuantityField;
    case 'string':
    case 'text':
    case 'url': return TextField;
    default: return undefined;
  }
}

export function isChoice(item: Item): boolean {
  return item.type === 'boolean' || item.type === 'choice' || item.type === 'open-choice' ||
    (item.answerOption ?? []).length > 0 || item.answerValueSet !== undefined;
}

export function Field(props: FieldProps) {
  const { language } = useSurroundings();
  const { item, values, onChange } = props;
  if (isChoice(item)) return <ChoiceField {...props} />;
  const Single = singleOf(item);
  if (!Single) return <p class="notice">{language.say('question.cannot')}</p>;
  if (item.repeats) return <Several {...props} single={Single} />;
  return (
    <Single {...props} value={values[0]}
      onChange={(value, settled, fault) => onChange(value ? [value] : [], settled, fault)} />
  );
}
