import type { Phase } from '../../contract/phase.ts';
import type { BackupRecord } from '../backup/record.ts';
import { sourceName } from '../restic/source.ts';

/**
 * What a recovery point has of a volume, dump or part of the control plane: a complete or an incomplete snapshot, or none
 * although it should (`missing`), or none because a rule or an annotation says so (`excluded`).
 */
export type VolumeState = 'good' | 'partial' | 'missing' | 'excluded';

/** By name with type, like `volume shop/pgdata`, `dump shop/db:dump.sql`, `control plane etcd`. */
export type VolumeStates = ReadonlyMap<string, VolumeState>;

const volumeNamed = (name: string): string => `volume ${name}`;
const STATES = { protected: 'good', partial: 'partial', failed: 'missing' } as const;

/** What a record says about each volume. `intern`: makes equal names of many records one string. */
export function volumesOf(record: BackupRecord, intern = (name: string) => name): VolumeStates {
  const stateOf = ({ result, snapshot }: { result: keyof typeof STATES; snapshot?: string | undefined }) =>
    snapshot === undefined ? 'missing' : STATES[result];
  return new Map<string, VolumeState>(
    [
      ...record.unprotected.map(({ volume }) => [volumeNamed(volume), 'missing'] as const),
      ...record.excluded.map(({ volume }) => [volumeNamed(volume), 'excluded'] as const),
      ...record.volumes.map((v) => [sourceName(v), stateOf(v)] as const),
      ...(record.controlPlane ?? []).map((part) => [`control plane ${part.id}`, stateOf(part)] as const),
    ].map(([name, state]) => [intern(name), state]),
  );
}

/** A recovery point that has data and a valid signature. */
export interface SignedPoint {
  readonly backup: string;
  readonly phase: Phase | 'Unknown';
  /** Absent: not known. */
  readonly volumes?: VolumeStates | undefined;
}

/** Volumes of which a recovery point has the last good snapshot, or a newer incomplete one. */
export interface LastOf {
  readonly good: string[];
  readonly partial: string[];
}

/** Whether a recovery point says that a volume is not part of it: it is excluded, or all data is there and it is not named. */
const leavesOut = ({ phase, volumes }: SignedPoint, volume: string): boolean => {
  const state = volumes?.get(volume);
  return state === 'excluded' || (state === undefined && phase === 'Completed');
};

/**
 * Recovery points that stay for the volumes of one namespace. Its users choose the names of its volumes and dumps, and
 * could otherwise keep every recovery point.
 */
const MAX_PER_NAMESPACE = 100;

/** Counts the recovery points that stay for each namespace. */
function allowance(): (backup: string, volume: string) => boolean {
  const held = new Map<string, Set<string>>();
  return (backup, volume) => {
    const namespace = /^(?:volume|dump) ([^/]+)\//.exec(volume)?.[1] ?? '';
    const backups = held.get(namespace) ?? new Set();
    held.set(namespace, backups);
    if (backups.size >= MAX_PER_NAMESPACE && !backups.has(backup)) return false;
    backups.add(backup);
    return true;
  };
}

/**
 * The recovery points with the last good snapshot of each volume, and with an incomplete one that is newer. A volume counts
 * until it is left out: by the newest Completed recovery point, and by every one that a rule keeps and that is newer than
 * the volume's last snapshot. So what the policy keeps always tells whether somebody may still miss the volume.
 *
 * `newestFirst`: signed recovery points with data. `witnesses`: backups that a rule keeps.
 */
export function lastOfVolumes(
  newestFirst: readonly SignedPoint[],
  witnesses: ReadonlySet<string>,
): Map<string, LastOf> {
  const found = new Map<string, LastOf>();
  const settled = new Set<string>();
  const withPartial = new Set<string>();
  const newer: SignedPoint[] = [];
  const isAllowed = allowance();
  let completed = false;
  for (const point of newestFirst) {
    const last: LastOf = { good: [], partial: [] };
    for (const [volume, state] of point.volumes ?? []) {
      if ((state !== 'good' && state !== 'partial') || settled.has(volume)) continue;
      const isFirst = !withPartial.has(volume);
      if (isFirst && completed && newer.every((p) => leavesOut(p, volume))) {
        settled.add(volume);
        continue;
      }
      if (state === 'good') settled.add(volume);
      else if (!isFirst) continue;
      else withPartial.add(volume);
      if (isAllowed(point.backup, volume)) last[state].push(volume);
    }
    if (last.good.length + last.partial.length > 0) found.set(point.backup, last);
    const isNewestCompleted = !completed && point.phase === 'Completed';
    if (isNewestCompleted || witnesses.has(point.backup)) newer.push(point);
    completed ||= point.phase === 'Completed';
  }
  return found;
}

/** Volumes that a reason names; the others are counted. */
const NAMED = 3;

/** The reasons for which a recovery point stays. */
export function reasonsOf({ good, partial }: LastOf): string[] {
  const said = (what: string, volumes: readonly string[]) => [
    ...volumes.slice(0, NAMED).map((volume) => `${what} of ${volume}`),
    ...(volumes.length > NAMED ? [`${what} of ${volumes.length - NAMED} more volumes`] : []),
  ];
  return [...said('last good', good), ...said('last incomplete', partial)];
}
