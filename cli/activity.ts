import { runningExecutions } from '../functions/adapters/states/executions.ts';
import { MACHINES, type MachineHome, machineArn } from '../functions/contract/names.ts';
import { holderText } from '../functions/core/vault/lease.ts';
import { vaultKeys } from '../functions/core/vault/vault-keys.ts';
import type { Vault } from '../functions/ports/vault.ts';
import { leaseHolder, leasesOf } from '../functions/runtime/leases.ts';

/** Of which cluster: its primary vault, and where its machines are. */
export interface ActivityContext {
  readonly vault: Vault;
  readonly home: MachineHome;
  readonly cluster: string;
}

/** What is at work in a cluster's part of the vault, in words: executions that run, and leases that somebody holds. */
export async function atWork({ vault, home, cluster }: ActivityContext, now: Date): Promise<string[]> {
  const executions = MACHINES.map(async (machine) =>
    (await runningExecutions(machineArn(home, cluster, machine))).map(
      (name) => `${machine} ${name} is running`,
    ),
  );
  const { root } = vaultKeys(cluster).leases;
  const leases: string[] = [];
  for await (const { key } of vault.list(root)) {
    const holder = await leaseHolder(leasesOf(vault, now), key);
    if (holder) leases.push(`${holderText(holder)} holds ${key}`);
  }
  return [...(await Promise.all(executions)).flat(), ...leases];
}
