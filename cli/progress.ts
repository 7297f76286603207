import type { Progress } from '../functions/core/backup/record.ts';

const WIDTHS = [36, 10, 9, 12, 14];
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes in the largest unit with a value of at least 1: `4.1 GiB`. */
export function inUnits(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 2 ** (10 * power);
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}

const line = (...cells: string[]): string =>
  cells
    .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
    .join(' ')
    .trimEnd();

/** A table with the progress of each volume and the problem that blocks it. */
export function progressLines({ volumes }: Progress): string[] {
  return [
    line('VOLUME', 'STATE', 'PERCENT', 'DONE', 'RATE', 'PROBLEM'),
    ...volumes.map(({ volume, state, percent, bytes, bytesPerSecond, blocker = '' }) =>
      line(
        volume,
        state,
        percent === undefined ? '' : `${percent} %`,
        bytes === undefined ? '' : inUnits(bytes),
        bytesPerSecond ? `${inUnits(bytesPerSecond)}/s` : '',
        blocker,
      ),
    ),
  ];
}
