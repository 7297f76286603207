import { beforeEach, describe, expect, it } from 'vitest';
import { putJson } from '../../../functions/adapters/s3/documents.ts';
import { type OpenContext, openBackup } from '../../../functions/backup/open-backup/open.ts';
import { HoldfastError } from '../../../functions/contract/holdfast-error.ts';
import type { BackupInput } from '../../../functions/contract/states.ts';
import { type BackupRecord, Work } from '../../../functions/core/backup/record.ts';
import { TYPES } from '../../../functions/core/kubernetes/well-known.ts';
import type { Holder } from '../../../functions/core/vault/lease.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { takeLease } from '../../../functions/runtime/leases.ts';
import { putSignedRecord } from '../../../functions/runtime/signed-records.ts';
import { DATA, recordOf, resourcesOf } from '../../support/builders.ts';
import { FakeCluster, REFUSALS } from '../../support/fake-cluster.ts';
import { keyPair } from '../../support/key-pair.ts';
import { killAtEveryCall, Life } from '../../support/kill.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { KINDS, thing } from '../../support/restores.ts';
import { planOf, settingsWith } from '../../support/selection.ts';

const keys = vaultKeys('paris');
const NOW = new Date('2026-02-01T02:00:30Z');
const SCHEDULED = '2026-02-01T02:00:00Z';
const BACKUP = 'daily-20260201020000';
const EXECUTION = 'arn:aws:states:::execution:holdfast-paris-backup:1';
const never = async () => false;
const KEY = keyPair();

interface World {
  readonly vault: MemoryVault;
  readonly cluster: FakeCluster;
}
function newWorld(): World {
  const cluster = new FakeCluster(...Object.values(KINDS));
  cluster.addNamespaces('shop', 'bank', 'kube-system', 'other', 'more');
  const claim = thing(KINDS.persistentVolumeClaims, 'data', {
    spec: { volumeName: 'pv-1' },
    status: { phase: 'Bound' },
  });
  const volume = thing(KINDS.persistentVolumes, 'pv-1', {
    spec: { csi: { driver: 'd', volumeHandle: 'h' }, persistentVolumeReclaimPolicy: 'Delete' },
  });
  const pod = thing(
    KINDS.pods,
    'web',
    { spec: { nodeName: 'n', volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] } },
    { annotations: { 'backup.velero.io/backup-volumes': 'd' } },
  );
  for (const [type, object] of [claim, volume, pod]) cluster.add(type, object);
  return { vault: new MemoryVault('primary'), cluster };
}
let world: World;
beforeEach(() => {
  world = newWorld();
});

const contextOf = (at: World, over: Partial<OpenContext> = {}, life = new Life()): OpenContext => ({
  vault: life.of(at.vault),
  keys,
  settings: settingsWith(),
  now: NOW,
  withCluster: (work) => work(life.of(at.cluster)),
  isGone: never,
  verifier: KEY,
  ...over,
});
const requestOf = (input: BackupInput = {}, execution = EXECUTION) => ({
  input: { scheduledTime: SCHEDULED, ...input },
  startedAt: '2026-02-01T02:00:10Z',
  execution,
});
const open = (input: BackupInput = {}, over: Partial<OpenContext> = {}) =>
  openBackup(contextOf(world, over), requestOf(input));
const work = () =>
  Work.parse(JSON.parse(world.vault.objects.get(keys.records.work(BACKUP))?.body.toString() ?? 'null'));
const held = () => world.vault.objects.has(keys.leases.backup('daily'));
const lease = (key: string, holder: Holder) =>
  takeLease({ vault: world.vault, now: NOW, isGone: never }, key, holder);

