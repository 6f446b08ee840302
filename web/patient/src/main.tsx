// Starts the page: the language, the session, the service worker.
import { render } from 'preact';
import { App } from './app';
import { chooseLanguage } from './i18n/language_pack';
import { chosenLanguage, Session } from './session';
import './style.css';

async function start(): Promise<void> {
  // A code in the link is taken out of the address, so that it stays in no history.
  const code = new URLSearchParams(location.hash.slice(1)).get('code') ?? '';
  if (location.hash) history.replaceState(null, '', location.pathname);
  const kept = await chosenLanguage();
  const language = chooseLanguage([...(kept ? [kept] : []), ...navigator.languages]);
  const session = new Session();
  render(<App session={session} code={code} startLanguage={language} />,
    document.getElementById('app')!);
  await session.start();
}

void start();
if ('serviceWorker' in navigator && import.meta.env.PROD) {
  // Without it the page works, only not without a network.
  navigator.serviceWorker.register('/p/sw.js', { scope: '/p' }).catch(() => undefined);
}
