import { parseDuration } from '../../contract/duration.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { Phase } from '../../contract/phase.ts';
import type { Retention } from '../../contract/settings.ts';
import { type Calendar, calendarOf, type Period } from './calendar.ts';
import { type LastOf, lastOfVolumes, reasonsOf, type VolumeStates } from './volumes.ts';

/** A backup as retention sees it, in one copy of the vault. */
export interface RecoveryPoint {
  readonly backup: string;
  readonly at: Date;
  /** `Unknown`: it does not have a readable record yet. */
  readonly phase: Phase | 'Unknown';
  /** The replica is proven. */
  readonly replicated: boolean;
  /** Its record has a valid signature. Unsigned recovery points do not displace signed ones. */
  readonly signed: boolean;
  readonly tags: readonly string[];
  /** What it has of each volume. Absent: not known. */
  readonly volumes?: VolumeStates | undefined;
  /** Latest end of the locks of its copies. */
  readonly lockedUntil?: Date | undefined;
  /** Another reason to keep it, regardless of the policy. */
  readonly held?: string | undefined;
}

/** A policy as it is applied to the recovery points of one plan. */
export interface AppliedRetention extends Retention {
  /** The plan is retired: after its `ttl` nothing protects a recovery point but a lock, a damaged record or the other copy. */
  readonly retired?: boolean;
}

export interface RetentionDecision {
  readonly backup: string;
  readonly keep: boolean;
  readonly reasons: readonly string[];
}

const newestFirst = (a: RecoveryPoint, b: RecoveryPoint) =>
  b.at.getTime() - a.at.getTime() || (a.backup < b.backup ? 1 : -1);

/** Failed backups have no data, and the content of a running one is unknown: neither counts for a rule. */
const holds = (p: RecoveryPoint) => p.phase === 'Completed' || p.phase === 'PartiallyFailed';

/**
 * What to keep and what to remove of one plan's recovery points in one copy, newest first, with the reasons for each.
 * Rules count as restic's do: the newest of each hour, day, week, month or year of the plan's time zone, and `within` from
 * the newest recovery point, not from `now`. So when backups stop, time alone removes nothing, except by `ttl` and after the
 * end of a lock. Some recovery points are kept regardless of the policy: see `protections`.
 *
 * @throws HoldfastError RetentionEmpty for a policy that keeps nothing: that would be "remove everything".
 */
export function decideRetention(
  points: readonly RecoveryPoint[],
  policy: AppliedRetention,
  timeZone: string,
  now: Date,
): RetentionDecision[] {
  if (keepRules(policy).length === 0)
    throw new HoldfastError('RetentionEmpty', 'the retention has no rule that keeps a recovery point', {
      hint: 'Set keepLast or another keep option in the plan',
    });
  const calendar = calendarOf(timeZone);
  const sorted = [...points].sort(newestFirst);
  const ours = sorted.filter((p) => holds(p) && p.signed);
  const signed = wanted(ours, policy, calendar);
  const all = wanted(sorted.filter(holds), policy, calendar);
  const oldest = policy.ttl ? calendar.before(now, durationOf(policy.ttl)) : undefined;
  const isExpired = (p: RecoveryPoint) => oldest !== undefined && p.at < oldest;
  const witnesses = new Set(
    ours.filter((p) => !isExpired(p) && signed.get(p.backup)?.length).map((p) => p.backup),
  );
  const last: Last = {
    completed: new Set(
      [true, false].flatMap(
        (is) => sorted.find((p) => p.phase === 'Completed' && (p.signed || !is))?.backup ?? [],
      ),
    ),
    volumes: lastOfVolumes(ours, witnesses),
  };
  return sorted.map((p): RetentionDecision => {
    const expired = isExpired(p);
    const rules = expired ? [] : ((p.signed ? signed : all).get(p.backup) ?? []);
    const stays = [...(expired && policy.retired ? [] : protections(p, last)), ...holders(p, now)];
    const reasons = [...rules, ...stays];
    if (reasons.length > 0) return { backup: p.backup, keep: true, reasons };
    if (p.phase === 'Failed')
      return { backup: p.backup, keep: false, reasons: ['failed: it contains no data'] };
    return {
      backup: p.backup,
      keep: false,
      reasons: [expired ? `older than ttl ${policy.ttl}` : 'no rule keeps it'],
    };
  });
}

/** What the newest recovery points of their kind are. */
interface Last {
  /** The newest Completed one, and the newest that is also signed. */
  readonly completed: ReadonlySet<string>;
  readonly volumes: ReadonlyMap<string, LastOf>;
}

