// A question with several answers of one's own, each in a field.
import type { ComponentType } from 'preact';
import { useState } from 'preact/hooks';
import type { Value } from '../fhir';
import { occursAtMost } from '../form';
import { useSurroundings } from '../frame';
import type { Word } from '../i18n/language_pack';
import type { FieldProps, SingleFieldProps } from './field';

interface Slot {
  key: number;
  value: Value | undefined;
  fault?: Word;
}

export function Several(props: FieldProps & { single: ComponentType<SingleFieldProps> }) {
  const { language } = useSurroundings();
  const { item, id, values, labelledBy, onChange, single: Single } = props;
  const [slots, setSlots] = useState<Slot[]>(() =>
    (values.length > 0 ? values : [undefined]).map((value, key) => ({ key, value })));
  const give = (next: Slot[], settled: boolean) => {
    setSlots(next);
    onChange(next.flatMap(({ value }) => value ?? []), settled,
      next.find(({ fault }) => fault)?.fault);
  };
  const full = slots.length >= occursAtMost(item);
  const words = (n: number) => language.say('question.answerN', { n });
  return (
    <div role="group" aria-labelledby={labelledBy} class="several">
      {slots.map((slot, i) => (
        <div class="slot" key={slot.key}>
          <span class="hint" id={`${id}-name-${slot.key}`}>{words(i + 1)}</span>
          <Single {...props} id={i === 0 ? id : `${id}-${slot.key}`} value={slot.value}
            labelledBy={`${labelledBy} ${id}-name-${slot.key}`}
            onChange={(value, settled, fault) => give(
              slots.map((one) => (one.key === slot.key ? { ...one, value, fault } : one)),
              settled)} />
          {slots.length > 1 && (
            <button type="button" class="plain"
              onClick={() => give(slots.filter((one) => one.key !== slot.key), true)}>
              {language.say('question.remove', { n: i + 1 })}
            </button>
          )}
        </div>
      ))}
      {!full && (
        <button type="button" class="quiet"
          onClick={() => setSlots([...slots,
            { key: Math.max(...slots.map(({ key }) => key)) + 1, value: undefined }])}>
          {language.say('question.add')}
        </button>
      )}
    </div>
  );
}
