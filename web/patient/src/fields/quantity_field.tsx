// A number with its unit. With one unit it stands beside the number; several are to choose from.
import { useState } from 'preact/hooks';
import { unitsOf } from '../answer_options';
import type { Coding, Quantity } from '../fhir';
import { useSurroundings } from '../frame';
import { sameConcept } from '../value';
import type { SingleFieldProps } from './field';
import { NumberInput } from './text_field';

function quantityOf(value: number, unit: Coding | undefined): Quantity {
  if (!unit) return { value };
  const { system, code, display } = unit;
  const words = display ?? code;
  return { value, ...(words ? { unit: words } : {}), ...(system ? { system } : {}),
           ...(code ? { code } : {}) };
}

export function QuantityField(props: SingleFieldProps) {
  const { language } = useSurroundings();
  const { questionnaire, item, id, value, onChange, ...rest } = props;
  const units = unitsOf(questionnaire, item, language.code);
  const known = units.findIndex((unit) => value?.valueQuantity &&
    sameConcept(unit, { ...value.valueQuantity, display: value.valueQuantity.unit }));
  const [chosen, setChosen] = useState(Math.max(0, known));
  const number = value?.valueQuantity?.value;
  const give = (typed: number | undefined, index: number, settled: boolean, wrong: boolean) =>
    onChange(typed === undefined ? undefined : { valueQuantity: quantityOf(typed, units[index]) },
      settled, wrong ? 'fault.number' : undefined);
  return (
    <div class="quantity">
      <NumberInput {...rest} questionnaire={questionnaire} item={item} id={id} whole={false}
        number={number}
        onNumber={(typed, settled, wrong) => give(typed, chosen, settled, wrong)} />
      {units.length === 1 && <span class="unit">{units[0]!.display ?? units[0]!.code}</span>}
      {units.length > 1 && (
        <select aria-label={language.say('question.unit')} value={String(chosen)}
          onChange={(event) => {
            const index = Number(event.currentTarget.value);
            setChosen(index);
            give(number, index, true, false);
          }}>
          {units.map((unit, i) => (
            <option value={String(i)} key={i}>{unit.display ?? unit.code}</option>
          ))}
        </select>
      )}
    </div>
  );
}
