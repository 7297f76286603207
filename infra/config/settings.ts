import type { ClusterSettings } from '../../functions/contract/settings.ts';
import type { ClusterConfig, Config } from './schema.ts';

const publicEndpoint = (region: string): string =>
  `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

/** What the functions of one cluster are told of the configuration. */
export function settingsOf(config: Config, cluster: ClusterConfig): ClusterSettings {
  const { region, replicaRegion } = config.vault;
  return {
    cluster: cluster.name,
    access: cluster.access,
    vault: { region, replicaRegion },
    jobs: {
      resticImage: cluster.jobs.resticImage,
      imagePullSecrets: cluster.jobs.imagePullSecrets,
      concurrency: cluster.jobs.concurrency,
      s3Endpoint: cluster.jobs.s3Endpoint ?? publicEndpoint(region),
      replicaS3Endpoint: cluster.jobs.replicaS3Endpoint ?? publicEndpoint(replicaRegion),
    },
    veleroSources: cluster.veleroSources.map((s) => ({
      ...s,
      prefix: s.prefix.replace(/\/*$/, s.prefix ? '/' : ''),
    })),
    shardItems: cluster.shardItems,
    plans: cluster.plans.map(({ name, volumes, retention, schedule: _, timeZone: __, ...selection }) => ({
      name,
      volumes,
      retention,
      selection,
    })),
  };
}
