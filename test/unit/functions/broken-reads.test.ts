import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { archiveWriter } from '../../../functions/adapters/archive/writer.ts';
import { putJson } from '../../../functions/adapters/s3/documents.ts';
import { putTally } from '../../../functions/backup/export/documents.ts';
import { joinShards } from '../../../functions/backup/export/export.ts';
import { Tally } from '../../../functions/backup/export/tally.ts';
import { COPIES } from '../../../functions/contract/copies.ts';
import type { BackupRecord, Work } from '../../../functions/core/backup/record.ts';
import { TYPES } from '../../../functions/core/kubernetes/well-known.ts';
import { isReplicated } from '../../../functions/core/vault/replication.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { KubeClient } from '../../../functions/ports/kubernetes.ts';
import { replicate } from '../../../functions/replicate/replicate-backup/replicate.ts';
import { planItems } from '../../../functions/restore/plan-restore/plan.ts';
import { writeReport } from '../../../functions/verify/verify-vault/report.ts';
import { partOfRun, survey } from '../../../functions/verify/verify-vault/survey.ts';
import { verifyVault } from '../../../functions/verify/verify-vault/verify.ts';
import { keyPair } from '../../support/key-pair.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { commitPoint } from '../../support/recovery-point.ts';
import { selectionOf } from '../../support/selection.ts';

// A connection that breaks while an object is read says nothing of the object: whoever reads is to try again.
const AGAIN = { name: 'VaultUnavailable', retryable: true };
const keys = vaultKeys('paris');
const signer = keyPair();
const BACKUP = 'daily-20260101000000';
const NOW = new Date('2026-02-01T00:00:00Z');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const repository = keys.restic.repository('shop');
let primary: MemoryVault;
let replica: MemoryVault;
let record: BackupRecord;

beforeEach(async () => {
  [primary, replica] = [new MemoryVault('primary'), new MemoryVault('replica')];
  const put = (key: string, text: string) => primary.put(`${repository}/${key}`, Buffer.from(text));
  await put('config', 'config');
  for (const kind of ['keys', 'index', 'snapshots']) await put(`${kind}/${sha256(kind)}`, kind);
  await put(`data/${sha256('pack').slice(0, 2)}/${sha256('pack')}`, 'pack');
  const volume = { namespace: 'shop', pvc: 'data', snapshot: sha256('snapshots') };
  record = await commitPoint({ vault: primary, signer, cluster: 'paris' }, BACKUP, [volume]);
});
const replicated = () => [...primary.objects.keys()].filter(isReplicated);

describe('a read that breaks half way', () => {
  it('of any object that is copied ends the copying with an error to be tried again, and the next run ends it', async () => {
    const run = () => replicate({ primary, replica, keys, timeLeft: () => true }, record);
    for (const key of replicated()) {
      replica = new MemoryVault('replica');
      primary.breaking.add(key);
      await expect(run(), key).rejects.toMatchObject(AGAIN);
      expect([key, replica.objects.has(key), (await run()).remaining]).toEqual([key, false, 0]);
    }
  });

  it('of any object that is proven, in either copy, is no other proof and no other error', async () => {
    const run = () => replicate({ primary, replica, keys, timeLeft: () => true }, record);
    const bring = () => {
      replica = new MemoryVault('replica');
      for (const [key, { body }] of primary.objects)
        if (isReplicated(key)) replica.objects.set(key, { body, metadata: {}, byReplication: true });
    };
    let broke = 0;
    for (const copy of COPIES)
      for (const key of replicated()) {
        bring();
        const vault = { primary, replica }[copy];
        vault.breaking.add(key);
        const ended = await run().catch((error: unknown) => error);
        if (vault.breaking.delete(key)) continue; // its name or its record says what it should be: nobody read it
        broke++;
        expect([copy, key, ended]).toEqual([copy, key, expect.objectContaining(AGAIN)]);
        expect(await run()).toMatchObject({ remaining: 0, copied: 0 });
      }
    expect(broke).toBeGreaterThan(replicated().length);
  });

  it('of an inventory does not take what it says for all that was proven', async () => {
    await replicate({ primary, replica, keys, timeLeft: () => true }, record);
    const inventory = keys.inventory(`${repository}/data/`) as string;
    const before = replica.objects.get(inventory)?.body;
    replica.breaking.add(inventory);
    await expect(replicate({ primary, replica, keys, timeLeft: () => true }, record)).rejects.toMatchObject(
      AGAIN,
    );
    expect(replica.objects.get(inventory)?.body).toEqual(before);
  });

  it('of any object in either copy is no finding of a verification', async () => {
    await replicate({ primary, replica, keys, timeLeft: () => true }, record);
    for (const vault of [primary, replica])
      await putJson(vault, keys.records.replica(BACKUP), { backup: BACKUP });
    const copies = { primary, replica };
    const whole = replicated();
    let broke = 0;
    for (const vault of [primary, replica])
      for (const [i, key] of whole.entries()) {
        const run = `verify-20260201${String(i).padStart(6, '0')}-${vault.bucket}`;
        const of = await partOfRun(copies, keys, run, 1);
        const found = await survey(copies, keys, signer);
        await putJson(primary, keys.records.verify.run(run), {
          run,
          ...of,
          startedAt: NOW.toISOString(),
          ...found,
        });
        const verify = () => verifyVault({ copies, keys, verifier: signer, timeLeft: () => true }, run);
        vault.breaking.add(key);
        const ended = await verify().catch((error: unknown) => error);
        if (vault.breaking.delete(key)) continue; // what is not promised is not read
        broke++;
        expect([key, ended]).toEqual([key, expect.objectContaining(AGAIN)]);
        await verify();
        expect(await writeReport(copies, keys, run, NOW)).toMatchObject({ phase: 'Completed', findings: [] });
      }
    expect(broke).toBeGreaterThan(whole.length);
  });

  it('of any object of a recovery point is no damaged recovery point to a restore', async () => {
    const plan = () => planItems({ vault: primary, keys }, record, { namespaces: ['shop'], options: {} });
    for (const { key } of record.objects) {
      primary.breaking.add(key);
      await expect(plan(), key).rejects.toMatchObject(AGAIN);
      expect((await plan()).items).toHaveLength(20);
    }
  });

  it('of a part of an export leaves no archive', async () => {
    const type = TYPES.secrets;
    for (const [shard, name] of ['a', 'b'].entries()) {
      const writer = archiveWriter({ first: shard === 0, last: false });
      const bytes = buffer(writer.output);
      await writer.add(type, name, 'shop', Buffer.from(`{"metadata":{"name":"${name}"}}`));
      await writer.end();
      await primary.put(keys.exports.part(BACKUP, shard), await bytes);
      await putTally(primary, keys.exports.tally(BACKUP, shard), new Tally().toDocument());
    }
    const none = { related: [], unreadable: [], readOnly: [], problems: [] };
    const plan = { resourceVersion: '1', shards: [[{ type }], [{ type }]], ...none };
    const work = {
      backup: BACKUP,
      namespaces: ['shop'],
      selection: selectionOf(['shop']),
    } as unknown as Work;
    const ports = { cluster: {} as KubeClient, vault: primary, keys };
    for (const part of [0, 1, 2]) {
      await primary.remove([keys.velero.archive(BACKUP)]);
      primary.breaking.add(keys.exports.part(BACKUP, part));
      await expect(joinShards(ports, work, plan, 0)).rejects.toMatchObject(AGAIN);
      expect(await primary.exists(keys.velero.archive(BACKUP))).toBe(false);
    }
    expect(await joinShards(ports, work, plan, 0)).toMatchObject({ shards: 2 });
  });
});
