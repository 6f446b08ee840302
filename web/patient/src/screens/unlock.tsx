// The PIN at each opening. Wrong ones are counted and slowed (vault.ts).
import { useEffect, useRef, useState } from 'preact/hooks';
import { Fault, Frame, Heading, useSurroundings } from '../frame';
import type { Language } from '../i18n/language_pack';
import { lockState, type Unlocking } from '../vault';
import { PinInput } from './pin';

type Outcome = Unlocking | { kind: 'other' } | { kind: 'broken' };

function wordsOf(language: Language, result: Outcome): string {
  switch (result.kind) {
    case 'open': return '';
    case 'other': return language.say('home.earlierOther');
    case 'broken': return language.say('app.broken');
    case 'used-up': return language.say('unlock.usedUp');
    case 'wait':
      return language.say('unlock.wait', { time: language.span(result.waitMs), n: result.left });
    case 'wrong':
      return result.waitMs > 0
        ? language.say('unlock.wait', { time: language.span(result.waitMs), n: result.left })
        : language.count('unlock.wrong', result.left);
  }
}

interface PinFormProps {
  id: string;
  go: string;
  slot?: string;
  unlock(pin: string): Promise<Outcome>;
}

export function PinForm({ id, go, slot, unlock }: PinFormProps) {
  const { language } = useSurroundings();
  const [pin, setPin] = useState('');
  const [result, setResult] = useState<Outcome>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // Closing the page does not end a wait.
    void lockState(slot).then(({ left, waitMs }) => {
      if (left <= 0) setResult({ kind: 'used-up' });
      else if (waitMs > 0) setResult({ kind: 'wait', left, waitMs });
    });
  }, [slot]);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || pin === '') return;
    setBusy(true);
    setResult(undefined);
    const answer = await unlock(pin).catch(() => ({ kind: 'broken' as const }));
    if (answer.kind === 'open') return;
    setBusy(false);
    setResult(answer);
    setPin('');
    form.current?.querySelector('input')?.focus();
  };
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <PinInput id={id} label={language.say('unlock.pin')} fault={result?.kind === 'wrong'}
        describedBy={`${id}-fault`} value={pin} onInput={setPin} />
      <Fault id={`${id}-fault`}>{result && wordsOf(language, result)}</Fault>
      <button type="submit" class="wide" aria-disabled={busy}>
        {busy ? language.say('unlock.working') : go}
      </button>
    </form>
  );
}

export function Unlock() {
  const { session, language } = useSurroundings();
  const [forgot, setForgot] = useState(false);
  return (
    <Frame title={language.say('unlock.title')} screen="unlock">
      <Heading>{language.say('unlock.title')}</Heading>
      <PinForm id="pin" go={language.say('unlock.go')} unlock={(pin) => session.unlock(pin)} />
      <button type="button" class="plain" aria-expanded={forgot}
        onClick={() => setForgot(!forgot)}>{language.say('unlock.forgot')}</button>
      {forgot && (
        <div class="card">
          <p>{language.say('unlock.forgotText')}</p>
          <button type="button" class="quiet wide" onClick={() => session.forgetPin()}>
            {language.say('unlock.newCode')}
          </button>
        </div>
      )}
    </Frame>
  );
}
