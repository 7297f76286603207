import type { ResticOptions } from '../../contract/settings.ts';
import type { JobEnd } from '../kubernetes/job-end.ts';
import { isResticId } from './ids.ts';
import { type Source, sourcePath, sourceTags } from './source.ts';

/** restic's exit codes: https://restic.readthedocs.io/en/stable/075_scripting.html#exit-codes */
export const EXIT = { ok: 0, incomplete: 3 } as const;

/** Exit code of a process that the kernel kills for lack of memory: 128 + SIGKILL. */
const KILLED = 137;

/** Default restic options. */
export const DEFAULT_RESTIC: ResticOptions = { excludes: [], excludeIfPresent: [], compression: 'auto' };

/** How long restic waits for a lock that another client holds. */
const RETRY_LOCK = ['--retry-lock', '5m'] as const;

export const initArgs = (): string[] => ['init', '--json'];

/** The backup that a restic snapshot belongs to. The cluster is the snapshot's host; backup and plan are tags. */
export interface SnapshotContext {
  readonly cluster: string;
  readonly run: { readonly backup: string; readonly plan: string };
}

/** Arguments that back up one volume with the plan's restic options. */
export function backupArgs(
  context: SnapshotContext,
  v: Source & { readonly pod?: string | undefined },
  options: ResticOptions,
): string[] {
  const { readConcurrency } = options;
  return snapshotArgs(context, [sourcePath(v)], sourceTags(v), [
    ...options.excludes.flatMap((pattern) => ['--exclude', pattern]),
    ...options.excludeIfPresent.flatMap((file) => ['--exclude-if-present', file]),
    ...(readConcurrency ? ['--read-concurrency', String(readConcurrency)] : []),
    ...transferOptions(options),
  ]);
}

/** Arguments that back up the output of a command. If the command fails, restic takes no snapshot and fails too. */
export function dumpArgs(
  context: SnapshotContext,
  v: Source & { readonly pod?: string | undefined },
  command: readonly string[],
  options: ResticOptions,
): string[] {
  const from = ['--stdin-filename', sourcePath(v), '--stdin-from-command'];
  return [...snapshotArgs(context, from, sourceTags(v), transferOptions(options)), '--', ...command];
}

const transferOptions = ({ compression, limitUploadKiB }: ResticOptions): string[] => [
  ...(compression === 'auto' ? [] : ['--compression', compression]),
  ...(limitUploadKiB ? ['--limit-upload', String(limitUploadKiB)] : []),
];

/** Arguments that take a snapshot. `what`: a path, or another source of the data. Host and path are fixed, so restic always finds the parent snapshot. */
export function snapshotArgs(
  { cluster, run }: SnapshotContext,
  what: readonly string[],
  tags: readonly string[],
  options: readonly string[] = [],
): string[] {
  const all = [`backup=${run.backup}`, `plan=${run.plan}`, ...tags].flatMap((t) => ['--tag', t]);
  return [
    'backup',
    ...what,
    '--json',
    '--host',
    cluster,
    ...all,
    '--group-by',
    'host,paths',
    ...options,
    ...RETRY_LOCK,
  ];
}

/** Arguments that restore a snapshot into a new volume. Without a lock, so that read access to the repository suffices. */
export function restoreArgs(snapshot: string, from: Source, target: string): string[] {
  return [
    'restore',
    `${snapshot}:${sourcePath(from)}`,
    '--target',
    target,
    '--verify',
    '--sparse',
    '--no-lock',
    '--json',
  ];
}

/** Arguments that restore some of a snapshot's files into a folder of a volume in use. */
export function restoreFilesArgs(
  snapshot: string,
  from: Source,
  target: string,
  include: readonly string[],
): string[] {
  return [...restoreArgs(snapshot, from, target), ...include.flatMap((pattern) => ['--include', pattern])];
}

/**
 * Arguments that remove stale locks. `all`: remove all locks. For a copy that S3 replicates to: S3 replicates the locks of
 * processes that work on the other copy, but not the removal of these locks.
 */
export const unlockArgs = (all = false): string[] => ['unlock', ...(all ? ['--remove-all'] : [])];

/** Arguments that forget snapshots by id; missing snapshots are ignored. */
export function forgetArgs(snapshots: readonly string[]): string[] {
  if (snapshots.length === 0)
    throw new RangeError('forget without snapshot ids would apply a policy of its own');
  return ['forget', ...snapshots, ...RETRY_LOCK];
}

/**
 * Arguments that prune unused data, with restic's default threshold of 5 % of the repository. Separate from forget, which
 * does not prune if an earlier attempt has already forgotten all snapshots.
 */
export const pruneArgs = (): string[] => ['prune', ...RETRY_LOCK];

