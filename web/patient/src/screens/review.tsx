// Everything that was answered, before it is sent.
import { useState } from 'preact/hooks';
import { answerWords } from '../answer_words';
import type { Form, Issue, Step } from '../form';
import { Frame, Heading, useSurroundings } from '../frame';
import type { AnsweringProps } from './answering';
import { itemText } from './question';

interface ReviewProps extends AnsweringProps {
  form: Form;
  steps: Step[];
  faultWords(issue: Issue): string;
}

export function Review(props: ReviewProps) {
  const { session, language } = useSurroundings();
  const { draft, questionnaire, form, steps, faultWords, onGo, onBack, onFinished } = props;
  const [busy, setBusy] = useState(false);
  const issues = form.issues();
  const asked = steps.filter((step) => step.kind === 'question');
  const send = async () => {
    if (busy) return;
    setBusy(true);
    if (await session.finish(draft, language.code)) onFinished(draft.id);
    else setBusy(false);
  };
  const wordsOf = (step: Step) => form.valuesAt(step.path)
    .map((value) => answerWords(questionnaire, step.item, value, language)).join(', ');
  const missing = steps.filter((step) => issues.some((issue) => issue.path === step.path));
  const faultOf = (step: Step) => issues.find((issue) => issue.path === step.path);
  return (
    <Frame title={language.say('review.title')} screen="review">
      <Heading>{language.say('review.title')}</Heading>
      {missing.length > 0 ? (
        <div class="card warn" role="status">
          <p class="name">{language.count('review.missing', missing.length)}</p>
          <ul class="list">
            {missing.map((step) => (
              <li key={step.path}>
                <button type="button" class="quiet wide" onClick={() => onGo(step.path, true)}>
                  {itemText(step.item, language)}
                </button>
              </li>
            ))}
          </ul>
        </div>
      ) : <p class="lead">{language.say('review.lead')}</p>}
      <dl class="answers">
        {asked.map((step) => {
          const words = wordsOf(step);
          const issue = faultOf(step);
          const question = itemText(step.item, language);
          return (
            <div key={step.path} class={issue ? 'missing' : undefined}>
              <dt>{question}</dt>
              <dd>
                <span class={words ? 'words' : 'words none'}>
                  {words || language.say('review.none')}
                </span>
                {issue && <span class="fault">{faultWords(issue)}</span>}
                <button type="button" class="plain" onClick={() => onGo(step.path, true)}
                  aria-label={language.say('review.changeOf', { question })}>
                  {language.say('review.change')}
                </button>
              </dd>
            </div>
          );
        })}
      </dl>
      <p class="saved" role="status">{session.problem && language.say('app.notKept')}</p>
      <nav class="steps">
        <button type="button" class="quiet"
          onClick={() => onBack(steps[steps.length - 1]?.path)}>{language.say('app.back')}</button>
        {missing.length === 0 && (
          <button type="button" id="send" aria-disabled={busy} onClick={send}>
            {language.say(busy ? 'review.sending' : 'review.send')}
          </button>
        )}
      </nav>
    </Frame>
  );
}