describe('a backup that is opened', () => {
  it('is named after its scheduled time and has a lease and a work list', async () => {
    expect(await open()).toEqual({ plan: 'daily', backup: BACKUP, outcome: 'opened' });
    expect(held()).toBe(true);
    expect(work()).toEqual({
      plan: 'daily',
      backup: BACKUP,
      startedAt: NOW.toISOString(),
      selection: planOf('daily', ['shop']).selection,
      namespaces: ['shop'],
      wide: false,
      volumes: [expect.objectContaining({ id: 'shop.data', namespace: 'shop', pvc: 'data' })],
      excluded: [],
      unprotected: [],
      problems: [],
    });
  });

  it('is named after its start without a schedule', async () => {
    const request = { input: {}, startedAt: '2026-02-01T03:04:05Z', execution: EXECUTION };
    expect(await openBackup(contextOf(world), request)).toMatchObject({ backup: 'daily-20260201030405' });
  });

  it('has its tags once each', async () => {
    await open({ tags: ['release', 'release', 'v2'] });
    expect(work().tags).toEqual(['release', 'v2']);
  });

  it('is wide when it takes a quarter of the namespaces or more', async () => {
    await open({}, { settings: settingsWith({ plans: [planOf('daily', ['shop', 'bank'])] }) });
    expect(work().wide).toBe(true);
  });

  it('names what is missing before it has begun', async () => {
    const plans = [planOf('daily', ['gone', 'gone-*'])];
    await open({}, { settings: settingsWith({ plans }) });
    expect(work()).toMatchObject({ namespaces: [], problems: ['namespace gone does not exist'] });
  });

  it.each([
    { metadata: { name: 'shop', deletionTimestamp: '2026-02-01T01:00:00Z' } },
    { metadata: { name: 'shop' }, status: { phase: 'Terminating' } },
  ])('names a namespace that is being deleted (%j)', async (object) => {
    world.cluster.add(TYPES.namespaces, object);
    world.cluster.add(TYPES.namespaces, {
      ...object,
      metadata: { ...object.metadata, name: 'not-in-the-plan' },
    });
    await open();
    expect(work().problems).toEqual(['namespace shop is being deleted']);
  });

  it('says that no namespace matches its patterns', async () => {
    await open({}, { settings: settingsWith({ plans: [planOf('daily', ['gone-*'])] }) });
    expect(work().problems).toEqual(['no namespace matches gone-*']);
  });

  it('names its cluster’s only plan, and must be told which of several', async () => {
    const settings = settingsWith({ plans: [planOf('daily', ['shop']), planOf('hourly', ['shop'])] });
    await expect(open({}, { settings })).rejects.toMatchObject({
      name: 'InputInvalid',
      message: 'plan: the cluster has several plans. Name one: {"plan": "daily"}',
    });
    await expect(open({ plan: 'weekly' }, { settings })).rejects.toMatchObject({
      name: 'PlanNotFound',
      message: 'cluster paris has no plan "weekly". Its plans are: daily, hourly',
    });
    expect(await open({ plan: 'hourly' }, { settings })).toMatchObject({ plan: 'hourly' });
  });
});

