// IndexedDB, as promises. Two stores: `device` for what must be readable before the PIN is known
// (the vault's salt and key handle, the chosen language), `records` for everything else, sealed. A
// failed write rejects; the caller says so to the patient, because then nothing was kept.

const NAME = 'trialward-patient';
const VERSION = 1;

export interface SealedRow {
  key: string; // with its vault's id in front: no record of one is ever read by another
  iv: Uint8Array;
  sealed: ArrayBuffer;
}

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('device');
      request.result.createObjectStore('records', { keyPath: 'key' });
    };
    request.onsuccess = () => {
      // A newer page in another tab may want to change the stores: let it.
      request.result.onversionchange = () => { request.result.close(); opened = undefined; };
      request.result.onclose = () => { opened = undefined; };
      resolve(request.result);
    };
    request.onerror = () => { opened = undefined; reject(request.error); };
    request.onblocked = () => { opened = undefined; reject(new Error('blocked by another tab')); };
  });
  return opened;
}

type StoreName = 'device' | 'records';

// Runs `use` in one transaction and gives its request's result once the transaction is complete: a
// write that was only asked for is not kept yet.
async function within<T>(store: StoreName, mode: IDBTransactionMode,
                         use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode, { durability: 'strict' });
    const request = use(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
    transaction.onerror = () => reject(transaction.error ?? request.error);
  });
}

export async function readDevice<T>(key: string): Promise<T | undefined> {
  return within('device', 'readonly', (store) => store.get(key)) as Promise<T | undefined>;
}

export async function writeDevice(key: string, value: unknown): Promise<void> {
  await within('device', 'readwrite', (store) => store.put(value, key));
}

// Changes a value in one transaction, so that two tabs do not undo each other's change.
export async function changeDevice<T>(key: string,
                                      change: (value: T | undefined) => T): Promise<T> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction('device', 'readwrite', { durability: 'strict' });
    const store = transaction.objectStore('device');
    let next: T;
    const request = store.get(key) as IDBRequest<T | undefined>;
    request.onsuccess = () => {
      next = change(request.result);
      store.put(next, key);
    };
    transaction.oncomplete = () => resolve(next);
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
  });
}

export async function readRow(key: string): Promise<SealedRow | undefined> {
  return within('records', 'readonly', (store) => store.get(key)) as Promise<SealedRow | undefined>;
}

// Every row whose key begins so, in the order of their keys.
export async function readRows(prefix: string): Promise<SealedRow[]> {
  const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
  return within('records', 'readonly', (store) => store.getAll(range)) as Promise<SealedRow[]>;
}

export async function hasRows(prefix: string): Promise<boolean> {
  const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
  return (await within('records', 'readonly', (store) => store.count(range))) > 0;
}

export async function writeRow(row: SealedRow): Promise<void> {
  await within('records', 'readwrite', (store) => store.put(row));
}

export async function deleteRow(key: string): Promise<void> {
  await within('records', 'readwrite', (store) => store.delete(key));
}

// Asks that the browser does not clear what is kept when space is short. It may refuse.
export async function askToPersist(): Promise<void> {
  try {
    await navigator.storage?.persist?.();
  } catch {
    // It is kept as well as the browser keeps anything.
  }
}
