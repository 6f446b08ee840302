// What keeps the answers on the phone unreadable. One random data key seals every record (AES-GCM,
// 256 bits, a new IV each time, the record's key as additional data). The data key itself is sealed
// under a key that takes both of
//   - the PIN: PBKDF2 with SHA-256, 600,000 iterations, a salt of this device;
//   - the device key: an HMAC-SHA-256 key that the browser made, keeps in IndexedDB and gives to no
//     script as bytes,
// as HMAC(device key, PBKDF2(PIN)). So a copy of the database without the browser's key store does
// not open with the PIN, nor the phone without it. docs/patient-page.md says what that is worth.
//
// Wrong PINs are counted in the database before each is tried, so that closing the page wins
// nothing.
import { changeDevice, hasRows, readDevice, writeDevice } from './storage';

export const PIN_ITERATIONS = 600_000; // OWASP's figure for PBKDF2-HMAC-SHA256
export const PIN_TRIES_MAX = 10;
// How long to wait after so many wrong PINs, in seconds.
const WAITS_S = [0, 0, 0, 30, 60, 300, 900, 1800, 3600, 3600];

interface StoredVault {
  id: string;
  salt: Uint8Array;
  iterations: number;
  deviceKey: CryptoKey;
  iv: Uint8Array;
  sealedKey: ArrayBuffer;
  tries: number; // wrong PINs in a row
  waitUntil: number; // ms since 1970 by the device's clock
}

export type Unlocking =
  | { kind: 'open'; vault: Vault }
  | { kind: 'wrong'; left: number; waitMs: number }
  | { kind: 'wait'; left: number; waitMs: number }
  | { kind: 'used-up' };


export class Vault {
  constructor(readonly id: string, private readonly key: CryptoKey) {}

  async seal(name: string, value: unknown): Promise<{ iv: Uint8Array; sealed: ArrayBuffer }> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const text = new TextEncoder().encode(JSON.stringify(value));
    return { iv, sealed: await crypto.subtle.encrypt(this.suite(iv, name), this.key, text) };
  }

  // Rejects when it was not sealed by this vault under this name.
  async unseal(name: string, iv: Uint8Array, sealed: ArrayBuffer): Promise<unknown> {
    const text = await crypto.subtle.decrypt(this.suite(iv, name), this.key, sealed);
    return JSON.parse(new TextDecoder().decode(text));
  }

  private suite(iv: Uint8Array, name: string): AesGcmParams {
    return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(`${this.id}/${name}`) };
  }
}

const VAULT_SLOT = 'vault';
const SEALED_KEY_NAME = new TextEncoder().encode('data key');

type KeyParts = Pick<StoredVault, 'salt' | 'iterations' | 'deviceKey'>;

async function keyOfPin(pin: string, stored: KeyParts): Promise<CryptoKey> {
  const { salt, iterations, deviceKey } = stored;
  const typed = await crypto.subtle.importKey(
    'raw', new TextEncoder().encode(pin), 'PBKDF2', false, ['deriveBits']);
  const stretched = await crypto.subtle.deriveBits(
    { name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, typed, 256);
  const both = await crypto.subtle.sign('HMAC', deviceKey, stretched);
  return crypto.subtle.importKey('raw', both, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

const importDataKey = (bytes: BufferSource) =>
  crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);

export async function hasVault(): Promise<boolean> {
  return (await readDevice(VAULT_SLOT)) !== undefined;
}

const earlierSlot = (number: number) => `earlier-${number}`;

// The slot of the first vault before this one that holds what was never sent.
export async function earlierVault(): Promise<string | undefined> {
  for (let number = 0; ; ++number) {
    const stored = await readDevice<StoredVault | 'emptied'>(earlierSlot(number));
    if (stored === undefined) return undefined;
    if (stored === 'emptied') continue;
    const kinds = await Promise.all(['outbox', 'draft'].map((kind) =>
      hasRows(`${stored.id}/${kind}:`)));
    if (kinds.includes(true)) return earlierSlot(number);
  }
}

// Its key is thrown away; what it held must be elsewhere.
export function forgetEarlierVault(slot: string): Promise<void> {
  return writeDevice(slot, 'emptied');
}

// A new vault under this PIN. One that is there already is kept as an earlier one, with what it
// holds: with its own PIN it can still be opened.
export async function createVault(pin: string): Promise<Vault> {
  const deviceKey = await crypto.subtle.generateKey(
    { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign']) as CryptoKey;
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const keys = { salt, iterations: PIN_ITERATIONS, deviceKey };
  const sealedKey = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: SEALED_KEY_NAME }, await keyOfPin(pin, keys), bytes);
  const id = crypto.randomUUID();
  const key = await importDataKey(bytes);
  bytes.fill(0);
  const before = await readDevice<StoredVault>(VAULT_SLOT);
  // A new code shows that the site knows who asks: the earlier PIN may be tried anew.
  if (before) {
    let number = 0;
    while ((await readDevice(earlierSlot(number))) !== undefined) ++number;
    await writeDevice(earlierSlot(number), { ...before, tries: 0, waitUntil: 0 });
  }
  await writeDevice(VAULT_SLOT, { id, ...keys, iv, sealedKey, tries: 0, waitUntil: 0 });
  return new Vault(id, key);
}

// How long to wait before a PIN may be tried. A clock that was set back cannot make it longer than
// the longest wait.
function waitOf(stored: StoredVault, now: number): number {
  const longest = (WAITS_S[stored.tries] ?? 0) * 1000;
  return Math.max(0, Math.min(stored.waitUntil - now, longest));
}

export async function lockState(slot = VAULT_SLOT): Promise<{ left: number; waitMs: number }> {
  const stored = await readDevice<StoredVault>(slot);
  if (!stored) return { left: PIN_TRIES_MAX, waitMs: 0 };
  return { left: PIN_TRIES_MAX - stored.tries, waitMs: waitOf(stored, Date.now()) };
}

export async function unlockVault(pin: string, slot = VAULT_SLOT): Promise<Unlocking> {
  let refused: Unlocking | undefined;
  const counted = await changeDevice<StoredVault>(slot, (value) => {
    const stored = value!;
    const now = Date.now(), waitMs = waitOf(stored, now);
    refused = undefined;
    if (stored.tries >= PIN_TRIES_MAX) refused = { kind: 'used-up' };
    else if (waitMs > 0) refused = { kind: 'wait', left: PIN_TRIES_MAX - stored.tries, waitMs };
    if (refused) return stored;
    const tries = stored.tries + 1;
    return { ...stored, tries, waitUntil: now + (WAITS_S[tries] ?? 0) * 1000 };
  });
  if (refused) return refused;
  let bytes: ArrayBuffer;
  try {
    const algorithm = { name: 'AES-GCM', iv: counted.iv, additionalData: SEALED_KEY_NAME };
    bytes = await crypto.subtle.decrypt(algorithm, await keyOfPin(pin, counted), counted.sealedKey);
  } catch {
    if (counted.tries >= PIN_TRIES_MAX) return { kind: 'used-up' };
    const left = PIN_TRIES_MAX - counted.tries;
    return { kind: 'wrong', left, waitMs: waitOf(counted, Date.now()) };
  }
  await changeDevice<StoredVault>(slot, (stored) => ({ ...stored!, tries: 0, waitUntil: 0 }));
  return { kind: 'open', vault: new Vault(counted.id, await importDataKey(bytes)) };
}
