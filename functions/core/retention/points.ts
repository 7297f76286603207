import { parseBackupName } from '../backup/backup-name.ts';
import type { BackupRecord } from '../backup/record.ts';
import type { RecoveryPoint } from './retention.ts';
import { type VolumeStates, volumesOf } from './volumes.ts';

/** What retention uses of a record. Much smaller than the record: a prune holds those of all backups. */
export interface PointFacts extends Pick<BackupRecord, 'backup' | 'phase'> {
  readonly tags: readonly string[];
  /** ISO 8601. */
  readonly startedAt: string;
  readonly volumes: VolumeStates;
}

/** Makes equal names one string, so that many records share them. */
export function interner(): (name: string) => string {
  const names = new Map<string, string>();
  return (name) => {
    const known = names.get(name);
    if (known === undefined) names.set(name, name);
    return known ?? name;
  };
}

/** What retention uses of a record. */
export const factsOf = (record: BackupRecord, intern?: (name: string) => string): PointFacts => ({
  backup: record.backup,
  phase: record.phase,
  tags: record.tags ?? [],
  startedAt: record.startedAt,
  volumes: volumesOf(record, intern),
});

/** A recovery point as retention sees it. `backup`: the name under which its record is stored. */
export const pointOf = (
  backup: string,
  { phase, tags, startedAt, volumes }: PointFacts,
  stored: Pick<RecoveryPoint, 'replicated' | 'signed' | 'lockedUntil' | 'held'>,
): RecoveryPoint => ({
  backup,
  at: earlier((parseBackupName(backup) as { at: Date }).at, startedAt),
  phase,
  tags,
  volumes,
  ...stored,
});

/** A point in time set by a user may be in the future: then the start of the backup counts. */
function earlier(named: Date, startedAt: string): Date {
  const started = Date.parse(startedAt);
  return started < named.getTime() ? new Date(started) : named;
}
