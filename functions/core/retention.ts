/** A committed recovery point as retention sees it. */
export interface RecoveryPoint {
  readonly backup: string;
  readonly at: Date;
  readonly phase: 'Completed' | 'PartiallyFailed' | 'Failed';
  /** The replica is proven. */
  readonly replicated: boolean;
}

export interface RetentionPolicy {
  readonly keepLast: number;
}

export interface RetentionDecision {
  readonly backup: string;
  readonly keep: boolean;
  readonly reasons: readonly string[];
}

const newestFirst = (a: RecoveryPoint, b: RecoveryPoint) =>
  b.at.getTime() - a.at.getTime() || (a.backup < b.backup ? 1 : -1);

/**
 * What to keep and what to remove of one plan's recovery points, newest first, with the reasons for each.
 * keep-last counts recovery points that hold something (Failed ones do not count). The last Completed one stays
 * whatever the policy says, and so does one whose replica is not proven.
 *
 * @throws RangeError for a policy that keeps nothing: that would be "remove everything".
 */
export function decideRetention(
  points: readonly RecoveryPoint[],
  policy: RetentionPolicy,
): RetentionDecision[] {
  if (!Number.isInteger(policy.keepLast) || policy.keepLast < 1) {
    throw new RangeError(`keepLast is ${policy.keepLast}: a policy that keeps nothing is refused`);
  }
  const sorted = [...points].sort(newestFirst);
  const lastGood = sorted.find((p) => p.phase === 'Completed')?.backup;
  let counted = 0;
  return sorted.map((p) => {
    const reasons: string[] = [];
    const rank = p.phase === 'Failed' ? undefined : ++counted;
    if (rank !== undefined && rank <= policy.keepLast)
      reasons.push(`keep-last ${rank} of ${policy.keepLast}`);
    if (p.backup === lastGood) reasons.push('last good recovery point');
    if (p.phase !== 'Failed' && !p.replicated) reasons.push('replica not proven');
    const keep = reasons.length > 0;
    const removal = rank === undefined ? 'failed: it holds nothing' : `beyond keep-last ${policy.keepLast}`;
    return { backup: p.backup, keep, reasons: keep ? reasons : [removal] };
  });
}
