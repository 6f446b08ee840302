// Neither the PIN nor the device key opens the vault alone; wrong PINs are counted and slowed.
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';

type Vaults = typeof import('../src/vault');
type Storage = typeof import('../src/storage');
let vaults: Vaults, storage: Storage;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  vi.resetModules();
  vi.useRealTimers();
  vaults = await import('../src/vault');
  storage = await import('../src/storage');
});

const opened = async (pin: string) => {
  const result = await vaults.unlockVault(pin);
  if (result.kind !== 'open') throw new Error(result.kind);
  return result.vault;
};

describe('a vault', () => {
  it('takes no fewer iterations than it should', () => {
    expect(vaults.PIN_ITERATIONS).toBeGreaterThanOrEqual(310_000);
  });

  it('opens what it sealed, under the name it was sealed by, with its PIN', async () => {
    const vault = await vaults.createVault('2739');
    const { iv, sealed } = await vault.seal('draft:1', { secret: 'words' });
    expect(new TextDecoder().decode(sealed)).not.toContain('words');
    const again = await opened('2739');
    expect(await again.unseal('draft:1', iv, sealed)).toEqual({ secret: 'words' });
    await expect(again.unseal('draft:2', iv, sealed)).rejects.toThrow();
  });

  it('does not open with the PIN and another device key, nor can the key be read', async () => {
    await vaults.createVault('2739');
    const { deviceKey } = (await storage.readDevice<{ deviceKey: CryptoKey }>('vault'))!;
    expect(deviceKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('raw', deviceKey)).rejects.toThrow();
    const other = await crypto.subtle.generateKey(
      { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign']);
    await storage.changeDevice<object>('vault', (stored) => ({ ...stored, deviceKey: other }));
    expect((await vaults.unlockVault('2739')).kind).toBe('wrong');
  });

  it('counts wrong PINs, slows them, and ends', async () => {
    await vaults.createVault('2739');
    let now = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => now);
    const waits: number[] = [];
    for (let left = vaults.PIN_TRIES_MAX - 1; left > 0; --left) {
      const result = await vaults.unlockVault('0001');
      expect(result).toMatchObject({ kind: 'wrong', left });
      const { waitMs } = result as { waitMs: number };
      waits.push(waitMs);
      if (waitMs > 0) {
        expect(await vaults.unlockVault('2739')).toMatchObject({ kind: 'wait', left });
        now -= 86_400_000; // a clock that is set back makes it no longer
        expect((await vaults.lockState()).waitMs).toBeLessThanOrEqual(waitMs);
        now += 86_400_000 + waitMs;
      }
    }
    expect(waits).toEqual([0, 0, 30e3, 60e3, 300e3, 900e3, 1800e3, 3600e3, 3600e3]);
    expect((await vaults.unlockVault('0001')).kind).toBe('used-up');
    now += 86_400_000;
    expect((await vaults.unlockVault('2739')).kind).toBe('used-up');
    vi.restoreAllMocks();
  });

  it('forgets wrong PINs at the right one', async () => {
    await vaults.createVault('2739');
    await vaults.unlockVault('0001');
    await opened('2739');
    expect(await vaults.lockState()).toEqual({ left: vaults.PIN_TRIES_MAX, waitMs: 0 });
  });

  it('keeps every earlier one that holds something', async () => {
    const { Records } = await import('../src/records');
    await new Records(await vaults.createVault('1111')).write('draft:1', { n: 1 });
    await new Records(await vaults.createVault('2222')).write('outbox:2', { n: 2 });
    await vaults.createVault('3333');
    const first = (await vaults.earlierVault())!;
    const result = await vaults.unlockVault('1111', first);
    expect(result.kind).toBe('open');
    await vaults.forgetEarlierVault(first);
    const second = (await vaults.earlierVault())!;
    expect(second).not.toBe(first);
    expect((await vaults.unlockVault('2222', second)).kind).toBe('open');
    await vaults.forgetEarlierVault(second);
    expect(await vaults.earlierVault()).toBeUndefined();
  });
});
