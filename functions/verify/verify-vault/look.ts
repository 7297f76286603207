import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { type CopyState, type Finding, judge, type Seen } from '../../core/vault/verification.ts';
import type { Vault } from '../../ports/vault.ts';

/** An object, its expected sha256, and its state in both copies. */
export interface Look {
  readonly key: string;
  /** Expected sha256, from a signed record or the name; undefined if there is none. */
  readonly sha256: string | undefined;
  readonly seen: Seen;
  /** Size of a good copy. */
  readonly bytes: number;
  readonly recoveryPoints: readonly string[];
  readonly repository?: string;
  /** The object was counted in an earlier step. */
  readonly counted?: true;
  /** Whether the object is still needed: a prune may have removed it since. */
  stillWanted(): Promise<boolean>;
}

/** The state of an object with a known sha256 in both copies. `expected`: the copies that must have it. */
export async function lookAt(
  copies: PerCopy<Vault>,
  key: string,
  sha256: string,
  expected: PerCopy<boolean>,
): Promise<Pick<Look, 'key' | 'sha256' | 'seen' | 'bytes'>> {
  const [primary, replica] = await Promise.all(COPIES.map((copy) => copies[copy].digest(key)));
  const state = (copy: CopyName, found: typeof primary): CopyState => {
    if (!found) return expected[copy] ? 'missing' : 'absent';
    return found.sha256 === sha256 ? 'good' : 'damaged';
  };
  const seen = { primary: state('primary', primary), replica: state('replica', replica) };
  const good = seen.primary === 'good' ? primary : seen.replica === 'good' ? replica : undefined;
  return { key, sha256, seen, bytes: good?.bytes ?? 0 };
}

/** The finding of an object; undefined if it has no problem. */
export function findingOf({ key, sha256, seen, recoveryPoints, repository }: Look): Finding | undefined {
  const { heal, lost } = judge(seen);
  const unproven = Object.values(seen).includes('unproven');
  if (heal.length === 0 && !lost && !unproven) return undefined;
  const outcome = lost ? 'lost' : unproven || sha256 === undefined ? 'unproven' : 'healed';
  return { key, ...seen, outcome, recoveryPoints: [...recoveryPoints], ...(repository && { repository }) };
}

/**
 * Overwrites an object from its good copy. The new version is created only if it has the expected sha256. The damaged
 * object stays as an earlier version.
 */
export async function heal(copies: PerCopy<Vault>, { key, sha256, seen, bytes }: Look): Promise<void> {
  const from = copies[seen.primary === 'good' ? 'primary' : 'replica'];
  for (const copy of judge(seen).heal)
    await copies[copy].upload(key, await from.stream(key), {
      bytes,
      check: (actual) => {
        if (actual === sha256) return;
        throw new HoldfastError(
          'VaultUnavailable',
          `${key} in bucket ${from.bucket} has changed while it was read`,
        );
      },
    });
}
