import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import type { CopyName } from '../../functions/contract/copies.ts';
import { masterSecretName } from '../../functions/contract/names.ts';
import { backupName } from '../../functions/core/backup/backup-name.ts';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { repositoryPassword } from '../../functions/core/restic/repository.ts';
import { type VaultKeys, vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { imageNames } from '../../world/base/settings.ts';
import { awsOf, type Execution } from '../../world/demo/aws.ts';
import { demo, demoCopies } from '../../world/demo/config.ts';
import { kubectlWith } from '../../world/demo/kubectl.ts';
import { deployWorld, grantAccess } from '../../world/demo/world-setup.ts';
import { findWorld, type World } from '../../world/world.ts';
import { ClusterApi } from './cluster-api.ts';
import { type ApiProxy, startProxy } from './tenant-proxy.ts';
import { connect } from './world.ts';

/** Both are in the plan `farm`, with a volume each: claim `data`, mounted by the pod `keeper`. */
export const ORCHARD = 'orchard';
export const MEADOW = 'meadow';
/** Is in no plan. */
export const EVIL = 'evil';

const plan = (name: string, namespaces: string[], over: object = {}) => ({
  name,
  namespaces,
  schedule: '0 3 1 1 *',
  volumes: 'opt-out',
  retention: { keepLast: 2 },
  ...over,
});

/** A backup that has ended, with its record. */
export interface Ended {
  readonly execution: Execution;
  readonly backup: string;
  readonly record: BackupRecord;
}

/** Ways to the API server, by identity. */
interface Proxies {
  readonly backups: ApiProxy;
  readonly restores: ApiProxy;
}

/** A cluster of two namespaces with data that is backed up by the deployed pipeline, through proxies. */
export class Farm {
  readonly cluster: string;
  readonly keys: VaultKeys;
  readonly aws: ReturnType<typeof awsOf>;
  readonly api = new ClusterApi(connect());
  /** What the functions ask with the identity for backups, and with that for restores. */
  readonly backups: ApiProxy;
  readonly restores: ApiProxy;
  readonly kubectl: ReturnType<typeof kubectlWith>;
  readonly #world: World;
  #last = 0;

  private constructor(cluster: string, world: World, { backups, restores }: Proxies) {
    this.cluster = cluster;
    this.keys = vaultKeys(cluster);
    this.aws = awsOf(demo.region, cluster);
    this.#world = world;
    this.backups = backups;
    this.restores = restores;
    this.kubectl = kubectlWith(world.env);
  }

  /**
   * Makes the namespaces with their data, and deploys the pipeline. Each file has a cluster of its own: the master secret of one
   * stays in the second region when another is deployed, and cannot be made again.
   */
  static async open(cluster: string): Promise<Farm> {
    const world = findWorld(process.env.HOLDFAST_WORLD ?? '');
    if (!world) throw new Error('HOLDFAST_WORLD names no world that is up');
    const { backup, restore } = world.kubeconfigs;
    const farm = new Farm(cluster, world, {
      backups: await startProxy(backup),
      restores: await startProxy(restore),
    });
    await farm.#grow(ORCHARD, MEADOW);
    await farm.#connect();
    const plans = [plan('farm', [ORCHARD, MEADOW], { controlPlane: true }), plan('orchard', [ORCHARD])];
    const jobs = { startMinutes: 2 };
    const options = { namespaces: [], cluster, controlPlane: true, plans, jobs };
    await deployWorld(world, options, () => undefined);
    return farm;
  }

  /** Removes what tests made in the cluster, and the way through the proxies. */
  async close(...namespaces: string[]): Promise<void> {
    await grantAccess(this.#world, this.kubectl, this.aws);
    await this.api.gone(ORCHARD, MEADOW, ...namespaces);
    await this.api.client.close();
    await this.backups.close();
    await this.restores.close();
  }

  vault(copy: CopyName): Vault {
    return openVault(demoCopies[copy].bucket, demoCopies[copy].region);
  }

  /** An instant that no backup of this cluster was named after. */
  nextInstant(): Date {
    this.#last = Math.max(this.#last + 1, Math.floor(Date.now() / 1000));
    return new Date(this.#last * 1000);
  }

  /** A backup of a plan as a schedule would start it, until it is replicated and pruned. */
  async backUp(name = 'farm', at = this.nextInstant()): Promise<Ended> {
    const input = { plan: name, scheduledTime: at.toISOString().replace('.000', '') };
    const execution = await this.aws.wait(await this.aws.start('backup', input));
    const backup = backupName(name, at);
    return { execution, backup, record: await this.#record(backup) };
  }

  async #record(backup: string): Promise<BackupRecord> {
    const body = await this.vault('primary').get(this.keys.records.record(backup));
    return JSON.parse(body.toString('utf8')) as BackupRecord;
  }

  /** Ids of the snapshots that a copy of a namespace's repository has, sorted. */
  async snapshots(copy: CopyName, namespace: string): Promise<string[]> {
    const found: string[] = [];
    const folder = `${this.keys.restic.repository(namespace)}/snapshots/`;
    for await (const { key } of this.vault(copy).list(folder)) found.push(key.slice(folder.length));
    return found.sort();
  }

  /** The password of a namespace's repository. */
  async password(namespace: string): Promise<string> {
    const secrets = new SecretsManagerClient({ region: demo.region });
    const { SecretString = '' } = await secrets.send(
      new GetSecretValueCommand({ SecretId: masterSecretName(this.cluster) }),
    );
    return repositoryPassword(SecretString, this.keys.restic.repository(namespace));
  }

  /** What a file of a namespace's volume holds now. */
  async file(namespace: string, path = '/data/fruit'): Promise<string> {
    return this.kubectl(['exec', '-n', namespace, 'keeper', '--', 'cat', path]);
  }

  /** Waits until the pod of a namespace has its volume. */
  async ready(namespace: string): Promise<void> {
    await this.kubectl(['wait', '-n', namespace, '--for=condition=Ready', 'pod/keeper', '--timeout=120s']);
  }

  async #grow(...namespaces: string[]): Promise<void> {
    for (const object of namespaces.flatMap(objectsOf)) await this.api.tryCreate(object);
    for (const namespace of namespaces) await this.ready(namespace);
  }

  /** The functions reach the cluster through the proxies. */
  async #connect(): Promise<void> {
    await grantAccess(this.#world, this.kubectl, this.aws);
    await this.aws.putSecret(demo.backupSecret, this.backups.kubeconfig);
    await this.aws.putSecret(demo.restoreSecret, this.restores.kubeconfig);
  }
}

function objectsOf(namespace: string): KubeObject[] {
  const write = `echo fruit of ${namespace} > /data/fruit && exec sleep 100000`;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '64Mi' } } },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'keeper', namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'main',
            image: imageNames.busybox,
            command: ['sh', '-c', `[ -f /data/fruit ] && exec sleep 100000; ${write}`],
            readinessProbe: { exec: { command: ['test', '-f', '/data/fruit'] }, periodSeconds: 1 },
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      },
    },
  ];
}
