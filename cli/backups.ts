import type { BackupRecord } from '../functions/core/backup/record.ts';
import {
  type NamedPlans,
  planNames,
  unknownPlans,
  unknownPlanText,
} from '../functions/core/retention/policies.ts';
import { ageOf } from './age.ts';

const WIDTHS = [36, 16, 6, 8, 9, 11];

const line = (...cells: string[]): string =>
  cells
    .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
    .join(' ')
    .trimEnd();

/** A table of backups. */
export function backupLines(
  rows: readonly { readonly record: BackupRecord; readonly replicated: boolean }[],
  now: Date,
): string[] {
  return [
    line('NAME', 'PHASE', 'AGE', 'ITEMS', 'VOLUMES', 'REPLICA', 'TAGS'),
    ...rows.map(({ record, replicated }) =>
      line(
        record.backup,
        record.phase,
        ageOf(record.startedAt, now),
        String(record.resources?.items ?? 0),
        String(record.volumes.length),
        replicated ? 'proven' : 'not proven',
        (record.tags ?? []).join(','),
      ),
    ),
  ];
}

/** A line for each plan that holdfast.yaml does not name and that has backups. */
export const unknownPlanLines = (
  cluster: NamedPlans,
  rows: readonly { readonly record: Pick<BackupRecord, 'backup'> }[],
): string[] =>
  unknownPlans(
    planNames(cluster),
    rows.map(({ record }) => record.backup),
  ).map(unknownPlanText);
