import { beforeEach, describe, expect, it } from 'vitest';
import type { LockRequest } from '../../../functions/contract/states.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { lockCopy } from '../../../functions/lock/extend-locks/lock-copy.ts';
import { putSignedRecord } from '../../../functions/runtime/signed-records.ts';
import { recordOf } from '../../support/builders.ts';
import { keyPair } from '../../support/key-pair.ts';
import { MemoryLocks } from '../../support/memory-locks.ts';
import { Killed, MemoryVault } from '../../support/memory-vault.ts';
import { resticId } from '../../support/restic-id.ts';

const keys = vaultKeys('paris');
const signer = keyPair();
const NOW = new Date('2026-03-01T00:00:00Z');
const inDays = (days: number) => new Date(NOW.getTime() + days * 24 * 3600 * 1000);
const [OLD, KEPT] = ['daily-20260226000000', 'daily-20260227000000'];
const pack = `${keys.restic.repository('shop')}/data/00/0011`;
const BEGIN: LockRequest = {
  startedAt: NOW.toISOString(),
  copy: 'primary',
  checked: 0,
  extended: 0,
  governed: 0,
};

let vault: MemoryVault;
let locks: MemoryLocks;

const pointOf = (backup: string) =>
  recordOf(backup, {
    startedAt: '2026-02-27T00:00:00Z',
    completedAt: '2026-02-27T00:10:00Z',
    volumes: [{ id: 'shop.data', namespace: 'shop', result: 'protected', snapshot: resticId('s') }],
  });

/** One call of the function, which stops when its time is over. */
const call = (request: LockRequest, timeLeft = () => true) =>
  lockCopy(request, vault, locks, {
    keys,
    lock: { mode: 'GOVERNANCE', days: 30 },
    retentionOf: () => ({ policies: [{ keepLast: 1 }], timeZone: 'UTC' }),
    verifier: signer,
    now: NOW,
    timeLeft,
  });
const shortOnes = (days = 15) =>
  locks.stored.filter((v) => !v.retention || v.retention.until < inDays(days)).map((v) => v.key);
const promised = async () => JSON.parse((await vault.get(keys.records.lock(KEPT))).toString()) as unknown;

/** The bucket as it is before a pass. */
function bucket(): MemoryLocks {
  const fresh = new MemoryLocks(3);
  for (const backup of [OLD, KEPT])
    for (const key of [keys.records.record(backup), keys.velero.archive(backup)]) fresh.add(key, inDays(1));
  for (const name of ['0011', '0022', '0033', '0044', '0055'])
    fresh.add(`${keys.restic.repository('shop')}/data/00/${name}`, inDays(2));
  fresh.add(`${keys.restic.repository('shop')}/index/aa`, inDays(29));
  return fresh;
}

beforeEach(async () => {
  vault = new MemoryVault('primary');
  locks = bucket();
  await vault.put(`${keys.restic.repository('shop')}/config`, Buffer.from('config'));
  const proof = {
    region: 'r',
    bucket: 'b',
    provenAt: '2026-02-27T00:20:00Z',
    objects: 1,
    bytes: 1,
    copied: 1,
  };
  for (const backup of [OLD, KEPT]) {
    await putSignedRecord(vault, keys.records.record(backup), pointOf(backup), signer);
    await vault.put(keys.records.replica(backup), Buffer.from(JSON.stringify({ backup, ...proof })));
  }
});

