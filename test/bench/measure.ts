import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { STREAMING } from '../../functions/contract/functions.ts';
import { NAMESPACES, namespaceName } from './objects.ts';
import { veleroRunner } from './velero.ts';
import { connect, fill, makeVault } from './world.ts';

type Figures = Record<string, number>;
const ROUNDS = 3;
const BACKUP = 'bench-20260101000000';
const say = (line: string) => console.error(line);

/** The middle of an odd number of figures. */
export const median = (figures: readonly number[]): number =>
  [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] as number;

const medians = (runs: readonly Figures[]): Figures =>
  Object.fromEntries(
    Object.keys(runs[0] ?? {}).map((key) => [key, median(runs.map((r) => r[key] as number))]),
  );

/** Bundles a program as the functions are bundled, so that its memory is that of a function; runs it and reads its line. */
function once(folder: string, program: string, ...args: string[]): Figures {
  const outfile = join(folder, `${program}.mjs`);
  buildSync({
    entryPoints: [fileURLToPath(new URL(`${program}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  const { status, stdout } = spawnSync(process.execPath, [STREAMING, outfile, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 20,
  });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  const line = JSON.parse(stdout.toString().trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  return Object.fromEntries(Object.entries(line).filter(([, v]) => typeof v === 'number')) as Figures;
}

/** Runs one benchmark inside the world; returns its figures. */
export async function measure(what: string, items: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  try {
    const cluster = connect();
    await makeVault();
    say(`creating ${items} objects`);
    await fill(cluster, 0, items, (done) => say(`  ${done}`));
    await cluster.close();
    if (what === 'export') return exportFigures(folder);
    if (what === 'restore') return restoreFigures(folder, items);
    return await compareFigures(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function exportFigures(folder: string): Figures {
  const floors: Figures[] = [];
  const runs: Figures[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    say(`round ${round} of ${ROUNDS}`);
    floors.push(once(folder, 'list-once'));
    runs.push(once(folder, 'export-once', BACKUP));
  }
  const [floor, ours] = [medians(floors), medians(runs)];
  return {
    ...ours,
    floor_wall_s: floor.wall_s as number,
    floor_ratio: (ours.wall_s as number) / (floor.wall_s as number),
  };
}

function restoreFigures(folder: string, items: number): Figures {
  once(folder, 'export-once', BACKUP);
  say('restore');
  const ours = once(folder, 'restore-once', BACKUP, 'copy');
  say('ceiling');
  const ceiling = once(folder, 'create-once', String(items));
  return { ...ours, ceiling_items_per_s: ceiling.items_per_s as number };
}

/** Ours and Velero's, one after the other on the same cluster. */
async function compareFigures(folder: string): Promise<Figures> {
  const velero = await veleroRunner();
  if (!velero) throw new Error('there is no Velero in the cache: npm run test:velero makes it');
  try {
    const namespaces = Array.from({ length: NAMESPACES }, (_, i) => namespaceName(i));
    say('export');
    const ours = once(folder, 'export-once', BACKUP);
    say('velero backup');
    const theirs = await velero.backup('bench', namespaces);
    say('restore');
    const restored = once(folder, 'restore-once', BACKUP, 'copy');
    say('velero restore');
    const theirRestore = await velero.restore(
      'bench',
      Object.fromEntries(namespaces.map((n) => [n, `${n}-v`])),
    );
    const ratio = (key: string) => (theirs[key] as number) / (ours[key] as number);
    return {
      items: ours.items as number,
      export_wall_s: ours.wall_s as number,
      velero_backup_wall_s: theirs.wall_s as number,
      wall_ratio: ratio('wall_s'),
      export_cpu_s: ours.cpu_s as number,
      velero_backup_cpu_s: theirs.cpu_s as number,
      cpu_ratio: ratio('cpu_s'),
      export_rss_mib: ours.rss_mib as number,
      velero_rss_mib: theirs.rss_mib as number,
      restore_items_per_s: restored.items_per_s as number,
      velero_restore_items_per_s: (restored.items as number) / (theirRestore.wall_s as number),
      restore_ratio: (theirRestore.wall_s as number) / (restored.wall_s as number),
    };
  } finally {
    await velero.stop();
  }
}