describe('a backup is not opened', () => {
  const RECORD = keys.records.record(BACKUP);
  const FAILED: Partial<BackupRecord> = { phase: 'Failed', reasons: ['ClusterBusy: later'] };

  it('when the backup of its scheduled time is finished: the cluster is not asked', async () => {
    await putSignedRecord(world.vault, RECORD, recordOf(BACKUP), KEY);
    expect(await open()).toEqual({ plan: 'daily', backup: BACKUP, outcome: 'finished' });
    expect([held(), world.cluster.calls]).toEqual([false, []]);
  });

  it('when it has failed: the note of that is no finished backup', async () => {
    await putJson(world.vault, RECORD, recordOf(BACKUP, FAILED));
    expect(await open()).toEqual({
      plan: 'daily',
      backup: BACKUP,
      outcome: 'skipped',
      reason: 'this backup has failed: ClusterBusy: later',
    });
    expect([held(), world.cluster.calls]).toEqual([false, []]);
  });

  it.each<[string, Partial<BackupRecord>]>([
    ['is Completed', {}],
    ['is Failed, but names a volume', { ...FAILED, volumes: [DATA] }],
    ['is Failed, but names an object', { ...FAILED, objects: [{ key: 'k', bytes: 1, sha256: 'x' }] }],
    ['is Failed, but names a control plane', { ...FAILED, controlPlane: [] }],
    ['is Failed, but names an archive', { ...FAILED, resources: resourcesOf() }],
  ])('when its record has no signature and %s', async (_, over) => {
    await putJson(world.vault, RECORD, recordOf(BACKUP, over));
    await expect(open()).rejects.toMatchObject({
      name: 'RecordUnsigned',
      message: `${RECORD} in bucket primary has no signature. Find out who wrote it, remove it, and start the backup again`,
    });
    expect(held()).toBe(false);
  });

  it('when its record has another signature', async () => {
    await putSignedRecord(world.vault, RECORD, recordOf(BACKUP), keyPair());
    await expect(open()).rejects.toMatchObject({ name: 'RecordForged' });
  });

  it('when its record is that of another backup', async () => {
    await putSignedRecord(world.vault, RECORD, recordOf('daily-20260101000000'), KEY);
    await expect(open()).rejects.toMatchObject({ name: 'RecordForged' });
  });

  it('while a restore is running in the cluster', async () => {
    await lease(keys.leases.restore, { work: 'restore-1', execution: 'arn' });
    expect(await open()).toMatchObject({
      outcome: 'skipped',
      reason: 'restore-1 (arn) is running in this cluster',
    });
    expect(held()).toBe(false);
  });

  it('but after a restore that ended without giving its lease back, it is', async () => {
    await lease(keys.leases.restore, { work: 'restore-1', execution: 'arn' });
    expect(await open({}, { isGone: async () => true })).toMatchObject({ outcome: 'opened' });
  });

  it('when another execution is running this one', async () => {
    await lease(keys.leases.backup('daily'), { work: BACKUP, execution: 'other' });
    expect(await open()).toMatchObject({
      outcome: 'skipped',
      reason: 'execution other is running this backup',
    });
  });

  it('while an earlier backup of its plan is still running', async () => {
    await lease(keys.leases.backup('daily'), { work: 'daily-20260131020000', execution: 'other' });
    await expect(open()).rejects.toMatchObject({
      name: 'BackupInProgress',
      message: expect.stringMatching(/^backup daily-20260131020000 \(other\) of plan daily is still running/),
    });
  });

  it('but that of another plan does not matter', async () => {
    await lease(keys.leases.backup('hourly'), { work: 'hourly-20260131020000', execution: 'other' });
    expect(await open()).toMatchObject({ outcome: 'opened' });
  });

  it.each([
    ['cannot be reached', new HoldfastError('ClusterUnreachable', 'nobody answers')],
    ['lets nobody in', new HoldfastError('ClusterCredentialsInvalid', 'no')],
  ])('when the cluster %s: the lease is given back', async (_, gone) => {
    await expect(open({}, { withCluster: () => Promise.reject(gone) })).rejects.toBe(gone);
    expect(held()).toBe(false);
    expect(await open()).toMatchObject({ outcome: 'opened' });
  });

  it('when the cluster refuses a list: the lease is given back', async () => {
    world.cluster.refuse('GET', '/api/v1/namespaces/shop/pods', REFUSALS.forbidden);
    await expect(open()).rejects.toMatchObject({ name: 'ClusterAccessDenied' });
    expect(held()).toBe(false);
  });
});

describe('a backup that is opened twice', () => {
  it('by the same execution keeps its first work list, and does not ask the cluster again', async () => {
    await open();
    const [before, calls] = [work(), world.cluster.calls.length];
    world.cluster.objects.clear();
    expect(await open()).toMatchObject({ outcome: 'opened' });
    expect([work(), world.cluster.calls.length]).toEqual([before, calls]);
  });

  it('by an execution that was killed at any call, is as if it had been opened once', async () => {
    const calls = await killAtEveryCall({
      prepare: async () => newWorld(),
      run: (at: World, life) => openBackup(contextOf(at, {}, life), requestOf()),
      end: ({ vault }, result) => [
        result,
        [...vault.objects].map(([key, { body }]) => [key, `${body}`]).sort(),
      ],
      afterKill: ({ vault }) => {
        // Nobody works from a list without a lease.
        if (vault.objects.has(keys.records.work(BACKUP)))
          expect(vault.objects.has(keys.leases.backup('daily'))).toBe(true);
      },
    });
    expect(calls).toBeGreaterThan(8);
  });
});
