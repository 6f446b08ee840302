// Answering one questionnaire: its questions one after the other, back and forth, then the review.
// `path` names the screen; "review" is the last.
import { useRef, useState } from 'preact/hooks';
import { withAnswer, withCount, type Draft } from '../draft';
import type { Questionnaire, Value } from '../fhir';
import { Form, type Issue, type Step } from '../form';
import { Frame, useOnline, useSurroundings } from '../frame';
import type { Help } from '../server';
import { studyText } from '../translation';
import type { Word } from '../i18n/language_pack';
import { helpFor } from '../worry';
import { DisplayStep, itemText, QuestionField, RepeatStep } from './question';
import { Review } from './review';

export interface AnsweringProps {
  draft: Draft;
  questionnaire: Questionnaire;
  path: string | undefined; // undefined: the first
  fromReview: boolean;
  onGo(path: string, fromReview?: boolean): void;
  onBack(path: string | undefined): void; // undefined: to where it was begun
  onLeave(): void;
  onFinished(id: string): void;
  onWorry(help: Help[]): void;
}

export function Answering(props: AnsweringProps) {
  const { session, language } = useSurroundings();
  const { draft, questionnaire, path, fromReview, onGo, onBack, onLeave, onWorry } = props;
  const online = useOnline();
  const flush = useRef<(() => void) | undefined>();
  const [tried, setTried] = useState<string>(); // the screen that was to be left
  const [typed, setTyped] = useState<{ path: string; fault: Word | undefined }>();
  const [waits, setWaits] = useState(false); // what is typed is not given to the session yet
  const unsaved = waits || session.unsaved > 0;
  const form = new Form(questionnaire, draft);
  const steps = form.steps();
  const index = Math.max(0, steps.findIndex((one) => one.path === path));
  const step = path === 'review' || steps.length === 0 ? undefined : steps[index];

  const latest = () => session.drafts.find(({ id }) => id === draft.id) ?? draft;
  const save = (next: Draft) => { void session.saveDraft(next); };
  const answer = (at: Step, values: Value[]) => {
    const next = withAnswer(latest(), at.path, at.item.linkId, values);
    const worries = helpFor(session.home?.help ?? [], new Form(questionnaire, next));
    const keyOf = (help: Help) => JSON.stringify(help.title);
    const fresh = worries.filter((help) => !next.helped.includes(keyOf(help)));
    // Taken back and given again, it is shown again.
    save({ ...next, helped: worries.map(keyOf) });
    if (fresh.length > 0) onWorry(fresh);
  };
  const faultAt = (at: Step): string | undefined => {
    if (typed?.path === at.path && typed.fault) return language.say(typed.fault);
    const issue = new Form(questionnaire, latest()).issues().find((one) => one.path === at.path);
    return issue && faultWords(issue);
  };
  const faultWords = (issue: Issue) =>
    language.say(`fault.${issue.code}`, { limit: issue.limit ?? '' });

  const next = (at: Step) => {
    flush.current?.();
    if (faultAt(at)) {
      setTried(at.path);
      document.querySelector<HTMLElement>('#answer, .answer input')?.focus();
      return;
    }
    setTried(undefined);
    const now = new Form(questionnaire, latest()).steps();
    const here = now.findIndex((one) => one.path === at.path);
    onGo(fromReview ? 'review' : (now[here + 1]?.path ?? 'review'));
  };
  const back = () => {
    flush.current?.();
    onBack(fromReview ? 'review' : steps[index - 1]?.path);
  };
  const leave = () => {
    flush.current?.();
    onLeave();
  };

  if (!step) {
    return <Review {...props} form={form} steps={steps} faultWords={faultWords} />;
  }
  const title = studyText(draft.title, language.code) || itemText(step.item, language);
  const fault = tried === step.path ? faultAt(step) : undefined;
  const last = index === steps.length - 1;
  const counted = language.say('question.progress', { n: index + 1, of: steps.length });
  return (
    <Frame title={`${counted}, ${title}`} screen={step.path}
      bar={<p class="brand"><span>{title}</span></p>}>
      <div class="progress">
        <p id="progress-words">{counted}</p>
        <progress max={steps.length} value={index + 1} aria-labelledby="progress-words" />
      </div>
      <div class="question" key={step.path}>
        {step.kind === 'question' && (
          <QuestionField form={form} step={step} fault={fault} flush={flush}
            onAnswer={(values) => answer(step, values)}
            onTyped={(found) => setTyped({ path: step.path, fault: found })}
            onWaiting={setWaits} />
        )}
        {step.kind === 'display' && <DisplayStep step={step} />}
        {step.kind === 'repeat' && (
          <RepeatStep form={form} step={step} fault={fault}
            onCount={(count) => {
              const before = form.countAt(step.path, step.item);
              const changed = withCount(latest(), step.path, step.item.linkId, count);
              save(changed);
              if (count <= before) return;
              const first = new Form(questionnaire, changed).steps()
                .find((one) => one.path.startsWith(`${step.path}#${before}`));
              if (first) onGo(first.path);
            }} />
        )}
      </div>
      <p class="saved" role="status" aria-busy={unsaved}>
        {session.problem ? language.say('app.notKept')
          : !online ? language.say('app.offline')
          : draft.edits.length > 0 && !unsaved ? language.say('question.saved') : ''}
      </p>
      <nav class="steps">
        <button type="button" class="quiet" onClick={back}>{language.say('app.back')}</button>
        <button type="button" id="next" onClick={() => next(step)}>
          {language.say(fromReview ? 'question.toReview'
            : last ? 'question.review' : 'question.next')}
        </button>
      </nav>
      <button type="button" class="plain leave" onClick={leave}>
        {language.say('question.leave')}
      </button>
    </Frame>
  );
}
