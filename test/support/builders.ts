import type { BackupRecord, ResourceResult, Work } from '../../functions/core/backup/record.ts';
import type { JobEnd } from '../../functions/core/kubernetes/job-end.ts';
import type { HookOutcome } from '../../functions/core/volumes/hooks.ts';
import type { VolumeOutcome } from '../../functions/core/volumes/work.ts';
import { resticId } from './restic-id.ts';
import { selectionOf } from './selection.ts';

/** Documents that tests need whole and are not about: each is good, and a test says what is different in it. */

/** The outcome of the volume shop/data, which is protected. */
export const DATA: VolumeOutcome = {
  id: 'shop.data',
  namespace: 'shop',
  pvc: 'data',
  result: 'protected',
  snapshot: resticId('abc'),
};

/** The work list of a backup of the namespace shop, without volumes. */
export const workOf = (over: Partial<Work> = {}): Work => ({
  plan: 'daily',
  backup: 'daily-1',
  startedAt: '2026-01-31T02:00:00Z',
  namespaces: ['shop'],
  wide: false,
  selection: selectionOf(['shop']),
  volumes: [],
  excluded: [],
  unprotected: [],
  problems: [],
  ...over,
});

/** What an export of everything at one point in time wrote. */
export const resourcesOf = (over: Partial<ResourceResult> = {}): ResourceResult => ({
  items: 4,
  bytes: 100,
  archiveBytes: 50,
  sha256: 'f'.repeat(64),
  resourceVersion: '1',
  consistency: 'exact',
  inexact: [],
  unreadable: [],
  types: {},
  shards: 1,
  seconds: 1,
  ...over,
});

/** The record of a Completed backup of the cluster paris, without volumes and objects. */
export const recordOf = (backup: string, over: Partial<BackupRecord> = {}): BackupRecord => ({
  version: 1,
  cluster: 'paris',
  plan: 'daily',
  backup,
  phase: 'Completed',
  reasons: [],
  startedAt: '2026-01-31T02:00:00Z',
  completedAt: '2026-01-31T02:01:00Z',
  namespaces: ['shop'],
  volumes: [],
  excluded: [],
  unprotected: [],
  objects: [],
  ...over,
});

/** A Job that succeeded without a word. */
export const jobEnd = (over: Partial<JobEnd> = {}): JobEnd => ({
  exitCode: 0,
  log: '',
  reports: {},
  message: undefined,
  seconds: 1,
  ...over,
});

/** A post hook that failed. */
export const failedHook = (over: Partial<HookOutcome> = {}): HookOutcome => ({
  pod: 'shop/db-0',
  hook: 'post',
  container: 'db',
  ok: false,
  continued: false,
  seconds: 1,
  output: '',
  message: 'exit code 1',
  ...over,
});