/** Why a recovery point is kept regardless of the policy, as long as its plan is not retired. */
function protections(p: RecoveryPoint, { completed, volumes }: Last): string[] {
  const lastGood = completed.has(p.backup);
  const of = volumes.get(p.backup);
  return [
    ...(lastGood ? ['last good recovery point'] : []),
    ...(of && !lastGood ? reasonsOf(of) : []),
    ...(holds(p) && !p.replicated ? ['replica not proven'] : []),
    // Failed backups are never replicated, so this record has replaced another one.
    ...(p.phase === 'Failed' && p.replicated ? ['failed, but its replica is proven'] : []),
  ];
}

/** Why a recovery point stays even if its plan is retired. */
function holders(p: RecoveryPoint, now: Date): string[] {
  return [
    ...(p.phase === 'Unknown' && !p.held ? ['no record yet'] : []),
    ...(p.lockedUntil && p.lockedUntil > now ? [`locked until ${p.lockedUntil.toISOString()}`] : []),
    ...(p.held ? [p.held] : []),
  ];
}

/** A keep rule: the newest of each period, up to a count or within a duration before the newest of all. */
interface KeepRule {
  readonly name: string;
  /** Default: each recovery point is a period of its own. */
  readonly period?: Period | undefined;
  readonly count: number;
  readonly within?: string | undefined;
}

function keepRules(policy: Retention): (KeepRule | { readonly tags: readonly string[] })[] {
  const counted = (name: string, count = 0, period?: Period) => (count > 0 ? [{ name, count, period }] : []);
  const within = (name: string, duration?: string, period?: Period) =>
    duration
      ? [{ name: `${name} ${duration}`, count: Number.POSITIVE_INFINITY, within: duration, period }]
      : [];
  return [
    ...counted('keep-last', policy.keepLast),
    ...counted('keep-hourly', policy.keepHourly, 'hour'),
    ...counted('keep-daily', policy.keepDaily, 'day'),
    ...counted('keep-weekly', policy.keepWeekly, 'week'),
    ...counted('keep-monthly', policy.keepMonthly, 'month'),
    ...counted('keep-yearly', policy.keepYearly, 'year'),
    ...within('keep-within', policy.keepWithin),
    ...within('keep-within-hourly', policy.keepWithinHourly, 'hour'),
    ...within('keep-within-daily', policy.keepWithinDaily, 'day'),
    ...within('keep-within-weekly', policy.keepWithinWeekly, 'week'),
    ...within('keep-within-monthly', policy.keepWithinMonthly, 'month'),
    ...within('keep-within-yearly', policy.keepWithinYearly, 'year'),
    ...(policy.keepTags ?? []).filter((tags) => tags.length > 0).map((tags) => ({ tags })),
  ];
}

/** Reasons of the rules that keep something, by backup. `sorted`: newest first. */
function wanted(
  sorted: readonly RecoveryPoint[],
  policy: Retention,
  calendar: Calendar,
): Map<string, string[]> {
  const reasons = new Map<string, string[]>(sorted.map((p) => [p.backup, []]));
  for (const rule of keepRules(policy)) {
    const kept =
      'tags' in rule
        ? sorted
            .filter((p) => rule.tags.every((t) => p.tags.includes(t)))
            .map((p) => [p, `tags ${rule.tags.join(', ')}`] as const)
        : keptBy(rule, sorted, calendar);
    for (const [point, reason] of kept) reasons.get(point.backup)?.push(reason);
  }
  return reasons;
}

/**
 * As restic: the newest of each period counts. The oldest of all is also kept until the count is reached, so that a
 * history grows to its full length.
 */
function keptBy(
  rule: KeepRule,
  sorted: readonly RecoveryPoint[],
  calendar: Calendar,
): (readonly [RecoveryPoint, string])[] {
  const newest = sorted[0];
  if (!newest) return [];
  const limit = rule.within ? calendar.before(newest.at, durationOf(rule.within)) : undefined;
  const kept: (readonly [RecoveryPoint, string])[] = [];
  let last: string | undefined;
  for (const [i, point] of sorted.entries()) {
    if (kept.length >= rule.count || (limit && point.at <= limit)) break;
    const period = rule.period ? calendar.periodOf(rule.period, point.at) : point.backup;
    const isOldest = i === sorted.length - 1;
    if (period === last && !isOldest) continue;
    const number = limit ? '' : ` ${kept.length + 1} of ${rule.count}`;
    kept.push([point, `${rule.name}${number}${period === last ? ' (the oldest)' : ''}`]);
    last = period;
  }
  return kept;
}

function durationOf(text: string) {
  const duration = parseDuration(text);
  if (duration) return duration;
  throw new RangeError(`"${text}" is not a duration`);
}
