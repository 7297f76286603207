import { createHash } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { expect, it } from 'vitest';
import type { BackupRecord } from '../../../functions/core/backup/record.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { replicate } from '../../../functions/replicate/replicate-backup/replicate.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { resticId } from '../../support/restic-id.ts';

const PACKS = 100_000;
/** Of listed objects that are not yet in the inventory: what is at work, and some buffers of streams. */
const FEW = 10_000;
const keys = vaultKeys('paris');
const data = `${keys.restic.repository('shop')}/data/`;
const record = {
  backup: 'daily-20260101000000',
  volumes: [{ id: 'shop.data', namespace: 'shop', result: 'protected', snapshot: resticId('s') }],
  objects: [],
} as unknown as BackupRecord;

/** In the order of the numbers, and as little to be compressed as the names of real packs. */
const NAMES = Array.from(
  { length: PACKS },
  (_, i) => i.toString(16).padStart(8, '0') + createHash('sha256').update(String(i)).digest('hex').slice(8),
);

/** A vault whose packs exist in its listings alone, as if S3's replication had brought them with their sha256. */
class LargeVault extends MemoryVault {
  listed = 0;
  looked = 0;
  /** The most objects that were listed and not yet written to the inventory. */
  held = 0;

  override async *list(prefix: string) {
    if (prefix !== data) return yield* super.list(prefix);
    const [bytes, modified] = [16 * 1024 * 1024, new Date(0)];
    this.listed = 0;
    for (const name of NAMES) {
      this.listed++;
      yield { key: `${data}00/${name}`, bytes, etag: name.slice(-32), modified };
    }
  }
  override async about(key: string) {
    this.looked++;
    return { metadata: {}, byReplication: true, underWay: false, sha256: key.slice(-64) };
  }
  override async upload(...[key, stream, options]: Parameters<MemoryVault['upload']>): Promise<string> {
    const lines = stream.pipe(createGunzip());
    const chunks: Buffer[] = [];
    let written = 0;
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    for await (const chunk of lines as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) written++;
      this.held = Math.max(this.held, this.listed - written);
    }
    options?.check?.('');
    this.objects.set(key, { body: Buffer.concat(chunks), metadata: {} });
    return 'etag';
  }
}

it('goes through a hundred thousand packs with few of them in memory, and looks at none of them twice', async () => {
  const [primary, replica] = [new LargeVault('primary'), new LargeVault('replica')];
  const run = () => replicate({ primary, replica, keys, timeLeft: () => true }, record);
  expect(await run()).toMatchObject({ remaining: 0, objects: PACKS, copied: 0, read: 0 });
  expect(replica.looked).toBe(PACKS);
  expect(replica.held).toBeLessThan(FEW);
  expect(await run()).toMatchObject({ remaining: 0, objects: PACKS, copied: 0, read: 0 });
  expect(replica.looked).toBe(PACKS);
  expect(replica.held).toBeLessThan(FEW);
}, 120_000);
