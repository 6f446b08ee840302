// Lets the page open without a network: keeps its own files, and nothing else. What the API says is
// never kept here; the page keeps that sealed. A new version of any file is a new version of this
// worker (vite.config.ts writes the digest), which takes over at once and drops the old files.

const worker = self as unknown as ServiceWorkerGlobalScope;
const FILES = '__FILES__' as unknown as string[];
const CACHE = 'trialward-patient-__VERSION__';

worker.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    // Past the HTTP cache, or an old page would be kept beside new files.
    await cache.addAll(FILES.map((file) => new Request(file, { cache: 'reload' })));
    await worker.skipWaiting();
  })());
});

worker.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('trialward-patient-') && name !== CACHE) await caches.delete(name);
    }
    await worker.clients.claim();
  })());
});

worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== worker.location.origin) return;
  const kept = event.request.mode === 'navigate' && url.pathname === '/p' ? '/p'
    : FILES.includes(url.pathname) ? url.pathname : undefined;
  if (kept === undefined) return;
  event.respondWith((async () => (await caches.match(kept)) ?? fetch(event.request))());
});
