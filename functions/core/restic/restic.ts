import type { ResticOptions } from '../../contract/settings.ts';
import type { JobEnd } from '../kubernetes/job-end.ts';
import { type Source, sourcePath, sourceTags } from './source.ts';

/** restic's exit codes: https://restic.readthedocs.io/en/stable/075_scripting.html#exit-codes */
export const EXIT = { ok: 0, incomplete: 3 } as const;

/** What the kernel makes of a process that takes more memory than it may: 128 + SIGKILL. */
const KILLED = 137;

/** What restic does unless a plan says otherwise. */
export const DEFAULT_RESTIC: ResticOptions = { excludes: [], excludeIfPresent: [], compression: 'auto' };

/** Waits for another's lock this long; a lock of a killed Job is older than that only by accident. */
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

/** Arguments that back up what a command writes. When it fails, restic makes no snapshot and fails as well. */
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

/** Arguments that fill a fresh volume from a snapshot. Without a lock: read access to the repository is enough. */
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

/** Arguments that bring some of a snapshot's files into a folder of a volume in use. */
export function restoreFilesArgs(
  snapshot: string,
  from: Source,
  target: string,
  include: readonly string[],
): string[] {
  return [...restoreArgs(snapshot, from, target), ...include.flatMap((pattern) => ['--include', pattern])];
}

/**
 * Arguments that remove locks of processes that are gone: restic takes those for stale that nobody has renewed for long.
 * `all`: of a copy to which S3 replicates, with the locks of those who work on the other copy, and never the end of one.
 */
export const unlockArgs = (all = false): string[] => ['unlock', ...(all ? ['--remove-all'] : [])];

/** Arguments that list snapshots, in one line of JSON. */
export const listArgs = (): string[] => ['snapshots', '--json', '--no-lock'];

/** Arguments that forget snapshots by id; those that are gone already are passed over. */
export function forgetArgs(snapshots: readonly string[]): string[] {
  if (snapshots.length === 0)
    throw new RangeError('forget without snapshot ids would apply a policy of its own');
  return ['forget', ...snapshots, ...RETRY_LOCK];
}

/**
 * Arguments that free what no snapshot needs, when it is worth it: by restic's own measure, 5 % of the repository. Not a
 * part of forget, which prunes nothing when an earlier attempt has already forgotten all.
 */
export const pruneArgs = (): string[] => ['prune', ...RETRY_LOCK];

/**
 * Arguments that check a repository whole and read the n-th of t parts of its packs. Without a lock: read access is enough, and
 * backups go on meanwhile.
 */
export const checkArgs = (part: number, parts: number): string[] => [
  'check',
  `--read-data-subset=${part}/${parts}`,
  '--no-lock',
  '--json',
];

/** What restic said at the end of its `--json` log. */
export interface ResticSummary {
  readonly snapshot?: string;
  readonly files: number;
  readonly bytes: number;
  readonly errors: readonly string[];
}

/** How far restic is, by the last status line of its log. */
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

/** Reads the status that `restic backup|restore --json` writes while it works; undefined before the first. */
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

/** The last words of a failed restic, short enough for a report. */
export function lastWords(log: string): string {
  const fatal = jsonLines(log).findLast((l) => l.message_type === 'exit_error');
  if (typeof fatal?.message === 'string') return fatal.message;
  return log.trim().split('\n').slice(-3).join(' ').slice(-500) || 'no output';
}

/** Why the command whose output restic was to back up failed, in its own words; undefined when it did not. */
function commandFailure(log: string): string | undefined {
  const error = jsonLines(log)
    .map((l) => String((l.error as Line | undefined)?.message ?? ''))
    .find((message) => message.includes('command failed'));
  if (error === undefined) return undefined;
  const said = log.split('\n').flatMap((line) => /^subprocess [^:]+: (.+)$/.exec(line)?.[1] ?? []);
  return `its command failed: ${said.slice(-3).join(' ') || error.replace(/^.*command failed: /, '')}`;
}

/** Why a Job whose restic did not succeed failed, in words. */
export function failure({ exitCode, log, message }: JobEnd): string {
  if (exitCode === undefined) return `its Job did not run${message ? `: ${message}` : ''}`;
  if (exitCode === KILLED)
    return `restic was killed${message ? `: ${message}` : ', most likely out of memory: raise jobs.resources.memoryLimit'}`;
  return commandFailure(log) ?? `restic exited with code ${exitCode}: ${lastWords(log)}`;
}

/** What restic says of a damaged repository comes in many lines, with advice for people at a terminal; of a report, the first ones. */
const CHECK_WORDS = 5;

/** Why a check failed: what restic found, in its own words. */
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

/** Packs of which a check says that they are not there. */
export function missingPacks(log: string): string[] {
  const said = jsonLines(log).flatMap(({ message }) =>
    typeof message === 'string'
      ? (/^pack ([0-9a-f]{64}): does not exist/.exec(message.trim())?.[1] ?? [])
      : [],
  );
  return [...new Set(said)];
}
