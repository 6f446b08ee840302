// What is to do, and what became of what was done.
import { Frame, Heading, LanguageChoice, useOnline, useSurroundings } from '../frame';
import type { Parcel } from '../outbox';
import type { Due } from '../server';
import { studyText } from '../translation';
import { PinForm } from './unlock';
import { CodeForm } from './welcome';

function DueCard({ due, onBegin }: { due: Due; onBegin: (due: Due) => void }) {
  const { session, language } = useSurroundings();
  const draft = session.draftOf(due);
  const canonical = draft?.canonical ?? due.questionnaire;
  const title = studyText(due.title, language.code);
  const id = `due-${due.activity}-${due.occurrence}`;
  return (
    <li class="card due">
      <h3 id={id}>{title}</h3>
      {draft && <p class="hint">{language.say('home.begun')}</p>}
      {due.until &&
        <p class="hint">{language.say('home.until', { time: language.time(due.until) })}</p>}
      {session.questionnaire(canonical)
        ? <button type="button" class="wide" aria-describedby={id} onClick={() => onBegin(due)}>
            {language.say(draft ? 'home.continue' : 'home.start')}
          </button>
        : <p>{language.say('home.missing')}</p>}
    </li>
  );
}

function ParcelRow({ parcel }: { parcel: Parcel }) {
  const { language } = useSurroundings();
  const { stage } = parcel;
  return (
    <li class={`parcel ${stage}`} data-stage={stage}>
      <p class="name">{studyText(parcel.title, language.code)}</p>
      <p class="stage">{language.say(`home.stage.${stage}`)}</p>
      <p class="hint">
        {stage !== 'received' && `${language.say(`home.stageText.${stage}`)} `}
        {language.say('home.finished', { time: language.time(parcel.finished) })}
      </p>
    </li>
  );
}

function Notices() {
  const { session, language } = useSurroundings();
  const online = useOnline();
  return (
    <>
      <div role="status">
        {!online && <p class="notice">{language.say('app.offline')}</p>}
        {session.problem && <p class="notice bad">{language.say('app.notKept')}</p>}
      </div>
      {session.ended && (
        <section class="card warn">
          <h2>{language.say('home.ended')}</h2>
          <p>{language.say('home.endedText')}</p>
          <CodeForm />
        </section>
      )}
      {session.earlier && (
        <section class="card warn">
          <h2>{language.say('home.earlier')}</h2>
          <p>{language.say('home.earlierText')}</p>
          <PinForm id="earlier-pin" key={session.earlier} slot={session.earlier}
            go={language.say('home.earlierGo')}
            unlock={(pin) => session.recoverEarlier(pin)} />
        </section>
      )}
    </>
  );
}

export function HomeScreen({ onBegin }: { onBegin: (due: Due) => void }) {
  const { session, language } = useSurroundings();
  const online = useOnline();
  const due = session.due();
  return (
    <Frame title={language.say('home.hello')} screen="home">
      <Heading>{language.say('home.hello')}</Heading>
      <Notices />
      <h2>{language.say('home.due')}</h2>
      {!session.home && !session.ended
        ? <p class="card">{language.say(online ? 'app.loading' : 'home.missing')}</p>
        : due.length > 0
        ? <ul class="list">{due.map((one) => (
            <DueCard due={one} onBegin={onBegin} key={`${one.activity} ${one.occurrence}`} />
          ))}</ul>
        : <div class="card calm">
            <p class="name">{language.say('home.nothing')}</p>
            <p class="hint">{language.say('home.nothingText')}</p>
          </div>}
      {session.parcels.length > 0 && (
        <>
          <h2>{language.say('home.sent')}</h2>
          <ul class="list parcels" aria-live="polite">
            {session.parcels.map((parcel) => <ParcelRow parcel={parcel} key={parcel.id} />)}
          </ul>
          {session.waiting && online && !session.ended && (
            <button type="button" class="quiet wide" onClick={() => { void session.send(true); }}>
              {language.say('home.sendNow')}
            </button>
          )}
        </>
      )}
      <footer>
        {session.homeAt && <p class="hint">
          {language.say('home.updated', { time: language.time(session.homeAt) })}
        </p>}
        <div class="pair">
          <LanguageChoice />
          <button type="button" class="quiet" onClick={() => session.lock()}>
            {language.say('app.lock')}
          </button>
        </div>
      </footer>
    </Frame>
  );
}
