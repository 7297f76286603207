/** A version of the master secret by its staging label in Secrets Manager. */
export type SecretLabel = 'current' | 'pending' | 'previous';

/**
 * Where a rotation is, told by the labels alone, so that one that was stopped goes on: nobody is pending; the pending one is to
 * open everything before it becomes the current one; it has become that, and what the previous one opens is to be taken away.
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
 * What to do next with one repository, by the secrets whose passwords open it. What is needed is added first; what the
 * previous secret opens goes then, also in the phase of adding: it is left of a rotation that is over, or a rewind brought it back.
 */
export function nextKeyStep(opens: ReadonlySet<SecretLabel>, needed: readonly SecretLabel[]): KeyStep {
  const openedBy = (['current', 'pending', 'previous'] as const).find((label) => opens.has(label));
  if (openedBy === undefined) return { do: 'give up' };
  const missing = needed.find((label) => !opens.has(label));
  if (missing) return { do: 'add', of: missing, openedBy };
  if (opens.has('previous')) return { do: 'remove', of: 'previous', openedBy: needed[0] as SecretLabel };
  return { do: 'nothing' };
}
