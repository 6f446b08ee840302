// What every screen stands in: the language, the session, the bar at the top, and the place that
// the focus goes to when the screen changes, so that a screen reader begins at its heading.
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { languageOf, PACKS, type Language } from './i18n/language_pack';
import type { Session } from './session';
import { studyText } from './translation';

export interface Surroundings {
  session: Session;
  language: Language;
  setLanguage(code: string): void;
  openHelp(): void;
}

// Always provided, by App.
export const SurroundingsContext = createContext(undefined as unknown as Surroundings);
export const useSurroundings = (): Surroundings => useContext(SurroundingsContext);

// Draws again after each change of the session.
export function useSession(session: Session): void {
  const [, setCount] = useState(0);
  useEffect(() => {
    const draw = () => setCount((count) => count + 1);
    const end = session.subscribe(draw);
    draw(); // it may have changed before anybody was listening
    return end;
  }, [session]);
}

export function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const update = () => setOnline(navigator.onLine);
    addEventListener('online', update);
    addEventListener('offline', update);
    return () => {
      removeEventListener('online', update);
      removeEventListener('offline', update);
    };
  }, []);
  return online;
}

// The languages that there are words for and that the study has.
function languagesOf(session: Session): string[] {
  const codes = [...PACKS.keys()];
  const studies = session.home?.languages;
  const both = studies ? codes.filter((code) => studies.includes(code)) : codes;
  return both.length > 0 ? both : codes;
}

export function LanguageChoice() {
  const { session, language, setLanguage } = useSurroundings();
  const codes = languagesOf(session);
  if (codes.length < 2) return null;
  return (
    <label class="language">
      <span class="unseen">{language.say('app.language')}</span>
      <select value={language.code}
        onChange={(event) => setLanguage(event.currentTarget.value)}>
        {codes.map((code) => (
          <option value={code} lang={code} key={code}>
            {languageOf(code).say('language.name')}
          </option>
        ))}
      </select>
    </label>
  );
}

interface FrameProps {
  title: string; // of the document, for the screen reader's list of windows
  screen: string; // another screen: the focus goes to its heading
  bar?: ComponentChildren; // instead of the study's name
  children: ComponentChildren;
}

export function Frame({ title, screen, bar, children }: FrameProps) {
  const { session, language, openHelp } = useSurroundings();
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${title} – ${language.say('app.name')}`;
  }, [title, language]);
  useEffect(() => {
    scrollTo(0, 0);
    main.current?.querySelector<HTMLElement>('h1')?.focus();
  }, [screen]);
  const study = studyText(session.home?.study.title, language.code);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        main.current?.querySelector<HTMLElement>('h1')?.focus();
      }}>{language.say('app.skip')}</a>
      <header>
        <div class="bar">
          {bar ?? <p class="brand"><Mark /><span>{study || language.say('app.name')}</span></p>}
          {session.phase === 'open' &&
            <button type="button" id="help"
              class={session.shownHelp.length > 0 ? 'help urgent' : 'help'}
              onClick={openHelp}>{language.say('app.help')}</button>}
          {session.phase !== 'open' && <LanguageChoice />}
        </div>
      </header>
      <main id="main" ref={main}>{children}</main>
    </>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect x="6" y="3" width="20" height="26" rx="4" fill="none" stroke="currentColor"
        stroke-width="2.5" />
      <path d="M11 11h10M11 16h6M11 22.5l2.5 2.5 5-5.5" fill="none" stroke="currentColor"
        stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

export function Heading({ children, id, long }:
    { children: ComponentChildren; id?: string; long?: boolean }) {
  return <h1 tabIndex={-1} id={id} class={long ? 'long' : undefined}>{children}</h1>;
}

// Told by a screen reader as soon as it appears.
export function Fault({ id, children }: { id: string; children?: ComponentChildren }) {
  return <p class="fault" id={id} role="alert">{children}</p>;
}
