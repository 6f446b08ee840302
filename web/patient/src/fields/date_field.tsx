// Days and times, by the phone's own pickers. A time of day on a date gets the device's offset of
// that day.
import { useState } from 'preact/hooks';
import { deviceTime } from '../device_time';
import { extensionOf, MAX_VALUE, MIN_VALUE, type Item } from '../fhir';
import type { SingleFieldProps } from './field';

const dayOf = (text = '') => (text.length >= 10 ? text.slice(0, 10) : undefined);

function limitsOf(item: Item): { min?: string; max?: string } {
  const least = extensionOf(item, MIN_VALUE), most = extensionOf(item, MAX_VALUE);
  return { min: dayOf(least?.valueDate), max: dayOf(most?.valueDate) };
}

// "2026-05-01T08:30" with the offset that the device has then.
export function withOffset(local: string): string {
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? local : deviceTime(date).replace(/\.\d+/, '');
}

type PickerProps = SingleFieldProps & {
  type: 'date' | 'datetime-local' | 'time';
  shown: string;
  limits?: { min?: string; max?: string };
  give(text: string): void;
};

function Picker(props: PickerProps) {
  const { item, id, labelledBy, describedBy, invalid, type, shown, limits, give, onChange } = props;
  const [text, setText] = useState(shown);
  const take = (input: HTMLInputElement) => {
    setText(input.value);
    // A picker gives nothing while a part is missing; then it says that its input is bad.
    if (input.value === '' && input.validity.badInput) onChange(undefined, true, 'fault.date');
    else if (input.value === '') onChange(undefined, true);
    else give(input.value);
  };
  return (
    <input id={id} type={type} value={text} {...limits} aria-labelledby={labelledBy}
      aria-describedby={describedBy} aria-invalid={invalid} aria-required={item.required === true}
      onChange={(event) => take(event.currentTarget)}
      onBlur={(event) => take(event.currentTarget)} />
  );
}

export function DateField(props: SingleFieldProps) {
  return <Picker {...props} type="date" shown={props.value?.valueDate ?? ''}
    limits={limitsOf(props.item)}
    give={(text) => props.onChange({ valueDate: text }, true)} />;
}

export function DateTimeField(props: SingleFieldProps) {
  return <Picker {...props} type="datetime-local"
    shown={props.value?.valueDateTime?.slice(0, 16) ?? ''}
    give={(text) => props.onChange({ valueDateTime: withOffset(text) }, true)} />;
}

export function TimeField(props: SingleFieldProps) {
  const seconds = (text: string) => (text.length === 5 ? `${text}:00` : text);
  return <Picker {...props} type="time" shown={props.value?.valueTime?.slice(0, 5) ?? ''}
    give={(text) => props.onChange({ valueTime: seconds(text) }, true)} />;
}
