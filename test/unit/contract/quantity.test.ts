import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuantity, quantity, sameQuantity } from '../../../functions/contract/quantity.ts';

const TEN: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const TWO: Record<string, bigint> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
};
/** In nanos. */
const nanosOf = (text: string): bigint | undefined => {
  const found = parseQuantity(text);
  return found && found.mantissa * 10n ** BigInt(found.exponent + 9);
};

describe('a quantity', () => {
  it.each([
    ['1Gi', 2 ** 30],
    ['500M', 5e8],
    ['1.5Ki', 1536],
    ['100m', 0.1],
    ['2e3', 2000],
    ['2E3', 2000],
    ['1.3E+6', 1.3e6],
    ['1E-3', 0.001],
    ['1E', 1e18],
    ['5n', 5e-9],
    ['4u', 4e-6],
    ['3Ei', 3 * 2 ** 60],
    ['7', 7],
    ['007', 7],
    ['+1', 1],
    ['-1.5Gi', -1.5 * 2 ** 30],
    ['.5', 0.5],
    ['1.', 1],
    ['1.G', 1e9],
    ['0Ki', 0],
    ['6.987654321G', 6987654321],
  ])('%s is %d', (text, value) => {
    expect(quantity(text)).toBe(value);
  });

  it.each([
    ['0.9n', 1n],
    ['3.001n', 4n],
    ['-3.001n', -4n],
    ['1.1E-9', 2n],
    ['0.000000000001Ki', 2n],
    ['1e-2000000000', 1n],
    ['0.00000012345', 124n],
  ])('%s, finer than a nano, is rounded away from zero', (text, nanos) => {
    expect(nanosOf(text)).toBe(nanos);
  });

  it('in binary units is at most an int64, and in others what it is', () => {
    const most = 9223372036854775807n * 10n ** 9n;
    expect([nanosOf('8Ei'), nanosOf('-9.5Ei'), nanosOf('12E')]).toEqual([most, -most, 12n * 10n ** 27n]);
    expect(nanosOf('7.999Ei')).toBeLessThan(most);
  });

  it.each([
    '',
    ' 1Gi',
    '1 GB',
    'Gi',
    '1gi',
    '1K',
    '1Gi1',
    '1ki',
    '.',
    '-',
    '+.Gi',
    '1e',
    '1e1.5',
    '1e3Ki',
    '1Mm',
    '1.2.3',
    '--1',
    '1e99999999999',
    '١',
    `1${'0'.repeat(200)}`,
  ])('is not "%s"', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it('has the value of its digits times that of its unit, exactly', () => {
    const digits = fc.stringMatching(/^\d{1,17}$/);
    const parts = fc.record({
      sign: fc.constantFrom('', '+', '-'),
      whole: digits,
      fraction: fc.option(fc.stringMatching(/^\d{0,12}$/), { nil: undefined }),
      unit: fc.oneof(
        fc.constantFrom(...Object.keys(TEN), ...Object.keys(TWO)),
        fc.tuple(fc.constantFrom('e', 'E'), fc.integer({ min: -30, max: 30 })).map(([e, n]) => `${e}${n}`),
      ),
    });
    fc.assert(
      fc.property(parts, ({ sign, whole, fraction, unit }) => {
        const text = `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${unit}`;
        const ten = TEN[unit] ?? (TWO[unit] ? 0 : Number(unit.slice(1)));
        const places = 60; // as a whole number of 10^-60
        const shift = BigInt(places + ten - (fraction?.length ?? 0));
        const exact = BigInt(whole + (fraction ?? '')) * (TWO[unit] ?? 1n) * 10n ** shift;
        const nano = 10n ** BigInt(places - 9);
        const rounded = (exact + nano - 1n) / nano;
        const most = (2n ** 63n - 1n) * 10n ** 9n;
        const size = TWO[unit] && rounded > most ? most : rounded;
        expect(nanosOf(text)).toBe(sign === '-' ? -size : size);
      }),
      { numRuns: 1000 },
    );
  });

  it('of any text is found or not, and quickly', () => {
    const like = fc.stringMatching(/^[+-]?[\d.]{0,40}[eEinumkKMGTP]{0,3}[+-]?\d{0,12}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), like), (text) => {
        const found = parseQuantity(text);
        if (found) expect(Number.isNaN(quantity(text))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('one quantity', () => {
  it.each([
    ['1Pi', '1024Ti'],
    ['1Ei', '1024Pi'],
    ['0.1', '100m'],
    ['1000m', '1'],
    ['1e3', '1k'],
    ['1E3', '1000'],
    ['1.5Gi', '1536Mi'],
    ['1000u', '1m'],
    ['0Gi', '0'],
    ['-500m', '-0.5'],
    ['8Ei', '9223372036854775807'],
    ['7e2000000000', '70e1999999999'],
  ])('is both %s and %s', (a, b) => {
    expect([sameQuantity(a, b), sameQuantity(b, a)]).toEqual([true, true]);
  });

  it.each([
    ['1Gi', '1G'],
    ['0.3', '299m'],
    ['9007199254740993k', '9007199254740992k'],
    ['1', '1.0'],
    ['0e1', '0e2'],
    ['1k', '-1k'],
    ['1x', '1x '],
    ['7e1234567', '7e7654321'],
  ])('is not both %s and %s', (a, b) => {
    expect([sameQuantity(a, b), sameQuantity(b, a)]).toEqual([false, false]);
  });

  it('stays one when it is written in a smaller unit', () => {
    const steps: [string, string, number][] = [
      ['u', 'n', 1000],
      ['m', 'u', 1000],
      ['', 'm', 1000],
      ['k', '', 1000],
      ['E', 'P', 1000],
      ['Mi', 'Ki', 1024],
      ['Ei', 'Pi', 1024],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...steps), fc.integer({ min: 1, max: 7 }), ([unit, smaller, factor], n) => {
        expect(sameQuantity(`${n}${unit}`, `${n * factor}${smaller}`)).toBe(true);
        expect(sameQuantity(`${n}${unit}`, `${n * factor + 1}${smaller}`)).toBe(false);
      }),
    );
  });
});