describe('a pass over one copy', () => {
  it('locks what is kept, and old packs that it needs, for the whole period again', async () => {
    expect(await call(BEGIN)).toMatchObject({ checked: 8, extended: 7 });
    expect(locks.until(pack)).toEqual([inDays(30)]);
    expect(locks.until(`${keys.restic.repository('shop')}/index/aa`)).toEqual([inDays(29)]);
  });

  it('leaves what the policy lets go to the end of its lock', async () => {
    await call(BEGIN);
    expect(shortOnes()).toEqual([keys.records.record(OLD), keys.velero.archive(OLD)]);
  });

  it('says in the recovery point until when it is locked, after that is so', async () => {
    await call(BEGIN);
    expect(await promised()).toEqual({
      mode: 'GOVERNANCE',
      until: inDays(15).toISOString(),
      began: new Date(BEGIN.startedAt).toISOString(),
    });
    expect(vault.objects.has(keys.records.lock(OLD))).toBe(false);
  });

  it('locks a version that had no lock, and every version of what was overwritten', async () => {
    locks.add(pack, undefined);
    await call(BEGIN);
    expect(locks.until(pack)).toEqual([inDays(30), inDays(30)]);
  });

  it('leaves alone what a prune has deleted from a repository, and restic’s locks', async () => {
    const freed = `${keys.restic.repository('shop')}/data/ff/ff`;
    const lock = `${keys.restic.repository('shop')}/locks/l`;
    locks.add(freed, inDays(1), { deleted: true });
    locks.add(lock, inDays(1));
    await call(BEGIN);
    expect([...locks.until(freed), ...locks.until(lock)]).toEqual([inDays(1), inDays(1)]);
  });

  it('keeps the locks of objects deleted from a kept recovery point', async () => {
    const gone = keys.velero.backup(KEPT);
    locks.add(gone, inDays(1), { deleted: true });
    await call(BEGIN);
    expect(locks.until(gone)).toEqual([inDays(30)]);
  });

  it('lets go of nothing because a record was changed', async () => {
    const key = keys.records.record(KEPT);
    const changed = (await vault.get(key)).toString().replace('"Completed"', '"Failed"');
    await vault.put(key, Buffer.from(changed));
    await call(BEGIN);
    expect(locks.until(pack)).toEqual([inDays(30)]);
    expect(locks.until(keys.velero.archive(KEPT))).toEqual([inDays(30)]);
    expect(vault.objects.has(keys.records.lock(KEPT))).toBe(false);
  });

  it('is not misled by copies of a signed record under newer names', async () => {
    const signed = await vault.get(keys.records.record(KEPT));
    await vault.put(keys.records.record('daily-20260228000000'), signed);
    await call(BEGIN);
    expect(locks.until(keys.velero.archive(KEPT))).toEqual([inDays(30)]);
    expect(vault.objects.has(keys.records.lock(KEPT))).toBe(true);
  });

  it('stops at any page when its time is over, and the next call resumes there', async () => {
    let asked = 0;
    await call(BEGIN, () => ++asked > 0);
    vault.objects.delete(keys.records.lock(KEPT));
    expect(asked).toBeGreaterThan(3);
    for (let last = 1; last <= asked; last++) {
      locks = bucket();
      let calls = 0;
      const first = await call(BEGIN, () => ++calls < last);
      expect([last, first.after !== undefined]).toEqual([last, true]);
      expect(vault.objects.has(keys.records.lock(KEPT))).toBe(false);
      expect(await call(first)).toMatchObject({ checked: 8 });
      vault.objects.delete(keys.records.lock(KEPT));
      expect(shortOnes()).toEqual([keys.records.record(OLD), keys.velero.archive(OLD)]);
    }
  });

  it('may be killed at any call: no promise is made before it is true, and the next run ends it', async () => {
    await call(BEGIN);
    const all = locks.calls;
    for (let at = 0; at < all; at++) {
      vault.objects.delete(keys.records.lock(KEPT));
      locks = bucket();
      locks.callsLeft = at;
      await expect(call(BEGIN)).rejects.toBeInstanceOf(Killed);
      await new Promise((resolve) => setImmediate(resolve)); // calls that were under way end
      expect([at, vault.objects.has(keys.records.lock(KEPT))]).toEqual([at, false]);
      locks.callsLeft = Number.POSITIVE_INFINITY;
      await call(BEGIN);
      expect(shortOnes()).toEqual([keys.records.record(OLD), keys.velero.archive(OLD)]);
    }
  });
});
