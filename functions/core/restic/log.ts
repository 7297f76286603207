import type { JobEnd } from '../kubernetes/job-end.ts';
import { plainText } from '../kubernetes/plain-text.ts';
import { isResticId, type ResticId } from './ids.ts';

/*
 * What restic writes with --json. A log is what a pod says: a value that is not what restic would write is not there, and
 * text is one printable line.
 */

/** The summary of a backup or restore. */
export interface ResticSummary {
  readonly snapshot?: ResticId;
  readonly files: number;
  readonly bytes: number;
  /** The first files that could not be read, and how many more there are. */
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

/** Exit code of a process that the kernel kills for lack of memory: 128 + SIGKILL. */
const KILLED = 137;

type Line = Readonly<Record<string, unknown>>;

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

/** A count in JSON: the first of the values that is there; 0 if none is, and undefined if it is no count. */
function count(...values: unknown[]): number | undefined {
  const value = values.find((v) => v !== undefined) ?? 0;
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** Maximum number of errors in a message. */
const ERRORS = 5;

/** The first of many, and how many more there are. */
const firstOf = (all: readonly string[]): string[] =>
  all.length > ERRORS ? [...all.slice(0, ERRORS), `and ${all.length - ERRORS} more`] : [...all];

/** Reads the log of `restic backup|restore --json`; undefined if it has no summary, or one that is not restic's. */
export function parseSummary(log: string): ResticSummary | undefined {
  const lines = jsonLines(log);
  const summary = lines.findLast((l) => l.message_type === 'summary');
  if (!summary) return undefined;
  const files = count(summary.total_files_processed, summary.files_restored);
  const bytes = count(summary.total_bytes_processed, summary.bytes_restored);
  if (files === undefined || bytes === undefined) return undefined;
  const errors = lines
    .filter((l) => l.message_type === 'error')
    .map((l) => `${plainText(l.item)}: ${plainText((l.error as Line | undefined)?.message) || 'unreadable'}`);
  const { snapshot_id: snapshot } = summary;
  return { ...(isResticId(snapshot) && { snapshot }), files, bytes, errors: firstOf(errors) };
}

/** Reads the status that `restic backup|restore --json` writes while it runs; undefined before the first status line. */
export function parseProgress(log: string): ResticProgress | undefined {
  const status = jsonLines(log).findLast((l) => l.message_type === 'status');
  if (!status) return undefined;
  const share = typeof status.percent_done === 'number' ? status.percent_done : 0;
  const bytes = count(status.bytes_done, status.bytes_restored) ?? 0;
  const seconds = count(status.seconds_elapsed) ?? 0;
  return {
    percent: Math.floor(100 * Math.min(1, Math.max(0, share))),
    files: count(status.files_done, status.files_restored) ?? 0,
    bytes,
    totalBytes: count(status.total_bytes) ?? 0,
    bytesPerSecond: seconds > 0 ? Math.round(bytes / seconds) : 0,
  };
}

/** The error message of a failed restic, short enough for a report. */
export function lastWords(log: string): string {
  const fatal = jsonLines(log).findLast((l) => l.message_type === 'exit_error');
  return plainText(fatal?.message) || lastLines(log);
}

/** The last three lines of a log, as one. */
export function lastLines(log: string): string {
  return plainText(log.trim().split('\n').slice(-3).join(' '), 'end') || 'no output';
}

/** Error output of the dump command, if it failed; undefined if it did not. */
function commandFailure(log: string): string | undefined {
  const error = jsonLines(log)
    .map((l) => (l.error as Line | undefined)?.message)
    .find((message) => typeof message === 'string' && message.includes('command failed'));
  if (error === undefined) return undefined;
  const said = log.split('\n').flatMap((line) => /^subprocess [^:]+: (.+)$/.exec(line)?.[1] ?? []);
  const words = plainText(said.slice(-3).join(' '), 'end');
  return `its command failed: ${words || plainText(error).replace(/^.*command failed: /, '')}`;
}

/** Why a Job failed, as a readable message. */
export function failure({ exitCode, log, message }: JobEnd): string {
  const why = plainText(message);
  if (exitCode === undefined) return `its Job did not run${why ? `: ${why}` : ''}`;
  if (exitCode === KILLED)
    return `restic was killed${why ? `: ${why}` : ', most likely out of memory: raise jobs.resources.memoryLimit'}`;
  return commandFailure(log) ?? `restic exited with code ${exitCode}: ${lastWords(log)}`;
}

/** Why a check failed, with the first errors that restic found. */
export function checkWords(end: JobEnd): string {
  const found = jsonLines(end.log).flatMap((l) => {
    if (l.message_type !== 'error') return [];
    const message = plainText(l.message);
    return /^(pack|tree|blob|error|index|Load\(|download error|id |snapshot|file|dir)/i.test(message)
      ? [message]
      : [];
  });
  return [failure(end), ...(found.length > 0 ? [firstOf(found).join('; ')] : [])].join(': ');
}

/** Ids of packs that a check reports as missing. */
export function missingPacks(log: string): ResticId[] {
  const said = jsonLines(log).flatMap(({ message }) =>
    typeof message === 'string'
      ? (/^pack ([0-9a-f]{64}): does not exist/.exec(message.trim())?.[1] ?? [])
      : [],
  );
  return [...new Set(said)];
}
