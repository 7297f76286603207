/** A version of the master secret by its staging label in Secrets Manager. */
export type SecretLabel = 'current' | 'pending' | 'previous';

/**
 * Phase of a rotation. It follows from the labels alone, so that an interrupted rotation resumes. `propose`: there is no
 * pending secret. `add`: the pending secret must open every repository before it becomes current. `clear`: it is current,
 * and the passwords of the previous secret must be removed.
 */
export type RotationPhase = 'propose' | 'add' | 'clear';

export function rotationPhase(current: string, pending: string | undefined): RotationPhase {
  if (pending === undefined) return 'propose';
  return pending === current ? 'clear' : 'add';
}

/** Secrets whose passwords must open every repository before a phase is over. */
export const NEEDED: Record<Exclude<RotationPhase, 'propose'>, readonly SecretLabel[]> = {
  add: ['current', 'pending'],
  clear: ['current'],
};

export type KeyStep =
  | { readonly do: 'add'; readonly of: SecretLabel; readonly openedBy: SecretLabel }
  | { readonly do: 'remove'; readonly of: 'previous'; readonly openedBy: SecretLabel }
  | { readonly do: 'nothing' }
  | { readonly do: 'give up' };

/**
 * The next step for one repository, by the secrets whose passwords open it. Needed passwords are added first; then that of
 * the previous secret is removed. In the phase `add` it is left from an earlier rotation, or a rewind restored it.
 */
export function nextKeyStep(opens: ReadonlySet<SecretLabel>, needed: readonly SecretLabel[]): KeyStep {
  const openedBy = (['current', 'pending', 'previous'] as const).find((label) => opens.has(label));
  if (openedBy === undefined) return { do: 'give up' };
  const missing = needed.find((label) => !opens.has(label));
  if (missing) return { do: 'add', of: missing, openedBy };
  if (opens.has('previous')) return { do: 'remove', of: 'previous', openedBy: needed[0] as SecretLabel };
  return { do: 'nothing' };
}
