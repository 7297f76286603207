import { volumePath } from './job-spec.ts';
import type { WorkVolume } from './record.ts';

/** restic's exit codes: https://restic.readthedocs.io/en/stable/075_scripting.html#exit-codes */
export const EXIT = { ok: 0, incomplete: 3 } as const;

/** Waits for another's lock this long; a lock of a killed Job is older than that only by accident. */
const RETRY_LOCK = ['--retry-lock', '5m'] as const;

export const initArgs = (): string[] => ['init', '--json'];

/** Arguments that back one volume up. Host, path and tags are fixed, so the parent snapshot is always found. */
export function backupArgs(cluster: string, backup: string, plan: string, v: WorkVolume): string[] {
  const tags = [`backup=${backup}`, `plan=${plan}`, `pvc=${v.pvc}`, `pod=${v.pod}`].flatMap((t) => [
    '--tag',
    t,
  ]);
  return [
    'backup',
    volumePath(v.namespace, v.pvc),
    '--json',
    '--host',
    cluster,
    ...tags,
    '--group-by',
    'host,paths',
    ...RETRY_LOCK,
  ];
}

/** Arguments that fill a fresh volume from a snapshot. Without a lock: read access to the repository is enough. */
export function restoreArgs(
  snapshot: string,
  from: { namespace: string; pvc: string },
  target: string,
): string[] {
  return [
    'restore',
    `${snapshot}:${volumePath(from.namespace, from.pvc)}`,
    '--target',
    target,
    '--verify',
    '--no-lock',
    '--json',
  ];
}

/** Arguments that forget snapshots by id and free what only they needed. */
export function forgetArgs(snapshots: readonly string[]): string[] {
  if (snapshots.length === 0)
    throw new RangeError('forget without snapshot ids would apply a policy of its own');
  return ['forget', ...snapshots, '--prune', ...RETRY_LOCK];
}

/** What restic said at the end of its `--json` log. */
export interface ResticSummary {
  readonly snapshot?: string;
  readonly files: number;
  readonly bytes: number;
  readonly errors: readonly string[];
}

type Line = Record<string, unknown>;

function jsonLines(log: string): Line[] {
  return log.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return []; // cut off in the middle: the summary is then missing, which is what counts
    }
  });
}

const count = (...values: unknown[]): number => values.find((v): v is number => typeof v === 'number') ?? 0;

/** Reads the log of `restic backup|restore --json`; undefined when it has no summary. */
export function parseSummary(log: string): ResticSummary | undefined {
  const lines = jsonLines(log);
  const summary = lines.findLast((l) => l.message_type === 'summary');
  if (!summary) return undefined;
  const errors = lines
    .filter((l) => l.message_type === 'error')
    .map((l) => `${l.item ?? ''}: ${(l.error as Line | undefined)?.message ?? 'unreadable'}`);
  return {
    ...(typeof summary.snapshot_id === 'string' && { snapshot: summary.snapshot_id }),
    files: count(summary.total_files_processed, summary.files_restored),
    bytes: count(summary.total_bytes_processed, summary.bytes_restored),
    errors,
  };
}

/** The last words of a failed restic, short enough for a report. */
export function lastWords(log: string): string {
  const fatal = jsonLines(log).findLast((l) => l.message_type === 'exit_error');
  if (typeof fatal?.message === 'string') return fatal.message;
  return log.trim().split('\n').slice(-3).join(' ').slice(-500) || 'no output';
}
