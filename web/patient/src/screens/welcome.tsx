// The first screen: the one-time code. It may have come with a link (/p#code=…).
import { useRef, useState } from 'preact/hooks';
import { Fault, Frame, Heading, useSurroundings } from '../frame';
import type { EnrolFault } from '../session';

export function CodeForm({ proposed = '' }: { proposed?: string }) {
  const { session, language } = useSurroundings();
  const [code, setCode] = useState(proposed);
  const [fault, setFault] = useState<EnrolFault | 'empty'>();
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    const typed = code.trim();
    setBusy(true);
    setFault(undefined);
    const found = typed === '' ? 'empty' : await session.enrol(typed);
    setBusy(false);
    setFault(found);
    if (found) input.current?.focus();
  };
  return (
    <form onSubmit={submit} noValidate>
      <label for="code">{language.say('welcome.code')}</label>
      <p class="hint" id="code-hint">{language.say('welcome.codeHint')}</p>
      <input id="code" ref={input} class="code" value={code} autocomplete="one-time-code"
        autocapitalize="characters" autocorrect="off" spellcheck={false} maxLength={64}
        aria-describedby="code-hint code-fault" aria-invalid={fault !== undefined}
        onInput={(event) => setCode(event.currentTarget.value)} />
      <Fault id="code-fault">{fault && language.say(`welcome.${fault}`)}</Fault>
      <button type="submit" class="wide" aria-disabled={busy}>
        {language.say(busy ? 'welcome.checking' : 'welcome.go')}
      </button>
    </form>
  );
}

export function Welcome({ code, again, onBack }:
    { code: string; again: boolean; onBack: () => void }) {
  const { language } = useSurroundings();
  return (
    <Frame title={language.say('welcome.title')} screen="welcome">
      <Heading>{language.say(again ? 'unlock.newCode' : 'welcome.title')}</Heading>
      <p class="lead">{language.say('welcome.lead')}</p>
      <CodeForm proposed={code} />
      <ul class="promises">
        <li>{language.say('welcome.safe')}</li>
        <li>{language.say('welcome.site')}</li>
      </ul>
      {again && <button type="button" class="quiet wide" onClick={onBack}>
        {language.say('unlock.back')}
      </button>}
    </Frame>
  );
}
