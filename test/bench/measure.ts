import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STREAMING } from '../../functions/contract/functions.ts';
import { bundle } from '../../infra/bundle.ts';
import { connect, makeVault } from '../support/world.ts';
import { NAMESPACES, namespaceName } from './objects.ts';
import { type VeleroRunner, veleroRunner } from './velero.ts';
import { BUCKET, fill } from './world.ts';

type Figures = Record<string, number>;
const ROUNDS = 3;
const BACKUP = 'bench-20260101000000';
const say = (line: string) => console.error(line);

/** The middle of an odd number of figures. */
const median = (figures: readonly number[]): number =>
  [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] as number;

const medians = (runs: readonly Figures[]): Figures =>
  Object.fromEntries(
    Object.keys(runs[0] ?? {}).map((key) => [key, median(runs.map((r) => r[key] as number))]),
  );

const PROGRAMS = ['list-once', 'export-once', 'restore-once', 'create-once'];

/** Bundles the programs as the functions are bundled, so that their memory is that of a function. */
function bundlePrograms(folder: string): void {
  const entries = PROGRAMS.map(
    (name) => [name, fileURLToPath(new URL(`${name}.ts`, import.meta.url))] as const,
  );
  bundle(Object.fromEntries(entries), folder);
}

/** Runs a program in a process of its own and reads the figures of its line. */
function once(folder: string, program: string, ...args: string[]): Figures {
  const file = join(folder, `${program}.mjs`);
  const { status, stdout } = spawnSync(process.execPath, [...STREAMING.split(' '), file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 20,
  });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  const line = JSON.parse(stdout.toString().trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  return Object.fromEntries(Object.entries(line).filter(([, v]) => typeof v === 'number')) as Figures;
}

/** Runs one benchmark inside the world; returns its figures. `restores`: whether a comparison has them. */
export async function measure(what: string, items: number, restores: boolean): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  try {
    bundlePrograms(folder);
    const cluster = connect();
    await makeVault(BUCKET);
    say(`creating ${items} objects`);
    await fill(cluster, 0, items, (done) => say(`  ${done}`));
    await cluster.close();
    if (what === 'export') return exportFigures(folder);
    if (what === 'restore') return restoreFigures(folder, items);
    return await compareFigures(folder, restores);
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
async function compareFigures(folder: string, restores: boolean): Promise<Figures> {
  const velero = await veleroRunner();
  if (!velero) throw new Error('there is no Velero in the cache: npm run test:velero makes it');
  try {
    const namespaces = Array.from({ length: NAMESPACES }, (_, i) => namespaceName(i));
    say('export');
    const ours = once(folder, 'export-once', BACKUP);
    say('velero backup');
    const theirs = await velero.backup('bench', namespaces);
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
      ...(restores && (await compareRestores(folder, velero, namespaces))),
    };
  } finally {
    await velero.stop();
  }
}

async function compareRestores(
  folder: string,
  velero: VeleroRunner,
  namespaces: readonly string[],
): Promise<Figures> {
  say('restore');
  const ours = once(folder, 'restore-once', BACKUP, 'copy');
  say('velero restore');
  const theirs = await velero.restore('bench', Object.fromEntries(namespaces.map((n) => [n, `${n}-v`])));
  return {
    restore_items_per_s: ours.items_per_s as number,
    velero_restore_items_per_s: (ours.items as number) / (theirs.wall_s as number),
    restore_ratio: (theirs.wall_s as number) / (ours.wall_s as number),
  };
}
