// Words, and numbers. A number may be typed with a comma; it is kept as FHIR has it.
import { useEffect, useState } from 'preact/hooks';
import type { Value } from '../fhir';
import { useSurroundings } from '../frame';
import type { SingleFieldProps } from './field';

// FHIR's own limit is a mebibyte; what a patient writes into one answer is far below this.
const TEXT_CHARACTERS_MAX = 10_000;

export function TextField(props: SingleFieldProps) {
  const { item, id, value, labelledBy, describedBy, invalid, onChange } = props;
  const [text, setText] = useState(value?.valueString ?? value?.valueUri ?? '');
  const give = (typed: string, settled: boolean) => {
    setText(typed);
    const words = typed.trim();
    onChange(words === '' ? undefined
      : item.type === 'url' ? { valueUri: words } : { valueString: words }, settled);
  };
  const shared = {
    id, value: text, 'aria-labelledby': labelledBy, 'aria-describedby': describedBy,
    'aria-invalid': invalid, 'aria-required': item.required === true,
    maxLength: item.maxLength ?? TEXT_CHARACTERS_MAX,
  };
  if (item.type === 'text') {
    return <textarea {...shared} rows={5}
      onInput={(event) => give(event.currentTarget.value, false)}
      onBlur={(event) => give(event.currentTarget.value, true)} />;
  }
  return <input {...shared} type={item.type === 'url' ? 'url' : 'text'}
    onInput={(event) => give(event.currentTarget.value, false)}
    onBlur={(event) => give(event.currentTarget.value, true)} />;
}

const NUMBER = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/;
const INTEGER_MAX = 2_147_483_647; // FHIR's

export function numberOf(text: string, whole: boolean): number | undefined {
  const typed = text.trim().replace(/\u2212/g, '-');
  if (!(whole ? /^[+-]?\d+$/ : NUMBER).test(typed)) return undefined;
  const number = Number(typed.replace(',', '.'));
  return !Number.isFinite(number) || (whole && Math.abs(number) > INTEGER_MAX) ? undefined : number;
}

interface NumberInputProps extends Omit<SingleFieldProps, 'value' | 'onChange'> {
  number: number | undefined;
  whole: boolean;
  onNumber(number: number | undefined, settled: boolean, wrong: boolean): void;
}

export function NumberInput(props: NumberInputProps) {
  const { language } = useSurroundings();
  const { item, id, number, whole, labelledBy, describedBy, invalid, onNumber } = props;
  const shown = number === undefined ? '' : language.decimal(number);
  const [text, setText] = useState(shown);
  useEffect(() => {
    // Only what came from elsewhere: "1," is not to become "1" while it is typed.
    if (number !== undefined && numberOf(text, whole) !== number) setText(shown);
  }, [number]);
  const give = (typed: string, settled: boolean) => {
    setText(typed);
    const value = numberOf(typed, whole);
    onNumber(value, settled, typed.trim() !== '' && value === undefined);
  };
  return (
    <input id={id} class="number" type="text" inputMode={whole ? 'numeric' : 'decimal'} value={text}
      autocomplete="off" maxLength={30} aria-labelledby={labelledBy} aria-describedby={describedBy}
      aria-invalid={invalid} aria-required={item.required === true}
      onInput={(event) => give(event.currentTarget.value, false)}
      onBlur={(event) => give(event.currentTarget.value, true)} />
  );
}

export function NumberField(props: SingleFieldProps) {
  const { item, value, onChange, ...rest } = props;
  const whole = item.type === 'integer';
  const valueOf = (number: number): Value =>
    whole ? { valueInteger: number } : { valueDecimal: number };
  return (
    <NumberInput {...rest} item={item} whole={whole}
      number={value?.valueInteger ?? value?.valueDecimal}
      onNumber={(number, settled, wrong) => onChange(
        number === undefined ? undefined : valueOf(number), settled,
        wrong ? (whole ? 'fault.integer' : 'fault.number') : undefined)} />
  );
}
