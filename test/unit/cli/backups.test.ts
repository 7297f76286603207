import { expect, test } from 'vitest';
import { backupLines, unknownPlanLines } from '../../../cli/backups.ts';
import type { BackupRecord } from '../../../functions/core/backup/record.ts';

const record: BackupRecord = {
  version: 1,
  cluster: 'paris',
  plan: 'daily',
  backup: 'daily-20260101000000',
  phase: 'Completed',
  reasons: [],
  startedAt: '2026-01-01T00:00:00Z',
  completedAt: '2026-01-01T00:01:00Z',
  namespaces: [],
  volumes: [],
  excluded: [],
  unprotected: [],
  objects: [],
};

test('the list of backups shows what each is called, and whether its replica is proven', () => {
  const rows = [
    { record: { ...record, tags: ['before-upgrade', 'manual'] }, replicated: true },
    { record, replicated: false },
  ];
  expect(
    backupLines(rows, new Date('2026-01-02T06:00:00Z')).map((line) => line.split(/\s{2,}| (?=not)/)),
  ).toEqual([
    ['NAME', 'PHASE', 'AGE', 'ITEMS', 'VOLUMES', 'REPLICA', 'TAGS'],
    ['daily-20260101000000', 'Completed', '30h', '0', '0', 'proven', 'before-upgrade,manual'],
    ['daily-20260101000000', 'Completed', '30h', '0', '0', 'not proven'],
  ]);
});

test('backups of a plan that holdfast.yaml does not name have a line of their own', () => {
  const rows = ['nightly-20260101020000', 'weekly-20260101020000', 'old-20260101020000'].map((backup) => ({
    record: { backup },
  }));
  const plan = (name: string) => ({ name });
  expect(unknownPlanLines({ plans: [plan('nightly')], retired: [plan('weekly')] }, rows)).toEqual([
    expect.stringContaining('1 backup of plan old, up to old-20260101020000'),
  ]);
});
