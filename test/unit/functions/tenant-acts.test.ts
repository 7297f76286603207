import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { volumePorts } from '../../../functions/backup/reconcile-volumes/ports.ts';
import { reconcileVolumes } from '../../../functions/backup/reconcile-volumes/reconcile.ts';
import type { LoopState } from '../../../functions/contract/states.ts';
import type { Work } from '../../../functions/core/backup/record.ts';
import type { KubeObject, ResourceType } from '../../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../../functions/core/kubernetes/well-known.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { VolumeOutcome, type WorkVolume } from '../../../functions/core/volumes/work.ts';
import type { CallOptions, KubeClient } from '../../../functions/ports/kubernetes.ts';
import { passTime } from '../../support/cluster-controllers.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { Killed, MemoryVault } from '../../support/memory-vault.ts';
import { copiesOf, selectionOf, settingsWith } from '../../support/selection.ts';
import { FORGED_LOG } from '../../support/tenant.ts';

// Two namespaces are backed up: `bank`, and `shop`, whose admin acts between any two calls.
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
class Counting implements KubeClient {
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
interface Death {
  readonly at: number;
  readonly port: 'cluster' | 'vault';
  readonly call: number;
}

/** A backup of both namespaces. */
class Scene {
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

const COMPLETE = { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: '' }] };
const isJobs = (type: ResourceType) => type === TYPES.jobs;

/** What the admin of a namespace can do with the n-th object of a type that is there. */
const ACTS: Record<string, (scene: Scene, n: number) => void> = {
  'deletes a Job': (scene, n) => remove(scene, TYPES.jobs, n),
  'puts a Job in the place of another': (scene, n) => replace(scene, TYPES.jobs, n),
  'puts a snapshot in the place of another': (scene, n) => replace(scene, TYPES.volumeSnapshots, n),
  'deletes a snapshot': (scene, n) => remove(scene, TYPES.volumeSnapshots, n),
  'puts a claim in the place of another': (scene, n) => replace(scene, TYPES.persistentVolumeClaims, n),
  'puts a Secret in the place of another': (scene, n) => replace(scene, TYPES.secrets, n),
  'makes a pod of a Job': (scene, n) => {
    const job = of(scene, TYPES.jobs, n);
    if (job) forgedPod(scene, 'shop', job);
  },
  'copies a Job into a namespace that is in no plan': (scene, n) => {
    const job = of(scene, TYPES.jobs, n);
    if (job) double(scene, 'evil', job);
  },
  'copies another namespace’s Job, which has ended': (scene, n) => {
    const job = of(scene, TYPES.jobs, n, 'bank');
    if (job) double(scene, 'shop', later(job));
  },
  'copies another namespace’s Job, which waits for credentials': (scene, n) => {
    const job = of(scene, TYPES.jobs, n, 'bank');
    if (job) scene.cluster.put(TYPES.jobs, running(later(job)));
  },
};

/** A Job as its next attempts would be. */
function later({ metadata: { uid: _, ...metadata }, ...job }: KubeObject): KubeObject {
  const labels = { ...metadata.labels, 'holdfast.io/attempt': '9' };
  const annotations = { ...metadata.annotations, 'holdfast.io/session': '0' };
  return { ...structuredClone(job), metadata: { ...metadata, labels, annotations, namespace: 'evil' } };
}

/** A Job whose pod needs nothing, and runs. */
function running(job: KubeObject): KubeObject {
  const { template } = job.spec as { template: KubeObject };
  const spec = {
    ...job.spec,
    suspend: false,
    template: { ...template, spec: { ...template.spec, volumes: [] } },
  };
  return { metadata: job.metadata, spec };
}

const of = (
  { cluster }: Scene,
  type: ResourceType,
  n: number,
  namespace = 'shop',
): KubeObject | undefined => {
  const all = cluster.all(type).filter((o) => o.metadata.namespace === namespace);
  return all[n % Math.max(1, all.length)];
};

function remove(scene: Scene, type: ResourceType, n: number): void {
  const object = of(scene, type, n);
  if (!object) return;
  for (const [path, o] of [...scene.cluster.objects]) {
    const owned = o.metadata.ownerReferences?.some((owner) => owner.uid === object.metadata.uid);
    if (o.metadata.uid === object.metadata.uid || owned) scene.cluster.objects.delete(path);
  }
}

function replace(scene: Scene, type: ResourceType, n: number): void {
  const object = of(scene, type, n);
  if (!object) return;
  if (isJobs(type)) {
    remove(scene, type, n);
    double(scene, 'shop', object);
    return;
  }
  const { uid: _, ownerReferences: __, ...metadata } = object.metadata;
  const status = { readyToUse: true, creationTime: '2026-01-31T02:00:00Z' };
  scene.cluster.put(type, { ...object, metadata, ...(type === TYPES.volumeSnapshots && { status }) });
}

/** A Job that looks like another and has ended, with its pod. */
function double(scene: Scene, namespace: string, job: KubeObject): void {
  const { uid: _, ...metadata } = job.metadata;
  const path = scene.cluster.put(TYPES.jobs, {
    ...structuredClone(job),
    metadata: { ...metadata, namespace },
    status: COMPLETE,
  });
  forgedPod(scene, namespace, scene.cluster.objects.get(path) as KubeObject);
}

