// Choosing the PIN, twice.
import { useRef, useState } from 'preact/hooks';
import { Fault, Frame, Heading, useSurroundings } from '../frame';

type PinFault = 'pin.short' | 'pin.simple' | 'pin.different' | 'app.notKept';

// 0000, 1234, 9876: what is tried first.
export function isSimple(pin: string): boolean {
  const steps = new Set([...pin].slice(1).map((digit, i) => Number(digit) - Number(pin[i])));
  return steps.size === 1 && [-1, 0, 1].includes([...steps][0]!);
}

function faultOf(pin: string, again: string): PinFault | undefined {
  if (!/^\d{4,6}$/.test(pin)) return 'pin.short';
  if (isSimple(pin)) return 'pin.simple';
  return pin === again ? undefined : 'pin.different';
}

interface PinInputProps {
  id: string;
  label: string;
  hint?: string;
  fault: boolean;
  describedBy?: string;
  fresh?: boolean;
  value: string;
  onInput(value: string): void;
}

export function PinInput(props: PinInputProps) {
  const { id, label, hint, fault, describedBy, fresh, value, onInput } = props;
  const described = [hint && `${id}-hint`, describedBy].filter(Boolean).join(' ');
  return (
    <>
      <label for={id}>{label}</label>
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      <input id={id} class="pin" type="password" inputMode="numeric" maxLength={6}
        autocomplete={fresh ? 'new-password' : 'current-password'} value={value}
        aria-invalid={fault} aria-describedby={described || undefined}
        onInput={(event) => onInput(event.currentTarget.value)} />
    </>
  );
}

export function ChoosePin() {
  const { session, language } = useSurroundings();
  const [pin, setPin] = useState('');
  const [again, setAgain] = useState('');
  const [fault, setFault] = useState<PinFault>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    const found = faultOf(pin, again);
    setFault(found);
    if (found) {
      const id = found === 'pin.different' ? 'pin-again' : 'pin';
      form.current?.querySelector<HTMLInputElement>(`#${id}`)?.focus();
      return;
    }
    setBusy(true);
    try {
      await session.choosePin(pin);
    } catch {
      setFault('app.notKept');
    }
    setBusy(false);
  };
  return (
    <Frame title={language.say('pin.title')} screen="pin">
      <Heading>{language.say('pin.title')}</Heading>
      <p class="lead">{language.say('pin.lead')}</p>
      <form ref={form} onSubmit={submit} noValidate>
        <PinInput id="pin" label={language.say('pin.first')} hint={language.say('pin.hint')}
          fault={fault !== undefined && fault !== 'pin.different'} describedBy="pin-fault" fresh
          value={pin} onInput={setPin} />
        <PinInput id="pin-again" label={language.say('pin.again')}
          fault={fault === 'pin.different'} describedBy="pin-fault" fresh
          value={again} onInput={setAgain} />
        <Fault id="pin-fault">{fault && language.say(fault)}</Fault>
        <button type="submit" class="wide" aria-disabled={busy}>
          {language.say(busy ? 'pin.working' : 'pin.go')}
        </button>
      </form>
    </Frame>
  );
}
