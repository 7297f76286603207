import { expect, test } from 'vitest';
import { parseDuration } from '../../../functions/contract/duration.ts';

test.each([
  ['14d', [0, 0, 14, 0]],
  ['1y6m', [1, 6, 0, 0]],
  ['2y5m7d3h', [2, 5, 7, 3]],
  ['36h', [0, 0, 0, 36]],
] as const)('%s is a duration as restic writes them', (text, [years, months, days, hours]) => {
  expect(parseDuration(text)).toEqual({ years, months, days, hours });
});

test.each(['', '0d', '14', 'd', '1d1y', '1w', '-1d', ' 1d', '1.5d', '0y0m'])('%j is none', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
