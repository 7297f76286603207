import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BackupRecord } from '../../../functions/core/backup/record.ts';
import { findSignedRecord, putSignedRecord } from '../../../functions/runtime/signed-records.ts';
import { keyPair } from '../../support/key-pair.ts';
import { MemoryVault } from '../../support/memory-vault.ts';

const KEY = 'records/paris/daily-1/record.json';
const key = keyPair();
const record: BackupRecord = {
  version: 1,
  cluster: 'paris',
  plan: 'daily',
  backup: 'daily-1',
  phase: 'Completed',
  reasons: [],
  startedAt: '2026-01-01T00:00:00Z',
  completedAt: '2026-01-01T00:01:00Z',
  namespaces: ['shop', 'ünïcode'],
  volumes: [],
  excluded: [],
  unprotected: [],
  objects: [{ key: 'velero/paris/backups/daily-1/daily-1.tar.gz', bytes: 7, sha256: '0a'.repeat(32) }],
};
let vault: MemoryVault;
const stored = () => vault.objects.get(KEY)?.body as Buffer;
const store = (body: Buffer) => vault.objects.set(KEY, { body, metadata: {} });
const find = () => findSignedRecord(vault, KEY, key);

beforeEach(async () => {
  vault = new MemoryVault('vault');
  await putSignedRecord(vault, KEY, record, key);
});

describe('a signed record', () => {
  it('is read as it was written', async () => {
    expect(await find()).toEqual({ record, signed: true });
  });

  it('is JSON that anybody can read, its signature last', () => {
    const { signature, ...rest } = JSON.parse(stored().toString('utf8'));
    expect([rest, typeof signature]).toEqual([record, 'string']);
  });

  it('is forged when one word is another', async () => {
    store(Buffer.from(stored().toString('utf8').replace('Completed', 'Failed')));
    await expect(find()).rejects.toMatchObject({ name: 'RecordForged' });
  });

  it('is forged when another key signed it', async () => {
    await putSignedRecord(vault, KEY, record, keyPair());
    await expect(find()).rejects.toMatchObject({ name: 'RecordForged' });
  });

  it('is forged when its signature is spelt in another way', async () => {
    const text = stored().toString('utf8');
    store(Buffer.from(text.replace(/"signature": "(.*?)=*"/, '"signature": "$1===="')));
    await expect(find()).rejects.toMatchObject({ name: 'RecordForged' });
  });

  it('is unsigned, and says so, when its signature was taken away', async () => {
    store(
      Buffer.from(
        stored()
          .toString('utf8')
          .replace(/,\n {2}"signature": ".*"/, ''),
      ),
    );
    expect(await find()).toEqual({ record, signed: false });
  });

  it('is never taken for complete after a bit was flipped anywhere', async () => {
    const whole = stored();
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (at, bit) => {
        const flipped = Buffer.from(whole);
        flipped[at] = (flipped[at] as number) ^ (1 << bit);
        store(flipped);
        const found = await find().catch((error: Error) => error.name);
        // Of the last bytes, a space or a bracket: what is no longer recognized as a signature is none.
        if (typeof found === 'object') expect(found.signed).toBe(false);
        else expect(['RecordForged', 'RecoveryPointDamaged']).toContain(found);
      }),
      { numRuns: 1000 },
    );
  });
});
