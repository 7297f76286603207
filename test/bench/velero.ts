import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf } from '../../world/tools/provide.ts';
import { veleroTool } from '../../world/tools/velero.ts';
import { startVelero } from '../velero/server.ts';
import { BUCKET } from './world.ts';

/** Runs of a real Velero, with what they took. */
export interface VeleroRunner {
  backup(name: string, namespaces: readonly string[]): Promise<Record<string, number>>;
  restore(backup: string, mapping: Readonly<Record<string, string>>): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/** A runner when the tool cache has a Velero; the benchmarks do not build one. */
export async function veleroRunner(): Promise<VeleroRunner | undefined> {
  const tools = folderOf(veleroTool);
  if (!existsSync(join(tools, '.complete'))) return undefined;
  const velero = await startVelero(tools);
  await velero.addLocation({ name: 'bench', bucket: BUCKET, prefix: 'velero-own', readOnly: false });
  const timed = async (...args: string[]) => {
    const before = velero.usage();
    const started = performance.now();
    const said = await velero.run(...args, '--wait');
    if (!/completed with status: Completed/.test(said)) throw new Error(said);
    const after = velero.usage();
    return {
      wall_s: (performance.now() - started) / 1000,
      cpu_s: after.cpu - before.cpu,
      rss_mib: after.rss,
    };
  };
  return {
    backup: (name, namespaces) =>
      timed(
        'backup',
        'create',
        name,
        '--storage-location',
        'bench',
        '--include-namespaces',
        namespaces.join(),
        '--snapshot-volumes=false',
      ),
    restore: (backup, mapping) =>
      timed(
        'restore',
        'create',
        '--from-backup',
        backup,
        '--namespace-mappings',
        Object.entries(mapping)
          .map((m) => m.join(':'))
          .join(),
      ),
    stop: () => velero.stop(),
  };
}
