import { stringify } from 'yaml';
import { vaultCopies } from '../../functions/contract/copies.ts';
import { account, imageNames, network, versions } from '../base/settings.ts';

export const demo = {
  cluster: 'demo',
  plan: 'apps',
  region: account.region,
  replicaRegion: 'eu-central-1',
  backupSecret: 'holdfast/demo/kubeconfig-backup',
  restoreSecret: 'holdfast/demo/kubeconfig-restore',
} as const;

/** Both copies of the vault of a world. */
export const demoCopies = vaultCopies(
  { name: 'holdfast-vault', region: demo.region, replicaRegion: demo.replicaRegion },
  account.id,
);

/** What may differ from the demo's plan. */
export interface WorldPlan {
  readonly schedule?: string;
  readonly keepLast?: number;
  /** Splits exports of more objects. */
  readonly shardItems?: number;
  /** Velero sources, as in holdfast.yaml. */
  readonly veleroSources?: readonly object[];
  /** Backs up the sandbox's etcd, too. */
  readonly controlPlane?: boolean;
  /** Name of the cluster in AWS. */
  readonly cluster?: string;
  /** More options of its Jobs, as in holdfast.yaml. */
  readonly jobs?: object;
  /** More options of the vault, as in holdfast.yaml. */
  readonly vault?: object;
  /** Plans, as in holdfast.yaml, in place of the demo's. */
  readonly plans?: readonly object[];
}

/** The holdfast.yaml of a world: one plan of these namespaces, every two minutes. */
export function worldConfig(
  namespaces: readonly string[],
  endpoint: string,
  {
    schedule = '*/2 * * * *',
    keepLast = 3,
    shardItems,
    veleroSources,
    controlPlane = false,
    cluster = demo.cluster,
    jobs,
    vault,
    plans,
  }: WorldPlan = {},
): string {
  const volumes = 'opt-in';
  return stringify({
    vault: {
      name: demoCopies.primary.prefix,
      region: demo.region,
      replicaRegion: demo.replicaRegion,
      ...vault,
    },
    clusters: [
      {
        name: cluster,
        access: { kind: 'kubeconfig', backupSecret: demo.backupSecret, restoreSecret: demo.restoreSecret },
        jobs: { resticImage: imageNames.restic, s3Endpoint: endpoint, replicaS3Endpoint: endpoint, ...jobs },
        ...(controlPlane && {
          controlPlane: { etcdImage: imageNames.etcd, endpoints: [`https://${network.nodeAddress}:2379`] },
        }),
        ...(shardItems !== undefined && { shardItems }),
        ...(veleroSources && { veleroSources }),
        plans: plans ?? [
          {
            name: demo.plan,
            namespaces: [...namespaces],
            schedule,
            timeZone: 'UTC',
            volumes,
            ...(controlPlane && { controlPlane, scratchEtcd: true }),
            retention: { keepLast },
          },
        ],
      },
    ],
  });
}

/** What is under the demo, for its first line. */
export const underneath = `Kubernetes ${versions.kubernetes}, restic ${versions.restic}, AWS emulator ${versions.emulator}`;
