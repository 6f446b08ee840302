// The study's help: at once on a worrying answer, and under Help from then on. A modal dialog of
// the browser's own, which keeps the focus and gives it back.
import { useEffect, useRef } from 'preact/hooks';
import { useSurroundings } from '../frame';
import type { Help, Phone } from '../server';
import { studyText } from '../translation';

function Phones({ phones }: { phones: Phone[] }) {
  const { language } = useSurroundings();
  return (
    <ul class="phones">
      {phones.map(({ label, number }) => {
        const name = studyText(label, language.code);
        return (
          <li key={number}>
            <a class="phone" href={`tel:${number.replace(/[^+\d*#,;]/g, '')}`}>
              <span class="name">{name}</span>{' '}
              <span class="number">{number}</span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

function Part({ help }: { help: Help }) {
  const { language } = useSurroundings();
  return (
    <section class="worry">
      <h3>{studyText(help.title, language.code)}</h3>
      <p>{studyText(help.text, language.code)}</p>
      <Phones phones={help.phones} />
    </section>
  );
}

export function HelpPanel({ open, urgent, onClose }:
    { open: boolean; urgent: boolean; onClose: () => void }) {
  const { session, language } = useSurroundings();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (open && !element.open) {
      element.showModal();
      element.querySelector<HTMLElement>('h2')?.focus();
      element.scrollTop = 0;
    } else if (!open && element.open) {
      element.close();
    }
  }, [open]);
  const contact = session.home?.study.contact;
  const phones = contact?.phones ?? [];
  const nothing = phones.length === 0 && !contact?.text && session.shownHelp.length === 0;
  return (
    <dialog ref={dialog} id="help-panel" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title" tabIndex={-1}>{language.say('help.title')}</h2>
      {session.shownHelp.map(({ help }) => <Part help={help} key={JSON.stringify(help.title)} />)}
      {(phones.length > 0 || contact?.text) && (
        <section>
          <h3>{language.say('home.contact')}</h3>
          <p>{studyText(contact?.text, language.code)}</p>
          <Phones phones={phones} />
        </section>
      )}
      {nothing && <p>{language.say('help.none')}</p>}
      {urgent && <p class="hint">{language.say('help.stays')}</p>}
      <button type="button" class="quiet wide" id="help-close" onClick={onClose}>
        {language.say(urgent ? 'help.continue' : 'app.close')}
      </button>
    </dialog>
  );
}
