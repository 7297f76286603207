import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NEEDED,
  nextKeyStep,
  rotationPhase,
  type SecretLabel,
} from '../../../../functions/core/vault/key-rotation.ts';

const labels = fc.subarray<SecretLabel>(['current', 'pending', 'previous']).map((l) => new Set(l));
const needed = fc.constantFrom(...Object.values(NEEDED));

describe('a phase', () => {
  it.each([
    ['v1', undefined, 'propose'],
    ['v1', 'v2', 'add'],
    ['v2', 'v2', 'clear'],
  ] as const)('with %s current and %s pending is %s', (current, pending, phase) => {
    expect(rotationPhase(current, pending)).toBe(phase);
  });
});

describe('steps', () => {
  /** Goes on until nothing is left to do; every repository that was seen on the way. */
  const follow = (opens: ReadonlySet<SecretLabel>, wanted: readonly SecretLabel[]) => {
    const seen = [opens];
    for (;;) {
      const now = new Set(seen.at(-1));
      const step = nextKeyStep(now, wanted);
      if (step.do === 'nothing' || step.do === 'give up') return { seen, end: step.do };
      expect(now.has(step.openedBy)).toBe(true);
      expect(step.openedBy === step.of).toBe(false);
      if (step.do === 'add') now.add(step.of);
      else now.delete(step.of);
      seen.push(now);
      expect(seen.length).toBeLessThan(5);
    }
  };

  it('end with every needed password in and the previous one out', () => {
    fc.assert(
      fc.property(labels, needed, (opens, wanted) => {
        const { seen, end } = follow(opens, wanted);
        expect(end).toBe(opens.size === 0 ? 'give up' : 'nothing');
        if (end === 'give up') return;
        expect(wanted.every((label) => seen.at(-1)?.has(label))).toBe(true);
        expect(seen.at(-1)?.has('previous')).toBe(false);
      }),
    );
  });

  it('never leave a repository that nothing opens, nor take the present password away', () => {
    fc.assert(
      fc.property(labels, needed, (opens, wanted) => {
        const { seen } = follow(opens, wanted);
        if (opens.size > 0) expect(seen.filter((s) => s.size === 0)).toEqual([]);
        if (opens.has('current')) expect(seen.filter((s) => !s.has('current'))).toEqual([]);
      }),
    );
  });
});
