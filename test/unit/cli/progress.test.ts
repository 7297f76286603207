import { expect, test } from 'vitest';
import { inUnits, progressLines } from '../../../cli/progress.ts';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [4.1 * 2 ** 30, '4.1 GiB'],
  [3 * 2 ** 70, '3145728.0 PiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(inUnits(bytes)).toBe(text);
});

test('a table shows what is known of each volume', () => {
  const volumes = [
    { volume: 'shop/a', state: 'running', percent: 42, bytes: 2048, bytesPerSecond: 1024 },
    { volume: 'shop/b', state: 'starting', blocker: 'its pod cannot be scheduled' },
    { volume: 'shop/c', state: 'waiting' },
  ] as const;
  const lines = progressLines({ at: '', volumes: [...volumes] });
  expect(lines.map((l) => l.replaceAll(/ {2,}/g, ' | '))).toEqual([
    'VOLUME | STATE | PERCENT | DONE | RATE | PROBLEM',
    'shop/a | running | 42 % | 2.0 KiB | 1.0 KiB/s',
    'shop/b | starting | its pod cannot be scheduled',
    'shop/c | waiting',
  ]);
});
