import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import {
  type SnapshotVolume,
  snapshotClassFor,
  snapshotState,
  temporaryClaim,
  temporaryClassProblem,
  volumeSnapshot,
} from '../../../../functions/core/volumes/volume-snapshots.ts';

const DRIVER = 'ebs.csi.aws.com';
const volume: SnapshotVolume = {
  id: 'shop.pgdata',
  namespace: 'shop',
  pvc: 'pgdata',
  strategy: 'snapshot',
  csi: { driver: DRIVER, size: '10Gi', storageClass: 'gp3' },
};
const NOW = new Date('2026-03-01T12:00:00Z');

interface ClassOver {
  driver?: string;
  deletionPolicy?: string;
  velero?: boolean;
  isDefault?: boolean;
}
const snapshotClass = (name: string, over: ClassOver = {}): KubeObject => ({
  metadata: {
    name,
    ...(over.velero && { labels: { 'velero.io/csi-volumesnapshot-class': 'true' } }),
    ...(over.isDefault && { annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' } }),
  },
  driver: over.driver ?? DRIVER,
  deletionPolicy: over.deletionPolicy ?? 'Delete',
});

describe('the class of a snapshot', () => {
  const chosen = (classes: KubeObject[], named?: string) =>
    snapshotClassFor(classes, { ...volume.csi, ...(named && { snapshotClass: named }) });
  const plain = snapshotClass('plain');
  const standard = snapshotClass('standard', { isDefault: true });
  const labelled = snapshotClass('labelled', { velero: true });
  const foreign = snapshotClass('foreign', { driver: 'other', isDefault: true });

  it.each<[string, KubeObject[], string | undefined, string]>([
    ['the one that the rule names', [plain, standard, labelled], 'plain', 'plain'],
    ['the one with Velero’s label', [plain, standard, labelled], undefined, 'labelled'],
    ['the default of the driver', [plain, standard, foreign], undefined, 'standard'],
    ['the only one of the driver', [plain, foreign], undefined, 'plain'],
  ])('is %s', (_, classes, named, name) => {
    expect(chosen(classes, named)).toEqual({ name });
  });

  it.each<[string, KubeObject[], string | undefined, RegExp]>([
    ['the named one is missing', [plain], 'nope', /VolumeSnapshotClass nope does not exist/],
    ['the named one is of another driver', [foreign], 'foreign', /belongs to the driver other, not ebs/],
    ['none is the default', [plain, snapshotClass('second')], undefined, /it has: plain, second\); name one/],
    ['the driver has none', [foreign], undefined, /it has: none/],
    [
      'it retains',
      [snapshotClass('keep', { deletionPolicy: 'Retain' })],
      undefined,
      /keep retains snapshots/,
    ],
  ])('is a problem when %s', (_, classes, named, words) => {
    expect(chosen(classes, named)).toEqual({ problem: expect.stringMatching(words) });
  });
});

describe('the storage class of a temporary claim', () => {
  const classes = [
    { metadata: { name: 'gp3' }, reclaimPolicy: 'Delete' },
    { metadata: { name: 'kept' }, reclaimPolicy: 'Retain' },
  ];
  it('is fine when it deletes', () => expect(temporaryClassProblem(classes, 'gp3')).toBeUndefined());
  it('is a problem when it retains', () =>
    expect(temporaryClassProblem(classes, 'kept')).toMatch(/kept retains volumes.*temporaryStorageClass/));
  it('is a problem when it is missing', () =>
    expect(temporaryClassProblem(classes, '')).toMatch(/"" does not exist/));
});

describe('what is made of a volume', () => {
  const of = { run: 'run-1', name: 'holdfast-1' };
  const claimOf = (restoreSize?: string) =>
    temporaryClaim({ ...of, name: 'holdfast-2' }, volume, { snapshot: 'holdfast-1', restoreSize });

  it('is a snapshot and a claim created from it, which no backup holds', () => {
    const made = [volumeSnapshot(of, volume, 'plain'), claimOf()];
    expect(made.map((o) => o.metadata.name)).toEqual(['holdfast-1', 'holdfast-2']);
    for (const { metadata } of made)
      expect(metadata.labels).toMatchObject({ 'velero.io/exclude-from-backup': 'true' });
    expect(made[1]?.spec?.dataSource).toMatchObject({ kind: 'VolumeSnapshot', name: 'holdfast-1' });
  });

  it.each([
    ['10Gi', undefined],
    ['10Gi', '4Gi'],
    ['12Gi', '12Gi'],
  ])('asks for %s when the snapshot needs %s', (storage, restoreSize) => {
    expect(claimOf(restoreSize).spec?.resources).toEqual({ requests: { storage } });
  });
});

describe('a snapshot', () => {
  const limits = { takeSeconds: 600, readySeconds: 3600 };
  const after = (minutes: number, status: object) =>
    snapshotState(
      {
        metadata: { name: 's', creationTimestamp: new Date(NOW.getTime() - minutes * 60_000).toISOString() },
        status: { ...status },
      },
      NOW,
      limits,
    );
  const taken = { creationTime: '2026-03-01T11:59:00Z' };

  it.each<[string, number, object, object]>([
    ['not taken', 1, {}, { state: 'waiting', taken: false, message: 'its snapshot is not taken' }],
    [
      'refused for now, and says why',
      1,
      { error: { message: 'quota' } },
      { state: 'waiting', taken: false, message: 'its snapshot is not taken: quota' },
    ],
    [
      'not taken for too long',
      11,
      { error: { message: 'quota' } },
      { state: 'failed', taken: false, message: 'its snapshot is not taken: quota (for 11 min)' },
    ],
    ['taken, and the storage is at work for long', 11, taken, { state: 'waiting', taken: true }],
    ['taken, and the storage is never done', 61, taken, { state: 'failed', taken: true }],
    [
      'ready',
      61,
      { ...taken, readyToUse: true, restoreSize: '4Gi' },
      { state: 'ready', taken: true, restoreSize: '4Gi' },
    ],
  ])('is %s', (_, minutes, status, state) => {
    expect(after(minutes, status)).toMatchObject(state);
  });
});
