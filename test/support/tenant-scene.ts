import { volumePorts } from '../../functions/backup/reconcile-volumes/ports.ts';
import { reconcileVolumes } from '../../functions/backup/reconcile-volumes/reconcile.ts';
import type { LoopState } from '../../functions/contract/states.ts';
import type { Work } from '../../functions/core/backup/record.ts';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { VolumeOutcome, type WorkVolume } from '../../functions/core/volumes/work.ts';
import type { CallOptions, KubeClient } from '../../functions/ports/kubernetes.ts';
import { passTime } from './cluster-controllers.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { Killed, MemoryVault } from './memory-vault.ts';
import { copiesOf, selectionOf, settingsWith } from './selection.ts';

// Two namespaces are backed up: `bank` and `shop`.
const keys = vaultKeys('paris');
const settings = settingsWith();
const BACKUP = 'daily-20260131020000';
const csi = { driver: 'disk', size: '10Gi', storageClass: 'fast' };
const claims = (namespace: string): WorkVolume[] => [
  { id: `${namespace}.data`, namespace, pvc: 'data', strategy: 'mount' },
  { id: `${namespace}.frozen`, namespace, pvc: 'frozen', strategy: 'snapshot', csi },
];
const WORK: Work = {
  plan: 'daily',
  backup: BACKUP,
  startedAt: '2026-01-31T02:00:00Z',
  namespaces: ['bank', 'shop'],
  wide: false,
  selection: selectionOf(['bank', 'shop']),
  volumes: ['bank', 'shop'].flatMap(claims),
  excluded: [],
  unprotected: [],
  problems: [],
};
const LOOKS = 60;

interface Call {
  readonly path: string;
  readonly object: KubeObject;
}

/** What Holdfast asks of a cluster: how often, and how many bytes it gets. */
export class Counting implements KubeClient {
  readonly perLook: { calls: number; bytes: number }[] = [];
  readonly made: Call[] = [];
  /** By PATCH or DELETE: the object that was there. */
  readonly changed: Call[] = [];
  private readonly cluster: MemoryCluster;

  constructor(cluster: MemoryCluster) {
    this.cluster = cluster;
  }
  close = () => this.cluster.close();
  socket = (): never => this.cluster.socket();
  /** Others act before a call. */
  onCall: (look: number, call: number) => void = () => undefined;
  begin = () => void this.perLook.push({ calls: 0, bytes: 0 });

  async call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, options: CallOptions = {}) {
    const now = this.perLook.at(-1) as { calls: number; bytes: number };
    this.onCall(this.perLook.length - 1, now.calls++);
    const answer = await this.cluster.call(method, path, options);
    now.bytes += answer.body.length;
    if (method !== 'GET' && answer.status < 400)
      this[method === 'POST' ? 'made' : 'changed'].push({ path, object: JSON.parse(`${answer.body}`) });
    return answer;
  }
}

/** The end of a function: in which look, and at which call of which port. */
export interface Death {
  readonly at: number;
  readonly port: 'cluster' | 'vault';
  readonly call: number;
}

/** A backup of both namespaces. */
export class Scene {
  readonly cluster = new MemoryCluster(new Date('2026-01-31T02:00:00Z'));
  readonly asked = new Counting(this.cluster);
  readonly vault = new MemoryVault('primary');
  /** Attempts of Jobs whose pods have started. */
  readonly started: string[] = [];

  constructor() {
    for (const { namespace, pvc = '' } of WORK.volumes)
      this.cluster.put(TYPES.persistentVolumeClaims, { metadata: { name: pvc, namespace } });
    this.cluster.put(TYPES.storageClasses, { metadata: { name: 'fast' }, reclaimPolicy: 'Delete' });
    const snapshotClass = { metadata: { name: 'disk' }, driver: 'disk', deletionPolicy: 'Delete' };
    this.cluster.put(TYPES.volumeSnapshotClasses, snapshotClass);
  }

  private look(): Promise<LoopState> {
    const { asked, vault } = this;
    const { now } = this.cluster;
    const jobs = {
      cluster: asked,
      now,
      jobs: settings.jobs,
      masterSecret: async () => 'master',
      session: async () => '{}',
    };
    const exec = async () => ({ ok: true, output: '' });
    const ports = volumePorts({ jobs, vault, keys, exec }, WORK);
    return reconcileVolumes(ports, WORK, { settings, keys, copy: copiesOf(settings).primary, now });
  }

  /** A look that ends at a call of the cluster or the vault, and what had begun. Undefined: it had fewer calls. */
  private async killed({ port, call }: Death): Promise<LoopState | undefined> {
    const of = this[port];
    of.callsLeft = call;
    const state = await this.look().catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    await new Promise((resolve) => setImmediate(resolve));
    of.callsLeft = Number.POSITIVE_INFINITY;
    return state ?? undefined;
  }

  /** Looks until nothing is left to do; others act between two calls of a look, and between two looks. */
  async run(between: (scene: this, look: number) => void = () => undefined, death?: Death): Promise<this> {
    for (let i = 0; i < LOOKS; i++) {
      this.asked.begin();
      const state = await (death?.at === i ? this.killed(death) : this.look());
      if (state?.waitSeconds === 0) return this;
      between(this, i);
      passTime(this.cluster, {
        onStart: (id, attempt) => void this.started.push(`${id} ${attempt}`),
        exitCode: () => 0,
        takesSnapshot: () => true,
        onSnapshot: (id, snapshot) =>
          this.put(`${keys.restic.repository(id.split('.')[0] ?? '')}/snapshots/${snapshot}`),
        onInit: (repository) => this.put(`${/restic\/.*/.exec(repository)}/config`),
      });
    }
    throw new Error('the backup has no end');
  }

  private put(key: string): void {
    this.vault.objects.set(key, { body: Buffer.from(''), metadata: {} });
  }

  /** Ids of volumes of a namespace that are said to have a snapshot which the vault does not have. */
  false(namespace: string): string[] {
    const folder = `${keys.restic.repository(namespace)}/snapshots/`;
    return this.outcomes(namespace)
      .filter((o) => o.snapshot !== undefined && !this.vault.objects.has(`${folder}${o.snapshot}`))
      .map((o) => o.id);
  }

  outcomes(namespace: string) {
    return [...this.vault.objects]
      .filter(([key]) => key.startsWith(keys.records.volumeDir(BACKUP)))
      .map(([, { body }]) => VolumeOutcome.parse(JSON.parse(body.toString())))
      .filter((o) => o.namespace === namespace)
      .map(({ seconds: _, ...o }) => o)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
