import { beforeEach, describe, expect, it } from 'vitest';
import { putJson } from '../../../functions/adapters/s3/documents.ts';
import { CONTROL_PLANE } from '../../../functions/core/backup/control-plane.ts';
import { recordToProve } from '../../../functions/replicate/replicate-backup/proof.ts';
import { hasSnapshots } from '../../../functions/replicate/replicate-backup/snapshots.ts';
import { putSignedRecord } from '../../../functions/runtime/signed-records.ts';
import { recordOf } from '../../support/builders.ts';
import { keyPair } from '../../support/key-pair.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { BACKUP, keys } from '../../support/repository-objects.ts';
import { resticId } from '../../support/restic-id.ts';

const volume = (namespace: string, name: string) =>
  ({
    id: `${namespace}.${name}`,
    namespace,
    pvc: name,
    result: 'protected',
    snapshot: resticId(name),
  }) as const;
const record = recordOf(BACKUP, {
  volumes: [volume('shop', 'a'), volume('shop', 'b'), volume('bank', 'c')],
  controlPlane: [{ id: 'etcd', result: 'protected', snapshot: resticId('etcd') }],
});
const keyOf = (namespace: string, name: string) =>
  `${keys.restic.repository(namespace)}/snapshots/${resticId(name)}`;
const KEYS = [keyOf('shop', 'a'), keyOf('shop', 'b'), keyOf('bank', 'c'), keyOf(CONTROL_PLANE, 'etcd')];

let primary: MemoryVault;
let replica: MemoryVault;
const look = (timeLeft = () => true) => hasSnapshots({ primary, replica, keys, timeLeft }, record);

beforeEach(() => {
  [primary, replica] = [new MemoryVault('primary'), new MemoryVault('replica')];
  for (const vault of [primary, replica])
    for (const key of KEYS) vault.objects.set(key, { body: Buffer.from('s'), metadata: {} });
});

describe('the snapshots of a record', () => {
  it('are in both copies', async () => {
    expect(await look()).toBe(true);
  });

  it.each(KEYS)('are not proven while the primary does not have %s', async (key) => {
    primary.objects.delete(key);
    await expect(look()).rejects.toMatchObject({
      name: 'RecoveryPointDamaged',
      message: expect.stringContaining(`the record names ${key}, which is not in bucket primary`),
    });
  });

  it.each(KEYS)('are not proven while the replica does not have %s', async (key) => {
    replica.objects.delete(key);
    await expect(look()).rejects.toMatchObject({
      name: 'ReplicaMismatch',
      message: expect.stringContaining(`the record names ${key}, which is not in bucket replica`),
    });
  });

  it('are not proven by an object whose name begins as theirs', async () => {
    replica.objects.delete(KEYS[0] as string);
    replica.objects.set(`${KEYS[0]}0`, { body: Buffer.from('s'), metadata: {} });
    await expect(look()).rejects.toMatchObject({ name: 'ReplicaMismatch' });
  });

  it('are not proven when the time is over', async () => {
    expect(await look(() => false)).toBe(false);
  });
});

describe('a recovery point whose replica is to be proven', () => {
  const signer = keyPair();
  const toProve = () => recordToProve(primary, keys, BACKUP, signer);

  it('has a record that Holdfast signed', async () => {
    await putSignedRecord(primary, keys.records.record(BACKUP), record, signer);
    expect(await toProve()).toEqual(record);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['RecoveryPointNotFound', async () => undefined],
    ['RecordUnsigned', () => putJson(primary, keys.records.record(BACKUP), record)],
    ['RecordForged', () => putSignedRecord(primary, keys.records.record(BACKUP), record, keyPair())],
  ])('is refused with %s otherwise', async (name, write) => {
    await write();
    await expect(toProve()).rejects.toMatchObject({ name });
  });
});
