import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FUNCTIONS } from '../../functions/contract/functions.ts';

/** The functions of a restore, by the step that is measured. */
const STEPS = { plan: 'plan-restore', apply: 'apply-resources', verify: 'verify-restore' } as const;

/** Largest resident memory of each function of a restore of `items` objects of 2.4 kB, beside the memory that it has, in MiB. */
export function measureMemory(items: number): Record<string, { has: number; mib: number; seconds: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-memory-'));
  const once = fileURLToPath(new URL('./memory-once.ts', import.meta.url));
  const run = (step: string) =>
    JSON.parse(execFileSync(process.execPath, [once, step, folder, String(items)], { encoding: 'utf8' })) as {
      mib: number;
      seconds: number;
    };
  try {
    run('make');
    return Object.fromEntries(
      Object.entries(STEPS).map(([step, name]) => [name, { has: FUNCTIONS[name].memoryMiB, ...run(step) }]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
