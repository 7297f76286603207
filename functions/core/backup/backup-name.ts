import { createHash } from 'node:crypto';

/** A timestamp as `yyyymmddhhmmss` in UTC. */
export function stamp(at: Date): string {
  return at.toISOString().replace(/[-:T]/g, '').slice(0, 14);
}

/** Name of a plan's backup at a point in time: `<plan>-<yyyymmddhhmmss>`. Deterministic, so that a repeated event is idempotent. */
export function backupName(plan: string, at: Date): string {
  return `${plan}-${stamp(at)}`;
}

/** Plan and timestamp in a backup's name; undefined if it is not a backup name. */
export function parseBackupName(name: string): { plan: string; at: Date } | undefined {
  const m = /^([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)-(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(name);
  if (!m) return undefined;
  const at = new Date(`${m[2]}-${m[3]}-${m[4]}T${m[5]}:${m[6]}:${m[7]}Z`);
  return Number.isNaN(at.getTime()) || stamp(at) !== name.slice(-14)
    ? undefined
    : { plan: m[1] as string, at };
}

/** The names that are backup names, optionally of one plan, newest first. */
export function newestFirst(names: readonly string[], plan?: string): string[] {
  return names
    .map((name) => ({ name, ...parseBackupName(name) }))
    .filter((b) => b.at !== undefined && (plan === undefined || b.plan === plan))
    .sort((a, b) => (b.at as Date).getTime() - (a.at as Date).getTime())
    .map(({ name }) => name);
}

/** Name of a restore: when it started and which execution it is. Two executions of the same second have different names. */
export function restoreName(startedAt: Date, execution: string): string {
  return executionName('restore', startedAt, execution);
}

/** Name of a verification, likewise; names sort by time. */
export function verificationName(startedAt: Date, execution: string): string {
  return executionName('verify', startedAt, execution);
}

/** Name of a prune run, likewise. No backup can have such a name: a backup's ends with its timestamp. */
export function pruneName(startedAt: Date, execution: string): string {
  return executionName('prune', startedAt, execution);
}

/** Whether a run is a prune. */
export const isPruneRun = (run: string): boolean => /^prune-\d{14}-[0-9a-f]{6}$/.test(run);

const executionName = (kind: string, startedAt: Date, execution: string): string =>
  `${kind}-${stamp(startedAt)}-${createHash('sha256').update(execution).digest('hex').slice(0, 6)}`;