function forgedPod({ cluster }: Scene, namespace: string, job: KubeObject): void {
  const { name, uid = '' } = job.metadata;
  const { template } = job.spec as { template: KubeObject };
  const path = cluster.put(TYPES.pods, {
    metadata: {
      name: `a-${name}`,
      namespace,
      labels: {
        ...template.metadata.labels,
        'batch.kubernetes.io/controller-uid': uid,
        'batch.kubernetes.io/job-name': name,
      },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }],
    },
    spec: { containers: [{ name: 'backup' }] },
    status: {
      phase: 'Succeeded',
      containerStatuses: [{ name: 'backup', state: { terminated: { exitCode: 0 } } }],
    },
  });
  cluster.logs.set(`${path} backup`, FORGED_LOG);
}

/** Secrets that Holdfast made for another Job than one of its own, or in another namespace than the Job's. */
function strayed({ asked }: Scene): string[] {
  const jobs = new Map(
    asked.made
      .filter(({ path }) => path.endsWith('/jobs'))
      .map(({ object: { metadata: m } }) => [m.uid, m.namespace]),
  );
  return asked.made
    .filter(({ path }) => path.endsWith('/secrets'))
    .filter(({ object: { metadata: m } }) => jobs.get(m.ownerReferences?.[0]?.uid) !== m.namespace)
    .map(({ path, object }) => `${path} ${object.metadata.name}`);
}

const acts = fc.array(
  fc.record({ at: fc.nat(8), call: fc.nat(40), act: fc.constantFrom(...Object.keys(ACTS)), n: fc.nat(3) }),
  { minLength: 1, maxLength: 8 },
);

/** A backup in which the tenant acts: before a call of a look, or after the look if it has fewer. */
async function disturbed(
  all: readonly { at: number; call: number; act: string; n: number }[],
  death?: Death,
): Promise<Scene> {
  const scene = new Scene();
  const open = new Set(all);
  const doWhere = (is: (a: (typeof all)[number]) => boolean) => {
    for (const a of [...open].filter(is)) {
      open.delete(a);
      ACTS[a.act]?.(scene, a.n);
    }
  };
  scene.asked.onCall = (look, call) => doWhere((a) => a.at === look && a.call === call);
  return scene.run((_, look) => doWhere((a) => a.at === look), death);
}

describe('whatever the admin of one namespace does between two calls', () => {
  it('another namespace has its outcomes, and Secrets go to Jobs that Holdfast has made', async () => {
    const bank = (await new Scene().run()).outcomes('bank');
    expect(bank.map((o) => o.result)).toEqual(['protected', 'protected']);
    await fc.assert(
      fc.asyncProperty(acts, async (all) => {
        const scene = await disturbed(all);
        expect([scene.outcomes('bank'), strayed(scene)]).toEqual([bank, []]);
        expect([scene.outcomes('shop').map((o) => o.id), scene.false('shop')]).toEqual([
          ['shop.data', 'shop.frozen'],
          [],
        ]);
      }),
      { numRuns: 50 },
    );
  });

  it('Holdfast deletes and changes nothing but what it has made', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (all) => {
        const { asked } = await disturbed(all);
        const made = new Set(asked.made.map(({ object }) => object.metadata.uid));
        expect(asked.changed.filter(({ object }) => !made.has(object.metadata.uid))).toEqual([]);
        expect(asked.changed.length).toBeGreaterThan(0);
      }),
      { numRuns: 50 },
    );
  });
});

it('a look that is killed meanwhile is gone on with: one Job and one snapshot for each volume of the others', async () => {
  const undisturbed = await new Scene().run();
  const deaths = fc.record({
    at: fc.nat(8),
    port: fc.constantFrom('cluster' as const, 'vault' as const),
    call: fc.nat(60),
  });
  // Copies of the tenant are ninth attempts.
  const ofBank = ({ started }: Scene) => started.filter((s) => /^bank\..* [1-8]$/.test(s)).sort();
  await fc.assert(
    fc.asyncProperty(acts, deaths, async (all, death) => {
      const scene = await disturbed(all, death);
      expect([scene.outcomes('bank'), ofBank(scene), strayed(scene)]).toEqual([
        undisturbed.outcomes('bank'),
        ofBank(undisturbed),
        [],
      ]);
      const left = (type: ResourceType) =>
        scene.cluster.all(type).filter((o) => o.metadata.namespace === 'bank').length;
      expect([left(TYPES.jobs), left(TYPES.volumeSnapshots), left(TYPES.secrets)]).toEqual([0, 0, 0]);
    }),
    { numRuns: 60 },
  );
});

describe('a thousand look-alikes', () => {
  /** They wait, with the labels of the first Job of the run. */
  const flood = (scene: Scene, namespace: string) => {
    const [job] = scene.cluster.all(TYPES.jobs);
    for (let i = 0; job && i < 1000; i++) {
      const { uid: _, ...metadata } = job.metadata;
      const labels = { ...metadata.labels, 'batch.kubernetes.io/job-name': `flood-${i}` };
      const at = { ...metadata, labels, namespace, name: `flood-${i}` };
      scene.cluster.put(TYPES.jobs, { metadata: at, spec: { ...job.spec, suspend: true } });
      scene.cluster.put(TYPES.pods, { metadata: at, spec: { containers: [{ name: 'backup' }] } });
    }
  };
  const floodedAt = (namespace: string) =>
    new Scene().run((scene, look) => {
      if (look === 0) flood(scene, namespace);
    });

  it('in a namespace that is in no plan cost a look no request and no byte', async () => {
    expect((await floodedAt('evil')).asked.perLook).toEqual((await new Scene().run()).asked.perLook);
  });

  it('in a namespace of the plan cost a look no request', async () => {
    const calls = ({ asked }: Scene) => asked.perLook.map((l) => l.calls);
    expect(calls(await floodedAt('shop'))).toEqual(calls(await new Scene().run()));
  });
});
