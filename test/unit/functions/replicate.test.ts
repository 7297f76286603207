import { beforeEach, describe, expect, it } from 'vitest';
import type { BackupRecord } from '../../../functions/core/backup/record.ts';
import { copyRank, isReplicated } from '../../../functions/core/vault/replication.ts';
import { replicate } from '../../../functions/replicate/replicate-backup/replicate.ts';
import { Killed, MemoryVault } from '../../support/memory-vault.ts';
import {
  archive,
  BACKUP,
  inRepository,
  keys,
  record,
  repository,
  sha256,
} from '../../support/repository-objects.ts';

const CONTENT: [string, string][] = [
  [`${repository}/config`, 'config'],
  [`${repository}/locks/${sha256('lock')}`, 'lock'],
  inRepository('keys', 'key'),
  ...['a', 'b', 'c', 'd'].map((name) => inRepository('data', `pack ${name}`)),
  inRepository('index', 'index'),
  inRepository('snapshots', 'snapshot'),
  [archive, 'archive'],
  [keys.velero.backup(BACKUP), '{}'],
  [keys.records.work(BACKUP), 'work'],
  [keys.records.volume(BACKUP, 'shop.data'), 'volume'],
  [keys.records.record(BACKUP), 'record'],
];

let primary: MemoryVault;
let replica: MemoryVault;
const run = (timeLeft = () => true) => replicate({ primary, replica, keys, timeLeft }, record);
const wanted = CONTENT.map(([key]) => key).filter(isReplicated);

beforeEach(() => {
  [primary, replica] = [new MemoryVault('primary'), new MemoryVault('replica')];
  for (const [key, text] of CONTENT) primary.objects.set(key, { body: Buffer.from(text), metadata: {} });
});

/** What is in the replica beside its own inventories. */
const copies = () => [...replica.objects.keys()].filter((key) => !key.startsWith('inventories/')).sort();

/** Whether everything in the replica finds there what it refers to. */
function refersToNothingMissing(): boolean {
  const highest = Math.max(-1, ...copies().map(copyRank));
  return wanted.filter((key) => copyRank(key) < highest).every((key) => replica.objects.has(key));
}

describe('the replication of a recovery point', () => {
  it('brings everything but locks, once', async () => {
    expect(await run()).toMatchObject({ remaining: 0, objects: 13, copied: 13, read: 0 });
    expect(copies()).toEqual([...wanted].sort());
    expect(await run()).toMatchObject({ remaining: 0, objects: 13, copied: 0, read: 0 });
  });

  it('copies again what has changed in the primary, and nothing else', async () => {
    await run();
    primary.objects.set(keys.records.work(BACKUP), { body: Buffer.from('WORK'), metadata: {} });
    expect(await run()).toMatchObject({ remaining: 0, copied: 1 });
    expect(replica.objects.get(keys.records.work(BACKUP))?.body.toString()).toBe('WORK');
  });

  it('leaves a copy of another origin to no one’s trust', async () => {
    await run();
    replica.objects.set(archive, { body: Buffer.from('ARCHIVE'), metadata: {} });
    expect(await run()).toMatchObject({ copied: 1 });
    expect(replica.objects.get(archive)?.body.toString()).toBe('archive');
  });

  it('refuses an archive whose bytes are not what was promised, and what refers to it', async () => {
    primary.objects.set(archive, { body: Buffer.from('rotten!'), metadata: {} });
    await expect(run()).rejects.toMatchObject({ name: 'RecoveryPointDamaged' });
    expect(replica.objects.has(archive)).toBe(false);
    expect(replica.objects.has(keys.records.record(BACKUP))).toBe(false);
  });

  it('refuses a pack that is not what its name says: it costs its repository, and nothing else', async () => {
    const bank = keys.restic.repository('bank');
    const inBank = (kind: string, text: string) => `${bank}/${kind}/${sha256(text)}`;
    const others = [inBank('data', 'gold'), inBank('index', 'of gold'), inBank('snapshots', 'of today')];
    for (const [i, text] of ['gold', 'of gold', 'of today'].entries())
      primary.objects.set(others[i] as string, { body: Buffer.from(text), metadata: {} });
    const [volume] = record.volumes as [BackupRecord['volumes'][number]];
    const both = { ...record, volumes: [volume, { ...volume, id: 'bank.data', namespace: 'bank' }] };
    const rotten = inRepository('data', 'pack b')[0];
    primary.objects.set(rotten, { body: Buffer.from('rotten!'), metadata: {} });
    const again = () => replicate({ primary, replica, keys, timeLeft: () => true }, both);
    for (const attempt of [again, again]) {
      await expect(attempt()).rejects.toMatchObject({
        name: 'RecoveryPointDamaged',
        message: expect.stringContaining(rotten),
      });
      expect(copies()).toEqual(expect.arrayContaining([...others, archive, keys.records.record(BACKUP)]));
      for (const [key] of [inRepository('index', 'index'), inRepository('snapshots', 'snapshot')])
        expect(replica.objects.has(key)).toBe(false);
    }
  });

  it('stops when its time is over, says that something remains, and is finished by the next', async () => {
    let asked = 0;
    await run(() => ++asked > 0);
    for (let last = 1; last < asked; last++) {
      replica = new MemoryVault('replica');
      let calls = 0;
      // For a moment only: whoever asks again after that may go on.
      const first = await run(() => ++calls !== last);
      expect([last, first.remaining > 0, refersToNothingMissing()]).toEqual([last, true, true]);
      expect(await run()).toMatchObject({ remaining: 0 });
      expect(copies()).toEqual([...wanted].sort());
    }
  });

  it('may be killed at any call: nothing in the replica refers to what is missing, and the next run ends it', async () => {
    const counting = new MemoryVault('counting');
    await replicate({ primary, replica: counting, keys, timeLeft: () => true }, record);
    for (let at = 0; at < counting.calls; at++) {
      replica = new MemoryVault('replica');
      replica.callsLeft = at;
      await expect(run()).rejects.toBeInstanceOf(Killed);
      await new Promise((resolve) => setImmediate(resolve)); // copies that were under way end
      expect([at, refersToNothingMissing()]).toEqual([at, true]);
      replica.callsLeft = Number.POSITIVE_INFINITY;
      expect(await run()).toMatchObject({ remaining: 0, objects: 13 });
    }
  });
});
