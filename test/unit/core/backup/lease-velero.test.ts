import { describe, expect, it } from 'vitest';
import {
  kubeTime,
  veleroBackup,
  veleroResults,
  veleroVolumeInfo,
} from '../../../../functions/core/backup/velero.ts';
import type { VolumeOutcome } from '../../../../functions/core/volumes/work.ts';
import { resticId } from '../../../support/restic-id.ts';

const NOW = new Date('2026-01-31T02:00:00.900Z');
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const volume = (namespace: string, over: Partial<VolumeOutcome> = {}): VolumeOutcome => ({
  id: `${namespace}.data`,
  namespace,
  pvc: 'data',
  volumeName: 'pv-1',
  reclaimPolicy: 'Retain',
  result: 'protected',
  snapshot: resticId(`${namespace}-1`),
  ...over,
});

describe('what Velero reads', () => {
  const facts = {
    backup: 'daily-1',
    cluster: 'paris',
    plan: 'daily',
    namespaces: ['shop'],
    phase: 'Completed',
    startedAt: NOW,
    completedAt: later(61),
    items: 5,
    warnings: 0,
    errors: 0,
  } as const;

  it('has times in whole seconds', () => {
    expect(kubeTime(NOW)).toBe('2026-01-31T02:00:00Z');
  });

  it('is a Backup of format 1.1.0 with the phase and the times of ours', () => {
    expect(veleroBackup(facts)).toMatchObject({
      apiVersion: 'velero.io/v1',
      kind: 'Backup',
      metadata: { name: 'daily-1', labels: { 'holdfast.io/plan': 'daily' } },
      spec: { includedNamespaces: ['shop'], snapshotVolumes: false },
      status: {
        formatVersion: '1.1.0',
        phase: 'Completed',
        startTimestamp: '2026-01-31T02:00:00Z',
        completionTimestamp: '2026-01-31T02:01:01Z',
        progress: { totalItems: 5, itemsBackedUp: 5 },
      },
    });
  });

  it('counts warnings and errors only when there are some', () => {
    const status = (over: object) => (veleroBackup({ ...facts, ...over }) as { status: object }).status;
    expect(Object.keys(status({})).filter((k) => k === 'warnings' || k === 'errors')).toEqual([]);
    expect(status({ warnings: 2, errors: 3 })).toMatchObject({ warnings: 2, errors: 3 });
  });

  it('names each protected volume and no other, as one to be provisioned empty', () => {
    const { volumeName: _, ...unbound } = volume('c');
    const info = veleroVolumeInfo([volume('a'), volume('b', { result: 'failed' }), unbound]);
    expect(info).toMatchObject([
      {
        pvcNamespace: 'a',
        pvName: 'pv-1',
        backupMethod: 'PodVolumeBackup',
        pvInfo: { reclaimPolicy: 'Retain' },
      },
    ]);
  });

  it('says where the data of each protected volume is', () => {
    const all = [volume('a'), volume('b', { result: 'failed' })];
    expect(veleroResults(all, ['why'], (n) => `restic/paris/${n}`)).toEqual({
      errors: {},
      warnings: {
        cluster: ['why'],
        namespaces: {
          a: [
            `persistentvolumeclaims/data: data is in restic repository restic/paris/a, snapshot ${resticId('a-1')}`,
          ],
        },
      },
    });
  });

  it('is quiet when there is nothing to say', () => {
    expect(veleroResults([], [], () => '')).toEqual({ errors: {}, warnings: {} });
  });
});
