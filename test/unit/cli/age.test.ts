import { expect, it } from 'vitest';
import { ageOf } from '../../../cli/age.ts';

it.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [7199, '119m'],
  [7200, '2h'],
  [26 * 3600, '26h'],
  [48 * 3600, '2d'],
  [-5, '0s'],
])('%i seconds are %s', (seconds, age) => {
  const now = new Date('2026-01-02T00:00:00Z');
  expect(ageOf(new Date(now.getTime() - seconds * 1000).toISOString(), now)).toBe(age);
});
