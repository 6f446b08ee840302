// What browsers have and Node 18 has not, or not by these names.
import 'fake-indexeddb/auto';
import { webcrypto } from 'node:crypto';

if (!('crypto' in globalThis)) Object.defineProperty(globalThis, 'crypto', { value: webcrypto });
if (!('navigator' in globalThis)) {
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: true, userAgent: 'Node' } });
}
