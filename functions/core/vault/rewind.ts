import { copyRank } from './replication.ts';
import { rewoundPart } from './vault-keys.ts';

/** A version of a key in an S3 listing, or a delete marker. */
export interface ObjectVersion {
  readonly key: string;
  readonly id: string;
  /** Whole seconds. */
  readonly at: Date;
  readonly deleted: boolean;
  readonly bytes: number;
  /** The version of this key that a rewind copied to make this one. */
  readonly copyOf?: string;
}

/** What a rewind does with one key, and why. It never removes a version: it adds a copy or a delete marker. */
export type RewindStep =
  | { readonly action: 'restore'; readonly version: ObjectVersion; readonly reason: string }
  | { readonly action: 'hide'; readonly version: ObjectVersion; readonly reason: string }
  | { readonly action: 'leave'; readonly version: ObjectVersion; readonly reason: string };

/** The visible version of a key at a point in time, and now. `versions`: all of the key, newest first. */
function views(versions: readonly ObjectVersion[], to: Date) {
  const then = versions.find((v) => v.at <= to);
  const now = versions[0];
  return { was: then?.deleted ? undefined : then, is: now?.deleted ? undefined : now };
}

/**
 * The version for which `planKey` needs `copyOf`, which is not in a listing and costs a request. Undefined for most keys: a
 * version of another length cannot be a copy.
 */
export function unclear(versions: readonly ObjectVersion[], to: Date): ObjectVersion | undefined {
  const { was, is } = views(versions, to);
  return was && is && was.id !== is.id && was.bytes === is.bytes ? is : undefined;
}

/** Whether a key was visible at a point in time. `versions`: all of the key, newest first. */
export const existedAt = (versions: readonly ObjectVersion[], to: Date): boolean =>
  views(versions, to).was !== undefined;

/** What to do with a key to make the version visible that was visible then. `versions`: all of the key, newest first. */
export function planKey(versions: readonly [ObjectVersion, ...ObjectVersion[]], to: Date): RewindStep {
  const { was, is } = views(versions, to);
  const [newest] = versions;
  const leave = (reason: string): RewindStep => ({ action: 'leave', version: newest, reason });
  if (!was && !is) return leave('did not exist then and does not exist now');
  if (was && is && (is.id === was.id || is.copyOf === was.id)) return leave('is unchanged');
  const changed = versions.findLast((v) => v.at > to) ?? newest;
  const when = changed.at.toISOString();
  if (rewoundPart(newest.key) === undefined) return leave('belongs to running work');
  if (was)
    return {
      action: 'restore',
      version: was,
      reason: `${changed.deleted ? 'deleted' : 'overwritten'} ${when}`,
    };
  if (isPassword(newest.key)) return leave(`created ${when}, but may hold the current password`);
  return { action: 'hide', version: newest, reason: `created ${when}` };
}

/** Whether a key is a repository's key file. Later ones stay, because the current password may need them. */
const isPassword = (key: string): boolean => /^restic\/[^/]+\/[^/]+\/keys\//.test(key);

/**
 * The steps that change something, in batches. A batch may begin only after the previous one is complete: first restored
 * versions in copy order, so that there are no dangling references; then hidden ones in reverse order.
 */
export function inRewindOrder(steps: readonly RewindStep[]): RewindStep[][] {
  const batches = (action: RewindStep['action'], direction: number) =>
    [
      ...Map.groupBy(
        steps.filter((s) => s.action === action),
        (s) => copyRank(s.version.key),
      ),
    ]
      .sort(([a], [b]) => direction * (a - b))
      .map(([, batch]) => batch);
  return [...batches('restore', 1), ...batches('hide', -1)];
}

const PARTS = ['records', 'velero', 'restic'] as const;
type Count = { objects: number; bytes: number };

/** Summary of a rewind: counts and names. */
export interface RewindSummary {
  readonly parts: Record<(typeof PARTS)[number], Record<RewindStep['action'], Count>>;
  /** Recovery points that exist again, that no longer exist, and that are repaired: some of their objects change. */
  readonly back: readonly string[];
  readonly gone: readonly string[];
  readonly mended: readonly string[];
  /** Repositories that change, and those of which a key file is restored, with its former password. */
  readonly repositories: readonly string[];
  readonly passwords: readonly string[];
}

/** Counts steps as they are planned. */
export function rewindCounter() {
  const none = () => ({ objects: 0, bytes: 0 });
  const counts = () => ({ restore: none(), hide: none(), leave: none() });
  const parts = { records: counts(), velero: counts(), restic: counts() };
  const names = { back: new Set<string>(), gone: new Set<string>(), touched: new Set<string>() };
  const restic = { repositories: new Set<string>(), passwords: new Set<string>() };
  return {
    add({ action, version: { key, bytes } }: RewindStep): void {
      const part = rewoundPart(key);
      if (part === undefined) return;
      const count = parts[part.root][action];
      count.objects++;
      count.bytes += bytes;
      if (action === 'leave') return;
      if (part.root === 'restic') {
        restic.repositories.add(part.name);
        if (isPassword(key)) restic.passwords.add(part.name);
      } else if (part.marker) (action === 'hide' ? names.gone : names.back).add(part.name);
      else if (!part.name.startsWith('_')) names.touched.add(part.name);
    },
    summary(): RewindSummary {
      const sorted = (set: ReadonlySet<string>) => [...set].sort();
      const { back, gone, touched } = names;
      return {
        parts,
        back: sorted(back),
        gone: sorted(gone),
        mended: sorted(touched).filter((name) => !back.has(name) && !gone.has(name)),
        repositories: sorted(restic.repositories),
        passwords: sorted(restic.passwords),
      };
    },
  };
}

/** Whether a rewind changes nothing. */
export const isIdle = ({ parts }: RewindSummary): boolean =>
  PARTS.every((part) => parts[part].restore.objects + parts[part].hide.objects === 0);
