import { expect, test } from 'vitest';
import { quantity } from '../../../functions/contract/quantity.ts';

test.each([
  ['1Gi', 2 ** 30],
  ['500M', 5e8],
  ['1.5Ki', 1536],
  ['100m', 0.1],
  ['2e3', 2000],
  ['1E', 1e18],
  ['7', 7],
])('%s is a quantity of %d', (text, value) => {
  expect(quantity(text)).toBeCloseTo(value);
});

test.each(['', '1 GB', '-1', 'Gi', '1gi', '1Gi1'])('"%s" is no quantity', (text) => {
  expect(quantity(text)).toBeUndefined();
});
