// After sending: what has become of the answers so far. It changes by itself.
import { Frame, Heading, useSurroundings } from '../frame';

export function Thanks({ id, onHome }: { id: string; onHome: () => void }) {
  const { session, language } = useSurroundings();
  const stage = session.parcels.find((parcel) => parcel.id === id)?.stage ?? 'kept';
  const words = stage === 'referred' ? 'refused' : stage;
  return (
    <Frame title={language.say('thanks.title')} screen="thanks">
      <div class={`thanks ${stage}`} data-stage={stage}>
        <svg viewBox="0 0 48 48" aria-hidden="true">
          <circle cx="24" cy="24" r="22" fill="none" stroke="currentColor" stroke-width="3" />
          <path d="M14 25l7 7 13-15" fill="none" stroke="currentColor" stroke-width="4"
            stroke-linecap="round" stroke-linejoin="round" />
        </svg>
        <Heading>{language.say('thanks.title')}</Heading>
        <p class="lead" role="status">{language.say(`thanks.${words}`)}</p>
      </div>
      <button type="button" class="wide" onClick={onHome}>{language.say('thanks.home')}</button>
    </Frame>
  );
}