/**
 * Arguments that check the structure of a repository and read the n-th of t parts of its packs. Without a lock, so that
 * read access suffices and backups can run at the same time.
 */
export const checkArgs = (part: number, parts: number): string[] => [
  'check',
  `--read-data-subset=${part}/${parts}`,
  '--no-lock',
  '--json',
];

/** The summary in restic's `--json` log. */
export interface ResticSummary {
  readonly snapshot?: string;
  readonly files: number;
  readonly bytes: number;
  readonly errors: readonly string[];
}

/** Progress of restic, from the last status line of its log. */
export interface ResticProgress {
  readonly percent: number;
  readonly files: number;
  readonly bytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
}

type Line = Record<string, unknown>;

function jsonLines(log: string): Line[] {
  return log.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return []; // truncated line; the missing summary is detected separately
    }
  });
}

const count = (...values: unknown[]): number => values.find((v): v is number => typeof v === 'number') ?? 0;

/** Reads the log of `restic backup|restore --json`; undefined if it has no summary. */
export function parseSummary(log: string): ResticSummary | undefined {
  const lines = jsonLines(log);
  const summary = lines.findLast((l) => l.message_type === 'summary');
  if (!summary) return undefined;
  const errors = lines
    .filter((l) => l.message_type === 'error')
    .map((l) => `${l.item ?? ''}: ${(l.error as Line | undefined)?.message ?? 'unreadable'}`);
  return {
    ...(isResticId(summary.snapshot_id) && { snapshot: summary.snapshot_id }),
    files: count(summary.total_files_processed, summary.files_restored),
    bytes: count(summary.total_bytes_processed, summary.bytes_restored),
    errors,
  };
}

/** Reads the status that `restic backup|restore --json` writes while it runs; undefined before the first status line. */
export function parseProgress(log: string): ResticProgress | undefined {
  const status = jsonLines(log).findLast((l) => l.message_type === 'status');
  if (!status) return undefined;
  const bytes = count(status.bytes_done, status.bytes_restored);
  const seconds = count(status.seconds_elapsed);
  return {
    percent: Math.floor(100 * count(status.percent_done)),
    files: count(status.files_done, status.files_restored),
    bytes,
    totalBytes: count(status.total_bytes),
    bytesPerSecond: seconds > 0 ? Math.round(bytes / seconds) : 0,
  };
}

/** The error message of a failed restic, short enough for a report. */
export function lastWords(log: string): string {
  const fatal = jsonLines(log).findLast((l) => l.message_type === 'exit_error');
  if (typeof fatal?.message === 'string') return fatal.message;
  return log.trim().split('\n').slice(-3).join(' ').slice(-500) || 'no output';
}

/** Error output of the dump command, if it failed; undefined if it did not. */
function commandFailure(log: string): string | undefined {
  const error = jsonLines(log)
    .map((l) => String((l.error as Line | undefined)?.message ?? ''))
    .find((message) => message.includes('command failed'));
  if (error === undefined) return undefined;
  const said = log.split('\n').flatMap((line) => /^subprocess [^:]+: (.+)$/.exec(line)?.[1] ?? []);
  return `its command failed: ${said.slice(-3).join(' ') || error.replace(/^.*command failed: /, '')}`;
}

/** Why a Job failed, as a readable message. */
export function failure({ exitCode, log, message }: JobEnd): string {
  if (exitCode === undefined) return `its Job did not run${message ? `: ${message}` : ''}`;
  if (exitCode === KILLED)
    return `restic was killed${message ? `: ${message}` : ', most likely out of memory: raise jobs.resources.memoryLimit'}`;
  return commandFailure(log) ?? `restic exited with code ${exitCode}: ${lastWords(log)}`;
}

/** Maximum number of check errors in a report. */
const CHECK_WORDS = 5;

/** Why a check failed, with the first errors that restic found. */
export function checkWords(end: JobEnd): string {
  const found = jsonLines(end.log).flatMap((l) => {
    if (l.message_type !== 'error' || typeof l.message !== 'string') return [];
    const message = l.message.trim();
    return /^(pack|tree|blob|error|index|Load\(|download error|id |snapshot|file|dir)/i.test(message)
      ? [message]
      : [];
  });
  const more = found.length > CHECK_WORDS ? `; and ${found.length - CHECK_WORDS} more` : '';
  return `${failure(end)}${found.length > 0 ? `: ${found.slice(0, CHECK_WORDS).join('; ')}${more}` : ''}`;
}

/** Ids of packs that a check reports as missing. */
export function missingPacks(log: string): string[] {
  const said = jsonLines(log).flatMap(({ message }) =>
    typeof message === 'string'
      ? (/^pack ([0-9a-f]{64}): does not exist/.exec(message.trim())?.[1] ?? [])
      : [],
  );
  return [...new Set(said)];
}
