// Which screen is shown. The steps through a questionnaire are entries in the browser's history, so
// that a phone's own back button goes one question back.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Frame, Heading, SurroundingsContext, useSession, useSurroundings } from './frame';
import { languageOf } from './i18n/language_pack';
import { Form } from './form';
import { Answering } from './screens/answering';
import { HelpPanel } from './screens/help';
import { HomeScreen } from './screens/home';
import { ChoosePin } from './screens/pin';
import { Thanks } from './screens/thanks';
import { Unlock } from './screens/unlock';
import { Welcome } from './screens/welcome';
import type { Due, Help } from './server';
import { keepLanguage, type Session } from './session';
import { hasVault } from './vault';

type View =
  | { name: 'home' }
  | { name: 'answer'; draft: string; path?: string; fromReview?: boolean }
  | { name: 'thanks'; id: string };

interface Place {
  view: View;
  behind?: string; // what the entry before this one in the history shows, if it is ours
}

const HOME: Place = { view: { name: 'home' } };

function nameOf(view: View): string {
  return view.name === 'answer' ? `${view.draft} ${view.path ?? ''}` : view.name;
}

function useView(): [Place, (view: View, replace?: boolean) => void] {
  const [place, setPlace] = useState<Place>(HOME);
  useEffect(() => {
    // A page that is loaded anew asks for the PIN, and then begins at home.
    history.replaceState(HOME, '');
    const show = (event: PopStateEvent) => setPlace((event.state as Place | null) ?? HOME);
    addEventListener('popstate', show);
    return () => removeEventListener('popstate', show);
  }, []);
  const go = (view: View, replace = false) => {
    const next = { view, behind: replace ? place.behind : nameOf(place.view) };
    if (replace) history.replaceState(next, '');
    else history.pushState(next, '');
    setPlace(next);
  };
  return [place, go];
}

function OpenScreens({ onWorry }: { onWorry: (help: Help[]) => void }) {
  const { session } = useSurroundings();
  const [{ view, behind }, go] = useView();
  const id = view.name === 'answer' ? view.draft : undefined;
  const draft = session.drafts.find((one) => one.id === id);
  const questionnaire = draft && session.questionnaire(draft.canonical);

  const begin = async (due: Due) => {
    const begun = await session.begin(due);
    if (!begun) return;
    const form = session.questionnaire(begun.canonical);
    const first = form && new Form(form, begun).steps()[0]?.path;
    go({ name: 'answer', draft: begun.id, path: begun.at ?? first ?? 'review' });
  };
  if (view.name === 'thanks') {
    return <Thanks id={view.id} onHome={() => go({ name: 'home' }, true)} />;
  }
  if (view.name === 'home' || !draft || !questionnaire) return <HomeScreen onBegin={begin} />;
  const show = (path: string, fromReview = false) => {
    const latest = session.drafts.find((one) => one.id === draft.id) ?? draft;
    void session.saveDraft({ ...latest, at: path });
    go({ name: 'answer', draft: draft.id, path, fromReview });
  };
  // To this screen, by going back in the history where that leads there.
  const back = (to: View) => {
    if (behind === nameOf(to)) history.back();
    else go(to, true);
  };
  return (
    <Answering draft={draft} questionnaire={questionnaire} path={view.path}
      fromReview={view.fromReview === true} onGo={show} onWorry={onWorry}
      onBack={(path) => back(path === undefined ? { name: 'home' }
        : { name: 'answer', draft: draft.id, path })}
      onLeave={() => go({ name: 'home' }, true)}
      onFinished={(finished) => go({ name: 'thanks', id: finished }, true)} />
  );
}

function Loading() {
  const { language } = useSurroundings();
  return (
    <Frame title={language.say('app.loading')} screen="loading">
      <Heading>{language.say('app.loading')}</Heading>
    </Frame>
  );
}

function Broken() {
  const { language } = useSurroundings();
  return (
    <Frame title={language.say('app.help')} screen="broken">
      <Heading>{language.say('app.broken')}</Heading>
      <p class="lead">{language.say('app.unsupported')}</p>
      <button type="button" class="wide" onClick={() => location.reload()}>
        {language.say('app.reload')}
      </button>
    </Frame>
  );
}

interface AppProps {
  session: Session;
  code: string; // from the link
  startLanguage: string;
}

export function App({ session, code, startLanguage }: AppProps) {
  useSession(session);
  const [languageCode, setLanguageCode] = useState(startLanguage);
  const [help, setHelp] = useState<'closed' | 'open' | 'urgent'>('closed');
  const [again, setAgain] = useState(false);
  const language = useMemo(() => languageOf(languageCode), [languageCode]);
  useEffect(() => { document.documentElement.lang = languageCode; }, [languageCode]);
  useEffect(() => {
    if (session.phase !== 'open') setHelp('closed');
    if (session.phase === 'new') void hasVault().then(setAgain, () => undefined);
  }, [session.phase]);
  const surroundings = useMemo(() => ({
    session, language,
    setLanguage: (chosen: string) => {
      setLanguageCode(chosen);
      void keepLanguage(chosen);
    },
    openHelp: () => setHelp('open'),
  }), [session, language]);
  const screens = {
    loading: () => <Loading />,
    broken: () => <Broken />,
    new: () => <Welcome code={code} again={again} onBack={() => session.backToPin()} />,
    pin: () => <ChoosePin />,
    locked: () => <Unlock />,
    open: () => (
      <>
        <OpenScreens onWorry={(list) => {
          void session.noteHelp(list);
          setHelp('urgent');
        }} />
        <HelpPanel open={help !== 'closed'} urgent={help === 'urgent'}
          onClose={() => setHelp('closed')} />
      </>
    ),
  };
  return (
    <SurroundingsContext.Provider value={surroundings}>
      {screens[session.phase]()}
    </SurroundingsContext.Provider>
  );
}
