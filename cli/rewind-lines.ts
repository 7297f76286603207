import type { CopyName } from '../functions/contract/copies.ts';
import { isIdle, type RewindStep, type RewindSummary } from '../functions/core/vault/rewind.ts';
import { inUnits } from './progress.ts';

export interface RewindHeading {
  readonly cluster: string;
  readonly bucket: string;
  readonly copy: CopyName;
  readonly to: Date;
  /** Running executions and held leases, as readable messages. */
  readonly atWork: readonly string[];
  /** Why the view of that time cannot be complete; absent: it is. */
  readonly incomplete?: string | undefined;
}

const PARTS = { records: 'records', velero: 'archives', restic: 'repositories' } as const;
const WIDTHS = [14, 26, 26];

const line = (...cells: string[]): string =>
  cells
    .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
    .join(' ')
    .trimEnd();

const objects = ({ objects, bytes }: { objects: number; bytes: number }): string =>
  objects === 0 ? '-' : `${objects} ${objects === 1 ? 'object' : 'objects'}, ${inUnits(bytes)}`;

const named = (what: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${what} (${names.length}): ${names.join(', ')}`];

/** One line for each key that changes: `restore  KEY  (why)`. */
export const stepLines = (steps: readonly RewindStep[]): string[] =>
  steps.map(({ action, version, reason }) => `${action.padEnd(10)}  ${version.key}  (${reason})`);

/** The preview of a rewind. */
export function rewindLines(
  { cluster, bucket, copy, to, atWork, incomplete }: RewindHeading,
  summary: RewindSummary,
): string[] {
  const title = `${cluster} in ${bucket} (${copy}), as it was at ${to.toISOString()}`;
  const warning = [
    ...atWork.map((work) => `WARNING: ${work}: its writes can be hidden or undone`),
    ...(incomplete ? [`WARNING: this view cannot be complete: ${incomplete}`] : []),
  ];
  if (isIdle(summary)) return [title, ...warning, 'No changes since then: there is nothing to do'];
  const { parts, back, gone, mended, repositories, passwords } = summary;
  return [
    title,
    ...warning,
    '',
    line('', 'RESTORE', 'HIDE', 'LEAVE'),
    ...Object.entries(PARTS).map(([part, name]) => {
      const { restore: brought, hide, leave } = parts[part as keyof typeof PARTS];
      return line(name, objects(brought), objects(hide), objects(leave));
    }),
    '',
    ...named('recovery points to restore', back),
    ...named('recovery points to hide', gone),
    ...named('recovery points to repair', mended),
    ...named('repositories that change', repositories),
    ...named('repositories that an older password opens again', passwords),
    ...(passwords.length > 0
      ? ['  after the rewind, change their passwords: holdfast vault rotate-key']
      : []),
    '',
    'A rewind removes nothing: it adds copies of old versions and delete markers, so you can rewind it again.',
    'Versions under Object Lock cannot have been deleted. In a bucket without Object Lock, permanently deleted',
    'versions are not listed here and cannot be restored: use the other copy for them.',
  ];
}

/** What is said to whoever confirms a rewind to a view that cannot be complete. */
export const incompleteError = ({ to, copy, incomplete }: RewindHeading): string =>
  `--to ${to.toISOString()}: the view of the ${copy} cannot be complete: ${incomplete}. Choose a later time, or use the other copy with --from. To rewind to what is left, add --allow-incomplete`;

/** The command that applies a preview. With an absolute timestamp, because "2h ago" changes its meaning. */
export const confirmLine = ({ cluster, copy, to }: RewindHeading): string =>
  `To apply it: holdfast --cluster ${cluster} vault rewind --from ${copy} --to ${to.toISOString()} --confirm`;
