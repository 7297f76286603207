import { shortName } from '../restic/source.ts';
import { parseBackupName } from './backup-name.ts';
import { CONTROL_PLANE } from './control-plane.ts';
import type { BackupRecord } from './record.ts';

/** What became of one backup of a plan, as its record proves it. */
export type SeenBackup =
  | { readonly kind: 'signed'; readonly backup: string; readonly record: BackupRecord }
  /** It has no record, or one that says Failed, which is not signed and proves nothing. */
  | { readonly kind: 'nothing'; readonly backup: string }
  /** Its record has no valid signature, or cannot be read. It counts for nothing, and is reported. */
  | { readonly kind: 'doubtful'; readonly backup: string };

/** The newest backups of a plan, newest first by name, as far as they were read. */
export interface SeenPlan {
  readonly seen: readonly SeenBackup[];
  /** There are no older ones. */
  readonly all: boolean;
  /** When the plan's schedule was created; undefined: it does not exist. */
  readonly scheduledSince: Date | undefined;
  readonly now: Date;
}

/** A volume, a dump or a part of the control plane, and since when it has no newer good snapshot. */
export interface LastGood {
  readonly volume: string;
  readonly since: Date;
}

/** Ages of a plan's recovery points in the primary, in seconds. */
export interface Ages {
  /** Of the newest Completed one. Without one: since the schedule was created. */
  readonly recoveryPointSeconds: number;
  /** From the newest Completed one to the newest PartiallyFailed one; 0 if the former is newer. */
  readonly partiallyFailedSeconds: number;
  /** Of the oldest last good snapshot of the volumes in the newest recovery point; undefined if it has no volumes. */
  readonly volumeSeconds: number | undefined;
  /** Volumes of the newest recovery point without a good snapshot in it, the oldest snapshot first. */
  readonly behind: readonly LastGood[];
}

/** Clocks of AWS services differ by seconds. What began later than this from now says nothing about the past. */
const TOLERANCE_MS = 15 * 60 * 1000;

/** Whether a time has come. A text that is no time has not. */
export const isPast = (at: Date, now: Date): boolean => at.getTime() <= now.getTime() + TOLERANCE_MS;

/** Whole seconds from then to now, never negative. */
export const ageSeconds = (since: Date, now: Date): number =>
  Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000));

/** Recovery points that hide the older ones below them. Those whose name is of the future are read, but hide nothing. */
const hiding = (seen: readonly SeenBackup[], now: Date): Point[] =>
  seen
    .filter(({ backup }) => isPast(parseBackupName(backup)?.at ?? new Date(Number.NaN), now))
    .flatMap((s) => pointOf(s, now));

/** Whether the newest backups of a plan say all that its ages need, so that no older one has to be read. */
export function isEnough(seen: readonly SeenBackup[], now: Date): boolean {
  const points = hiding(seen, now);
  const [newest] = points;
  if (!newest || !points.some((p) => p.completed)) return false;
  return newest.items.every(({ id }) => points.some((p) => p.good.has(id)));
}

/** The same for the replica, where the newest proven recovery point is all that is asked for. */
export const isProven = (seen: readonly SeenBackup[], now: Date): boolean => hiding(seen, now).length > 0;

/** Ages of a plan's recovery points. Whatever is not proven by a signed record that has begun makes nothing younger. */
export function agesOf({ seen, all, scheduledSince, now }: SeenPlan): Ages {
  const points = seen.flatMap((s) => pointOf(s, now)).sort((a, b) => b.at.getTime() - a.at.getTime());
  const since = beginning({ seen, all, scheduledSince, now });
  const completed = points.find((p) => p.completed)?.at ?? since;
  const partial = points.find((p) => !p.completed)?.at ?? completed;
  // Older backups that were not read may be better: only signed records bound how long a volume has been without a snapshot.
  const certain = all || seen.every(({ kind }) => kind === 'signed');
  const lastGood = (points[0]?.items ?? []).map(({ id, name }) => {
    const good = points.find((p) => p.good.has(id));
    const first = points.findLast((p) => p.items.some((item) => item.id === id));
    return { id, volume: name, since: good?.at ?? (certain ? (first?.at ?? since) : since) };
  });
  const oldest = lastGood.sort((a, b) => a.since.getTime() - b.since.getTime());
  return {
    recoveryPointSeconds: ageSeconds(completed, now),
    partiallyFailedSeconds: Math.max(0, Math.round((partial.getTime() - completed.getTime()) / 1000)),
    volumeSeconds: oldest[0] && ageSeconds(oldest[0].since, now),
    behind: oldest
      .filter(({ id }) => !points[0]?.good.has(id))
      .map(({ volume, since }) => ({ volume, since })),
  };
}

/** Age in seconds of the newest recovery point that is proven in the replica. `seen`: the proven ones. */
export function replicaAge({ seen, ...plan }: SeenPlan): number {
  const points = seen.flatMap((s) => pointOf(s, plan.now)).map(({ at }) => at.getTime());
  const newest = points.length > 0 ? new Date(Math.max(...points)) : beginning({ seen, ...plan });
  return ageSeconds(newest, plan.now);
}

/**
 * Since when a plan should have had recovery points: its schedule's creation, or an older recovery point. The beginning of
 * time if it has no schedule: nothing will ever make a recovery point.
 */
function beginning({ seen, scheduledSince, now }: SeenPlan): Date {
  const times = seen.flatMap((s) => pointOf(s, now)).map(({ at }) => at.getTime());
  return new Date(Math.min(scheduledSince?.getTime() ?? 0, ...times));
}

interface Point {
  readonly at: Date;
  readonly completed: boolean;
  /** Names are for people: a dump and the volume of a pod may have the same. */
  readonly items: readonly { readonly id: string; readonly name: string }[];
  /** Ids of the items that have a good snapshot. */
  readonly good: ReadonlySet<string>;
}

function pointOf(seen: SeenBackup, now: Date): Point[] {
  if (seen.kind !== 'signed' || seen.record.phase === 'Failed') return [];
  const { record } = seen;
  const at = new Date(record.startedAt);
  if (!isPast(at, now)) return [];
  const controlPlane = (record.controlPlane ?? [])
    .filter(({ id }) => id === 'etcd' || id.startsWith('files.'))
    .map((outcome) => ({ ...outcome, id: `${CONTROL_PLANE}/${outcome.id}` }))
    .map((outcome) => ({ ...outcome, name: outcome.id }));
  const volumes = record.volumes.map((outcome) => ({ ...outcome, name: shortName(outcome) }));
  const items = [...volumes, ...controlPlane];
  const isGood = ({ result, snapshot }: (typeof items)[number]) =>
    result === 'protected' && snapshot !== undefined;
  const good = new Set(items.filter(isGood).map(({ id }) => id));
  return [{ at, completed: record.phase === 'Completed', items, good }];
}
