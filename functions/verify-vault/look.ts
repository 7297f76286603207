import { createHash } from 'node:crypto';
import { COPIES, type Copy } from '../core/copies.ts';
import { HoldfastError, messageOf } from '../core/errors.ts';
import { type CopyState, type Finding, judge, type Seen } from '../core/verification.ts';
import type { Vault } from '../ports/vault.ts';
import type { Copies } from '../runtime/copies.ts';

/** An object, what was promised of it, and what the copies have. */
export interface Look {
  readonly key: string;
  /** Promised by the record or the name; undefined: by nobody, or nobody who can be believed. */
  readonly sha256: string | undefined;
  readonly seen: Seen;
  /** Of one good copy. */
  readonly bytes: number;
  readonly recoveryPoints: readonly string[];
  readonly repository?: string;
  /** Another look, in an earlier step, has counted it. */
  readonly counted?: true;
  /** Whether it is still promised: a prune may have been faster. */
  stillWanted(): Promise<boolean>;
}

/** The sha256 and length of an object, read as a stream; undefined when it is not there. */
export async function digestOf(
  vault: Vault,
  key: string,
): Promise<{ sha256: string; bytes: number } | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of (await vault.stream(key)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (cause) {
    if ((cause as Error).name === 'VaultObjectMissing') return undefined;
    if (cause instanceof HoldfastError) throw cause;
    throw new HoldfastError(
      'VaultUnavailable',
      `${key} in bucket ${vault.bucket} broke off: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** What both copies have of an object of which the sha256 is promised. `expected`: where it must be. */
export async function lookAt(
  copies: Copies,
  key: string,
  sha256: string,
  expected: Readonly<Record<Copy, boolean>>,
): Promise<Pick<Look, 'key' | 'sha256' | 'seen' | 'bytes'>> {
  const [primary, replica] = await Promise.all(COPIES.map((copy) => digestOf(copies[copy], key)));
  const state = (copy: Copy, found: typeof primary): CopyState => {
    if (!found) return expected[copy] ? 'missing' : 'absent';
    return found.sha256 === sha256 ? 'good' : 'damaged';
  };
  const seen = { primary: state('primary', primary), replica: state('replica', replica) };
  const good = seen.primary === 'good' ? primary : seen.replica === 'good' ? replica : undefined;
  return { key, sha256, seen, bytes: good?.bytes ?? 0 };
}

/** What is wrong with an object; undefined when nothing is. */
export function findingOf({ key, sha256, seen, recoveryPoints, repository }: Look): Finding | undefined {
  const { heal, lost } = judge(seen);
  const unproven = Object.values(seen).includes('unproven');
  if (heal.length === 0 && !lost && !unproven) return undefined;
  const outcome = lost ? 'lost' : unproven || sha256 === undefined ? 'unproven' : 'healed';
  return { key, ...seen, outcome, recoveryPoints: [...recoveryPoints], ...(repository && { repository }) };
}

/**
 * Writes an object over from its good copy: a new version, which comes into being only with the sha256 that was promised.
 * The damaged one stays as a version before it.
 */
export async function heal(copies: Copies, { key, sha256, seen, bytes }: Look): Promise<void> {
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
