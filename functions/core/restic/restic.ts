import type { ResticOptions } from '../../contract/settings.ts';
import { plainText } from '../kubernetes/plain-text.ts';
import { isResticId } from './ids.ts';
import { type Source, sourcePath, sourceTags } from './source.ts';

/** restic's exit codes: https://restic.readthedocs.io/en/stable/075_scripting.html#exit-codes */
export const EXIT = { ok: 0, incomplete: 3 } as const;

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
  return snapshotArgs(context, command, sourceTags(v), [...from, ...transferOptions(options)]);
}

const transferOptions = ({ compression, limitUploadKiB }: ResticOptions): string[] => [
  ...(compression === 'auto' ? [] : ['--compression', compression]),
  ...(limitUploadKiB ? ['--limit-upload', String(limitUploadKiB)] : []),
];

/**
 * Arguments that take a snapshot. `operands`: the path, or the command whose output is the data. Host and path are fixed, so
 * restic always finds the parent snapshot. Operands follow `--`: whatever they begin with, none is an option.
 */
export function snapshotArgs(
  { cluster, run }: SnapshotContext,
  operands: readonly string[],
  tags: readonly string[],
  options: readonly string[] = [],
): string[] {
  const all = [`backup=${run.backup}`, `plan=${run.plan}`, ...tags].flatMap((t) => ['--tag', t]);
  return [
    ...['backup', '--json', '--host', cluster],
    ...all,
    ...['--group-by', 'host,paths'],
    ...options,
    ...RETRY_LOCK,
    '--',
    ...operands,
  ];
}

/**
 * Arguments that restore a path of a snapshot. Without a lock, so that read access to the repository suffices. `options`:
 * further ones.
 *
 * @throws RangeError when the id of the snapshot is none.
 */
export function restoreArgs(
  snapshot: string,
  path: string,
  target: string,
  options: readonly string[] = ['--sparse', '--json'],
): string[] {
  const [id] = checkedIds([snapshot]);
  return ['restore', '--target', target, '--verify', '--no-lock', ...options, '--', `${id}:${path}`];
}

/** Arguments that restore some of a snapshot's files into a folder of a volume in use. */
export function restoreFilesArgs(
  snapshot: string,
  path: string,
  target: string,
  include: readonly string[],
): string[] {
  const only = include.flatMap((pattern) => ['--include', pattern]);
  return restoreArgs(snapshot, path, target, ['--sparse', '--json', ...only]);
}

/**
 * Arguments that remove stale locks. `all`: remove all locks. For a copy that S3 replicates to: S3 replicates the locks of
 * processes that work on the other copy, but not the removal of these locks.
 */
export const unlockArgs = (all = false): string[] => ['unlock', ...(all ? ['--remove-all'] : [])];

/**
 * Arguments that forget snapshots by id; missing snapshots are ignored.
 *
 * @throws RangeError when there is no id, or one is none.
 */
export function forgetArgs(snapshots: readonly string[]): string[] {
  if (snapshots.length === 0)
    throw new RangeError('forget without snapshot ids would apply a policy of its own');
  return ['forget', ...RETRY_LOCK, '--', ...checkedIds(snapshots)];
}

function checkedIds(snapshots: readonly string[]): readonly string[] {
  const wrong = snapshots.find((id) => !isResticId(id));
  if (wrong !== undefined) throw new RangeError(`"${plainText(wrong)}" is not the id of a snapshot`);
  return snapshots;
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
