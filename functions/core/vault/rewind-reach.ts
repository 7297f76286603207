/** What a bucket keeps of versions that are not the newest of their key. */
export interface KeptVersions {
  /** Whether it keeps them at all. */
  readonly versioned: boolean;
  /** Days after which its lifecycle removes them; absent: never. */
  readonly days?: number;
}

/** A rule of a bucket's lifecycle that removes earlier versions below a prefix. */
export interface OldVersionRule {
  readonly prefix: string;
  readonly days: number;
}

const DAY = 24 * 3600_000;

/** The shortest time for which rules keep earlier versions anywhere below one of the prefixes; undefined: no rule is of them. */
export function shortestDays(
  rules: readonly OldVersionRule[],
  prefixes: readonly string[],
): number | undefined {
  const meets = (a: string, b: string) => a.startsWith(b) || b.startsWith(a);
  const days = rules
    .filter((rule) => prefixes.some((prefix) => meets(rule.prefix, prefix)))
    .map((r) => r.days);
  return days.length > 0 ? Math.min(...days) : undefined;
}

/**
 * Why a view of this time cannot be complete; undefined if it is. A version that was visible then became an earlier one after
 * that, at the soonest at once, and stays for so many days from then. `existed`: keys that were visible then.
 */
export function incompleteAt(
  to: Date,
  now: Date,
  { versioned, days }: KeptVersions,
  existed: number,
): string | undefined {
  if (!versioned) return 'the bucket keeps no earlier versions, because its versioning is not enabled';
  const since = days === undefined ? undefined : new Date(now.getTime() - days * DAY);
  if (since && to < since)
    return `the bucket removes earlier versions after ${days} days, so what was overwritten or deleted before ${since.toISOString()} is gone`;
  return existed === 0 ? 'the bucket has no version of this cluster that is so old' : undefined;
}
