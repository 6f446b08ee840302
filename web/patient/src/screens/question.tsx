// One question a screen. Each answer is kept as soon as it is given; what is typed, when the typing
// pauses or the field is left.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Field, isChoice } from '../fields/field';
import { ENTRY_FORMAT, extensionOf, MAX_VALUE, MIN_VALUE, type Item, type Value } from '../fhir';
import { occursAtMost, type Form, type Step } from '../form';
import { Fault, Heading, useSurroundings } from '../frame';
import type { Language, Word } from '../i18n/language_pack';
import { translated } from '../translation';
import { sameValues } from '../value';

const TYPING_PAUSE_MS = 700;
// Longer questions are set smaller, so that their answers stay on the screen.
const LONG_CHARACTERS = 90;

export function itemText(item: Item, language: Language): string {
  return translated(item.text, item._text, language.code);
}

function limitsInWords(item: Item, language: Language): string {
  const number = (url: string) => {
    const extension = extensionOf(item, url);
    const value = extension?.valueInteger ?? extension?.valueDecimal;
    return value === undefined ? undefined : language.decimal(value);
  };
  const least = number(MIN_VALUE), most = number(MAX_VALUE);
  if (least !== undefined && most !== undefined) {
    return language.say('question.range', { least, most });
  }
  if (least !== undefined) return language.say('question.leastOnly', { least });
  if (most !== undefined) return language.say('question.mostOnly', { most });
  return '';
}

// What stands above the question: the groups that it is in, and texts that are only displayed.
function Above({ step }: { step: Step }) {
  const { language } = useSurroundings();
  return (
    <>
      {step.trail.map((group) => itemText(group, language)).filter(Boolean).map((text) => (
        <p class="trail" key={text}>{text}</p>
      ))}
      {step.occurrence !== undefined &&
        <p class="trail">{language.say('question.occurrence', { n: step.occurrence })}</p>}
      {step.notes.map((note) => (
        <p class="note" key={note.linkId}>{itemText(note, language)}</p>
      ))}
    </>
  );
}

interface QuestionProps {
  form: Form;
  step: Step;
  fault: string | undefined;
  onAnswer(values: Value[]): void;
  onTyped(fault: Word | undefined): void; // what was typed is, or is no longer, no value
  onWaiting(waits: boolean): void; // whether what was typed is still to be given to onAnswer
  flush: { current: (() => void) | undefined }; // keeps what is typed and not kept yet
}

export function QuestionField(
  { form, step, fault, onAnswer, onTyped, onWaiting, flush }: QuestionProps,
) {
  const { language } = useSurroundings();
  const { item, path } = step;
  const [values, setValues] = useState(form.valuesAt(path));
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const pending = useRef<Value[]>();
  const settle = () => {
    clearTimeout(timer.current);
    const typed = pending.current;
    pending.current = undefined;
    onWaiting(false);
    if (typed && !sameValues(typed, form.valuesAt(path))) onAnswer(typed);
  };
  flush.current = settle;
  // The latest, of this question: by the time it is left `flush` is already the next one's.
  const own = useRef(settle);
  own.current = settle;
  useEffect(() => {
    const hide = () => { if (document.visibilityState === 'hidden') own.current(); };
    document.addEventListener('visibilitychange', hide);
    return () => {
      document.removeEventListener('visibilitychange', hide);
      own.current();
    };
  }, []);
  const change = (next: Value[], settled: boolean, typed_fault?: Word) => {
    setValues(next);
    onTyped(typed_fault);
    pending.current = next;
    clearTimeout(timer.current);
    if (settled) settle();
    else {
      onWaiting(true);
      timer.current = setTimeout(() => own.current(), TYPING_PAUSE_MS);
    }
  };
  const hint = [limitsInWords(item, language), extensionOf(item, ENTRY_FORMAT)?.valueString]
    .filter(Boolean).join(' · ');
  const text = itemText(item, language);
  return (
    <>
      <Above step={step} />
      <Heading id="question" long={text.length > LONG_CHARACTERS}>
        {item.prefix && <span class="prefix">{item.prefix} </span>}{text}
      </Heading>
      <p class="hint" id="hint">
        {item.required || item.readOnly ? '' : `${language.say('question.optional')} `}{hint}
      </p>
      <div class={item.readOnly ? 'answer fixed' : 'answer'} inert={item.readOnly}>
        <Field questionnaire={form.questionnaire} item={item} id="answer" values={values}
          labelledBy="question" describedBy="hint fault" invalid={fault !== undefined}
          onChange={change} />
      </div>
      <Fault id="fault">{fault}</Fault>
      {!item.required && !item.readOnly && isChoice(item) && !item.repeats && values.length > 0 && (
        <button type="button" class="plain" onClick={() => change([], true)}>
          {language.say('question.clear')}
        </button>
      )}
    </>
  );
}

export function DisplayStep({ step }: { step: Step }) {
  const { language } = useSurroundings();
  return (
    <>
      <Above step={step} />
      <Heading id="question">{itemText(step.item, language)}</Heading>
    </>
  );
}

// After the occurrences of a group that repeats: one more?
export function RepeatStep({ form, step, fault, onCount }:
    { form: Form; step: Step; fault: string | undefined; onCount: (count: number) => void }) {
  const { language } = useSurroundings();
  const count = form.countAt(step.path, step.item);
  return (
    <>
      <Above step={step} />
      <Heading id="question">{itemText(step.item, language)}</Heading>
      <p role="status">{language.count('repeat.lead', count)}</p>
      <Fault id="fault">{fault}</Fault>
      {count < occursAtMost(step.item) && (
        <button type="button" class="quiet wide" onClick={() => onCount(count + 1)}>
          {language.say(count === 0 ? 'repeat.add' : 'repeat.another')}
        </button>
      )}
      {count > 0 && (
        <button type="button" class="plain" onClick={() => onCount(count - 1)}>
          {language.say('repeat.remove')}
        </button>
      )}
    </>
  );
}
