// One of several answers (radio buttons), some of them (check boxes), or words of one's own beside
// them. Very many are a list to choose from.
import { useState } from 'preact/hooks';
import { optionsOf, type Option } from '../answer_options';
import type { Value } from '../fhir';
import { useSurroundings } from '../frame';
import type { Language } from '../i18n/language_pack';
import { sameValue } from '../value';
import type { FieldProps } from './field';

const LISTED_MAX = 15;

function choicesOf({ questionnaire, item }: FieldProps, language: Language): Option[] {
  if (item.type !== 'boolean') return optionsOf(questionnaire, item, language.code);
  return [true, false].map((flag) => ({
    value: { valueBoolean: flag },
    words: language.say(flag ? 'question.yes' : 'question.no'),
    exclusive: false,
  }));
}

// What stays chosen beside this one: nothing, if one of the two excludes the other.
function chosenWith(values: Value[], option: Option, options: Option[]): Value[] {
  if (option.exclusive) return [option.value];
  const excludes = (value: Value) =>
    options.some((one) => one.exclusive && sameValue(one.value, value));
  const all = [...values.filter((value) => !excludes(value)), option.value];
  // In the order of the options, whatever the order they were chosen in; own words last.
  const place = (value: Value) => {
    const index = options.findIndex((one) => sameValue(one.value, value));
    return index < 0 ? options.length : index;
  };
  return all.sort((a, b) => place(a) - place(b));
}

export function ChoiceField(props: FieldProps) {
  const { language } = useSurroundings();
  const { item, id, values, labelledBy, describedBy, invalid, onChange } = props;
  const options = choicesOf(props, language);
  const isOption = (value: Value) => options.some((option) => sameValue(option.value, value));
  const own = values.find((value) => value.valueString !== undefined && !isOption(value));
  const [others, setOthers] = useState(own !== undefined);
  const many = item.repeats === true;
  const open = item.type === 'open-choice';
  const listed = values.filter(isOption);

  if (options.length === 0 && !open) {
    return <p class="notice">{language.say('question.cannot')}</p>;
  }
  const is_chosen = (option: Option) => values.some((value) => sameValue(value, option.value));
  const choose = (option: Option, chosen: boolean) => {
    if (!many) {
      setOthers(false);
      onChange([option.value], true);
    } else if (chosen) {
      if (option.exclusive) setOthers(false);
      onChange(chosenWith(values, option, options), true);
    } else {
      onChange(values.filter((value) => !sameValue(value, option.value)), true);
    }
  };
  const write = (words: string, settled: boolean) => {
    const rest = many ? listed.filter((value) =>
      !options.some((one) => one.exclusive && sameValue(one.value, value))) : [];
    onChange(words.trim() ? [...rest, { valueString: words.trim() }] : rest, settled);
  };

  if (options.length > LISTED_MAX && !many && !open) {
    const index = options.findIndex(is_chosen);
    return (
      <select id={id} class="wide" value={String(index)} aria-labelledby={labelledBy}
        aria-describedby={describedBy} aria-invalid={invalid} aria-required={item.required}
        onChange={(event) => {
          const option = options[Number(event.currentTarget.value)];
          onChange(option ? [option.value] : [], true);
        }}>
        <option value="-1">{language.say('question.choose')}</option>
        {options.map((option, i) => <option value={String(i)} key={i}>{option.words}</option>)}
      </select>
    );
  }
  const type = many ? 'checkbox' : 'radio';
  return (
    <div role={many ? 'group' : 'radiogroup'} aria-labelledby={labelledBy}
      aria-describedby={describedBy} aria-invalid={many ? undefined : invalid}
      aria-required={many ? undefined : item.required === true} class="choices">
      {many && <p class="hint">{language.say('question.manyHint')}</p>}
      {options.map((option, i) => (
        <label class="choice" key={i}>
          <input type={type} name={id} checked={is_chosen(option)}
            onChange={(event) => choose(option, event.currentTarget.checked)} />
          <span>{option.words}</span>
        </label>
      ))}
      {open && (
        <>
          <label class="choice">
            <input type={type} name={id} checked={others || own !== undefined}
              onChange={(event) => {
                setOthers(event.currentTarget.checked);
                if (!many) onChange([], true);
                else if (!event.currentTarget.checked) onChange(listed, true);
              }} />
            <span>{language.say('question.other')}</span>
          </label>
          {(others || own !== undefined) && (
            <input type="text" id={`${id}-own`} aria-label={language.say('question.otherText')}
              value={own?.valueString ?? ''} maxLength={item.maxLength}
              onInput={(event) => write(event.currentTarget.value, false)}
              onBlur={(event) => write(event.currentTarget.value, true)} />
          )}
        </>
      )}
    </div>
  );
}
