// Sealed records by name: what the page keeps on the phone. Names begin with their kind: "token",
// "home", "form:ID", "draft:ID", "outbox:ID", "receipt:ID". Reading what cannot be unsealed
// rejects.
import { deleteRow, readRow, readRows, writeRow } from './storage';
import type { Vault } from './vault';

export class Records {
  constructor(private readonly vault: Vault) {}

  async read<T>(name: string): Promise<T | undefined> {
    const row = await readRow(this.keyOf(name));
    return row && (await this.vault.unseal(name, row.iv, row.sealed)) as T;
  }

  // All of a kind that can be unsealed. One that a fault of the device has spoilt stays where it is
  // and is in nobody's way.
  async list<T>(kind: string): Promise<T[]> {
    const rows = await readRows(this.keyOf(`${kind}:`));
    const read = await Promise.allSettled(rows.map(async ({ key, iv, sealed }) =>
      (await this.vault.unseal(key.slice(this.keyOf('').length), iv, sealed)) as T));
    return read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  async write(name: string, value: unknown): Promise<void> {
    await writeRow({ key: this.keyOf(name), ...await this.vault.seal(name, value) });
  }

  async delete(name: string): Promise<void> {
    await deleteRow(this.keyOf(name));
  }

  private keyOf(name: string): string {
    return `${this.vault.id}/${name}`;
  }
}
