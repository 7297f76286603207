import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainText } from '../../../../functions/core/kubernetes/plain-text.ts';

describe('text of somebody else', () => {
  it.each([
    ['a\nb\tc', 'a b c'],
    ['\u001b[31mred\u0000', '[31mred'],
    ['left\u202eright\u2066', 'left right'],
    ['line\u2028end\u0085x', 'line end x'],
    ['half \ud83d', 'half'],
    ['wörter 🎉', 'wörter 🎉'],
    ['   ', ''],
    [7, ''],
    [null, ''],
    [{ toString: 1 }, ''],
    [['a'], ''],
  ])('%j is %j in a message', (text, expected) => {
    expect(plainText(text)).toBe(expected);
  });

  it('is cut at its start or at its end', () => {
    const long = `a${'x'.repeat(10_000)}z`;
    expect([plainText(long), plainText(long, 'end')]).toEqual([`a${'x'.repeat(499)}`, `${'x'.repeat(499)}z`]);
  });

  it('is one printable line of bounded length, whatever it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 2000 }),
        fc.constantFrom('start', 'end'),
        (text, keep) => {
          const line = plainText(text, keep as 'start' | 'end');
          expect(line.length).toBeLessThanOrEqual(500);
          expect(line).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u);
          expect(line.isWellFormed()).toBe(true);
        },
      ),
    );
  });
});
