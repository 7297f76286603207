import { findJson } from '../functions/adapters/s3/documents.ts';
import { runningExecutions } from '../functions/adapters/states/executions.ts';
import { MACHINES, machineName } from '../functions/contract/names.ts';
import { Lease } from '../functions/core/lease.ts';
import { vaultKeys } from '../functions/core/vault-keys.ts';
import type { Vault } from '../functions/ports/vault.ts';
import { holderIsGone } from '../functions/runtime/leases.ts';

/** What is at work in a cluster's part of the vault, in words: executions that run, and leases that somebody holds. */
export async function atWork(vault: Vault, account: string, cluster: string, now: Date): Promise<string[]> {
  const arn = (name: string) => `arn:aws:states:${vault.region}:${account}:stateMachine:${name}`;
  const executions = MACHINES.map(async (machine) =>
    (await runningExecutions(arn(machineName(cluster, machine)))).map(
      (name) => `${machine} ${name} is running`,
    ),
  );
  const { root } = vaultKeys(cluster).leases;
  const leases: string[] = [];
  for await (const { key } of vault.list(root)) {
    const lease = await findJson(vault, Lease, key);
    if (!lease || Date.parse(lease.expiresAt) <= now.getTime() || (await holderIsGone(lease.holder)))
      continue;
    leases.push(`${lease.holder} holds ${key}`);
  }
  return [...(await Promise.all(executions)).flat(), ...leases];
}
