import { quantity } from '../../functions/contract/quantity.ts';
import type {
  ClusterSettings,
  JobSettings,
  ObjectLockSettings,
  PlanSettings,
} from '../../functions/contract/settings.ts';
import type { ClusterConfig, Config } from './schema.ts';

const LOCK_MODES = { governance: 'GOVERNANCE', compliance: 'COMPLIANCE' } as const;

/** Object Lock in S3's words. */
export const lockSettings = (lock: Config['vault']['objectLock']): ObjectLockSettings | undefined =>
  lock && { mode: LOCK_MODES[lock.mode], days: lock.days };

/** The part of the configuration that the functions of a cluster receive. */
export function settingsOf(config: Config, cluster: ClusterConfig): ClusterSettings {
  const { name, region, replicaRegion, account, replicaAccount, objectLock } = config.vault;
  const lock = lockSettings(objectLock);
  return {
    cluster: cluster.name,
    access: cluster.access,
    vault: {
      name,
      region,
      replicaRegion,
      ...(account && { account }),
      ...(replicaAccount && { replicaAccount }),
      ...(config.vault.replication.mode === 'continuous' && { continuous: true }),
      ...(lock && { objectLock: lock }),
    },
    controlPlane: cluster.controlPlane,
    jobs: jobSettings(cluster.jobs),
    veleroSources: cluster.veleroSources.map((s) => ({
      ...s,
      prefix: s.prefix.replace(/\/*$/, s.prefix ? '/' : ''),
    })),
    verification: { parts: cluster.verification.parts },
    shardItems: cluster.shardItems,
    prune: cluster.prune,
    plans: cluster.plans.map(planSettings),
    ...(cluster.retired.length > 0 && {
      retired: cluster.retired.map(({ replicaRetention, ...plan }) => ({
        ...plan,
        ...(replicaRetention && { replicaRetention }),
      })),
    }),
  };
}

function jobSettings(jobs: ClusterConfig['jobs']): JobSettings {
  const { deadlineHours, startMinutes, ...same } = jobs;
  return {
    ...same,
    deadlineSeconds: deadlineHours * 3600,
    startSeconds: startMinutes * 60,
  };
}

function planSettings(plan: ClusterConfig['plans'][number]): PlanSettings {
  const {
    name,
    volumes,
    volumeRules,
    restic: { excludeFiles: __, ...restic },
    controlPlane,
    scratchEtcd,
    retention,
    replicaRetention,
    timeZone,
    schedule: _,
    rpo: ___,
    ...selection
  } = plan;
  const rules = volumeRules.map(({ minSize, maxSize, ...rule }) => ({
    ...rule,
    ...(minSize && { minBytes: quantity(minSize) as number }),
    ...(maxSize && { maxBytes: quantity(maxSize) as number }),
  }));
  return {
    name,
    volumes,
    volumeRules: rules,
    restic,
    controlPlane,
    scratchEtcd,
    retention,
    ...(replicaRetention && { replicaRetention }),
    timeZone,
    selection,
  };
}
