import type { CopyName } from '../functions/contract/copies.ts';
import { isIdle, type RewindStep, type RewindSummary } from '../functions/core/vault/rewind.ts';
import { inUnits } from './progress.ts';

export interface RewindHeading {
  readonly cluster: string;
  readonly bucket: string;
  readonly copy: CopyName;
  readonly to: Date;
  /** What is at work in the cluster's part of the vault, in words. */
  readonly atWork: readonly string[];
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

/** One line for each key that changes: `bring back  KEY  (why)`. */
export const stepLines = (steps: readonly RewindStep[]): string[] =>
  steps.map(({ action, version, reason }) => `${action.padEnd(10)}  ${version.key}  (${reason})`);

/** What a rewind would do, for a person to decide. */
export function rewindLines(
  { cluster, bucket, copy, to, atWork }: RewindHeading,
  summary: RewindSummary,
): string[] {
  const title = `${cluster} in ${bucket} (${copy}), as it was at ${to.toISOString()}`;
  const warning = atWork.map((work) => `WARNING: ${work}: what it writes now would be hidden or undone`);
  if (isIdle(summary)) return [title, ...warning, 'Nothing has changed since: there is nothing to do'];
  const { parts, back, gone, mended, repositories, passwords } = summary;
  return [
    title,
    ...warning,
    '',
    line('', 'BRING BACK', 'HIDE', 'LEAVE'),
    ...Object.entries(PARTS).map(([part, name]) => {
      const { 'bring back': brought, hide, leave } = parts[part as keyof typeof PARTS];
      return line(name, objects(brought), objects(hide), objects(leave));
    }),
    '',
    ...named('recovery points that come back', back),
    ...named('recovery points that vanish', gone),
    ...named('recovery points that are mended', mended),
    ...named('repositories in which something changes', repositories),
    ...named('repositories that an older password opens again', passwords),
    ...(passwords.length > 0 ? ['  change it when all is well: holdfast vault rotate-key'] : []),
    '',
    'Nothing is removed: copies of old versions and delete markers are added, so a rewind can be rewound.',
    'Versions under Object Lock cannot have been removed by anybody. Of a bucket without it, those that somebody',
    'removed for good are not listed here and do not come back: then take the other copy.',
  ];
}

/** How to go on from a plan. The instant is given in full: two hours ago is another one later. */
export const confirmLine = ({ cluster, copy, to }: RewindHeading): string =>
  `To do it: holdfast --cluster ${cluster} vault rewind --from ${copy} --to ${to.toISOString()} --confirm`;
