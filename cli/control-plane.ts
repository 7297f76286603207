import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ETCD_PATH, filesPath } from '../functions/core/backup/control-plane.ts';
import type { BackupRecord } from '../functions/core/backup/record.ts';
import { restoreArgs } from '../functions/core/restic/restic.ts';
import { memberFlags } from './etcd-member.ts';

/** Subfolders for the etcd data directory and for the files of each node. */
const ETCD_DIR = 'etcd';
const NODES_DIR = 'nodes';

function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  remedy: string,
): void {
  const { error, status } = spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (error) throw new Error(`${program} is not found on the PATH: ${remedy}`);
  if (status !== 0) throw new Error(`${program} ${args[0]} exited with code ${status}`);
}

/**
 * Restores the etcd data directory and the node files of a backup to a folder, with the restic and the etcdutl on the
 * PATH. Needs no cluster. `node`: the node whose etcd member to restore; its files contain the name and address.
 * `etcdutlArgs` are passed to `etcdutl snapshot restore`. Throws if the folder is not empty.
 */
export function restoreControlPlane(
  record: BackupRecord,
  to: string,
  restic: Readonly<Record<string, string>>,
  options: { readonly node?: string; readonly etcdutlArgs: readonly string[] },
): string[] {
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new Error(`--to: ${to} is not empty. Use an empty folder`);
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const outcomes = record.controlPlane ?? [];
  const resticHelp = 'install restic 0.19.1 or newer';
  const fetch = (snapshot: string, path: string, target: string) =>
    run('restic', restoreArgs(snapshot, path, target, []), restic, resticHelp);
  const nodes = outcomes.flatMap(({ id, snapshot }) => {
    const name = /^files\.([a-z0-9][a-z0-9.-]*)$/.exec(id)?.[1];
    return name && snapshot ? [{ name, snapshot }] : [];
  });
  for (const { name, snapshot } of nodes) fetch(snapshot, filesPath(name), join(to, NODES_DIR, name));
  const etcd = outcomes.find((o) => o.id === 'etcd');
  const scratch = join(to, '.snapshot');
  fetch(etcd?.snapshot as string, ETCD_PATH, scratch);
  const member = options.node ?? nodes[0]?.name;
  const manifest = member && join(to, NODES_DIR, member, 'manifests', 'etcd.yaml');
  const flags = manifest && existsSync(manifest) ? memberFlags(readFileSync(manifest, 'utf8')) : [];
  const data = join(to, ETCD_DIR);
  run(
    'etcdutl',
    ['snapshot', 'restore', join(scratch, 'etcd.db'), '--data-dir', data, ...flags, ...options.etcdutlArgs],
    {},
    'install the etcd release of your cluster, which includes it',
  );
  rmSync(scratch, { recursive: true });
  return [
    `etcd at revision ${etcd?.revision} with ${etcd?.keys} keys: ${data}`,
    ...nodes.map(({ name }) => `files of ${name}: ${join(to, NODES_DIR, name)}`),
  ];
}
