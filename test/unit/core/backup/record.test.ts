import { describe, expect, it } from 'vitest';
import type { ControlPlaneOutcome } from '../../../../functions/core/backup/control-plane.ts';
import {
  BackupRecord,
  decidePhase,
  type ResourceResult,
  snapshotsIn,
  type Work,
} from '../../../../functions/core/backup/record.ts';
import type { VolumeOutcome } from '../../../../functions/core/volumes/work.ts';
import { DATA, failedHook, resourcesOf, workOf } from '../../../support/builders.ts';
import { resticId } from '../../../support/restic-id.ts';

const volume = { id: 'shop.data', namespace: 'shop', pvc: 'data', pod: 'db-0', strategy: 'mount' } as const;
const work = (over: Partial<Work> = {}) => workOf({ volumes: [volume], ...over });
const outcome = (over: Partial<VolumeOutcome> = {}): VolumeOutcome => ({ ...DATA, ...over });

describe('a backup', () => {
  it('is Completed when nothing is missing', () => {
    expect(decidePhase(work(), { resources: resourcesOf(), volumes: [outcome()] })).toEqual({
      phase: 'Completed',
      reasons: [],
    });
  });

  it('is Completed with volumes that nobody opted in', () => {
    expect(
      decidePhase(work({ unprotected: [{ volume: 'shop/other', reason: 'nobody' }] }), {
        resources: resourcesOf(),
        volumes: [outcome()],
      }).phase,
    ).toBe('Completed');
  });

  it.each([
    [
      'a problem was there before',
      work({ problems: ['namespace x is missing'] }),
      {},
      {},
      'namespace x is missing',
    ],
    ['a type could not be read', work(), { unreadable: ['pods'] }, {}, 'pods could not be read'],
    ['a volume is partial', work(), {}, { result: 'partial', message: 'why' }, 'volume shop/data: why'],
    ['a volume failed', work(), {}, { result: 'failed', message: 'why' }, 'volume shop/data: why'],
    ['a volume failed without a word', work(), {}, { result: 'failed' }, 'volume shop/data: failed'],
    ['a result is of another volume', work(), {}, { id: 'shop.other' }, 'volume shop/data: no result'],
  ] as const)('is PartiallyFailed with its reason when %s', (_, w, r, o, reason) => {
    expect(
      decidePhase(w, { resources: resourcesOf(r as Partial<ResourceResult>), volumes: [outcome(o)] }),
    ).toEqual({
      phase: 'PartiallyFailed',
      reasons: [reason],
    });
  });

  it('gives every reason, not the first', () => {
    const decided = decidePhase(work({ problems: ['p'] }), {
      resources: resourcesOf({ unreadable: ['a', 'b'] }),
      volumes: [],
    });
    expect(decided.reasons).toHaveLength(4);
  });
});

describe('a backup with the control plane', () => {
  const controlPlane = { endpoints: ['https://a:2379'], nodes: ['cp1'] };
  const etcd = { id: 'etcd', result: 'protected', snapshot: resticId('e') } as const;
  const files = { id: 'files.cp1', result: 'protected', snapshot: resticId('f') } as const;
  const results = (outcomes: readonly ControlPlaneOutcome[]) => ({
    resources: resourcesOf(),
    volumes: [outcome()],
    controlPlane: outcomes,
  });
  const phase = (outcomes: readonly ControlPlaneOutcome[]) =>
    decidePhase(work({ controlPlane }), results(outcomes));

  it('is Completed with etcd and the files of each node', () => {
    expect(phase([etcd, files])).toEqual({ phase: 'Completed', reasons: [] });
  });

  it.each([
    [[etcd], 'control plane, files.cp1: no result'],
    [[files], 'control plane, etcd: no result'],
    [[{ ...etcd, result: 'failed', message: 'no leader' } as const, files], 'control plane, etcd: no leader'],
    [[etcd, { ...files, result: 'partial', message: 'denied' } as const], 'control plane, files.cp1: denied'],
  ])('lacks what has no good result: %j', (outcomes, reason) => {
    expect(phase(outcomes)).toEqual({ phase: 'PartiallyFailed', reasons: [reason] });
  });

  it('lacks the proof of a scratch server that was asked for and did not come', () => {
    const asked = work({ controlPlane: { ...controlPlane, scratch: true } });
    const reasons = (outcomes: readonly ControlPlaneOutcome[]) =>
      decidePhase(asked, results(outcomes)).reasons;
    expect(reasons([etcd, files])).toEqual(['control plane, etcd-scratch: no result']);
    expect(reasons([{ ...etcd, snapshot: undefined, result: 'failed' }, files])).toHaveLength(1);
  });

  it('holds snapshots of two repositories', () => {
    const record = { volumes: [outcome()], controlPlane: [etcd, files] } as unknown as BackupRecord;
    expect(snapshotsIn(record)).toEqual([
      { namespace: 'shop', snapshot: resticId('abc') },
      { namespace: '_control-plane', snapshot: resticId('e') },
      { namespace: '_control-plane', snapshot: resticId('f') },
    ]);
  });
});

describe('a backup whose post hook failed', () => {
  it('lacks something', () => {
    const hook = failedHook({ message: 'no' });
    expect(decidePhase(work(), { resources: resourcesOf(), volumes: [outcome()], hooks: [hook] })).toEqual({
      phase: 'PartiallyFailed',
      reasons: ['the post hook of pod shop/db-0 failed: no'],
    });
  });
});

describe('a record of an earlier release', () => {
  it('is read, although it named unprotected volumes without a reason', () => {
    const old = {
      ...{ version: 1, cluster: 'paris', plan: 'daily', backup: 'daily-1', phase: 'Completed', reasons: [] },
      ...{ startedAt: 'a', completedAt: 'b', namespaces: [], volumes: [], objects: [] },
      unprotected: ['shop/cache'],
    };
    expect(BackupRecord.parse(old)).toMatchObject({
      excluded: [],
      unprotected: [{ volume: 'shop/cache', reason: 'no pod opted it in' }],
    });
  });
});
