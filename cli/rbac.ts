import { COPIES, vaultCopies } from '../functions/contract/copies.ts';
import { type RbacOptions, rbacManifests } from '../functions/core/kubernetes/rbac.ts';
import { portOf } from '../functions/core/kubernetes/system-namespace.ts';
import type { ClusterConfig, Config } from '../infra/config/schema.ts';

/** What the flags of `holdfast rbac` say. */
export type RbacFlags = Omit<RbacOptions, 'ports'>;

interface Configured {
  readonly config: Config;
  readonly cluster: ClusterConfig;
}

/** The manifests of `holdfast rbac`. With a configuration, pods may also reach the S3 endpoints and etcd members that it names. */
export const manifestsFor = (flags: RbacFlags, configured?: Configured): object =>
  rbacManifests({ ...flags, ports: configured ? portsOf(configured) : [] });

function portsOf({ config: { vault }, cluster }: Configured): number[] {
  const copies = vaultCopies(vault, vault.account ?? '', cluster.jobs); // endpoints do not depend on the account
  return [...COPIES.map((copy) => copies[copy].endpoint), ...cluster.controlPlane.endpoints].map(portOf);
}
