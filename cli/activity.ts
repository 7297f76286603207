import { runningExecutions } from '../functions/adapters/states/executions.ts';
import { MACHINES, type MachineHome, machineArn } from '../functions/contract/names.ts';
import { holderText } from '../functions/core/vault/lease.ts';
import { vaultKeys } from '../functions/core/vault/vault-keys.ts';
import type { Vault } from '../functions/ports/vault.ts';
import { leaseHolder, leasesOf } from '../functions/runtime/leases.ts';

/** The primary vault of a cluster and the location of its state machines. */
export interface ActivityContext {
  readonly vault: Vault;
  readonly home: MachineHome;
  readonly cluster: string;
}

/** Running executions and held leases of a cluster, as readable messages. */
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
