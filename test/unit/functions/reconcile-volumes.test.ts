import { beforeEach, describe, expect, it } from 'vitest';
import type { ExecRequest } from '../../../functions/adapters/kubernetes/exec.ts';
import { volumePorts } from '../../../functions/backup/reconcile-volumes/ports.ts';
import { reconcileVolumes } from '../../../functions/backup/reconcile-volumes/reconcile.ts';
import type { LoopState } from '../../../functions/contract/states.ts';
import { Progress, type Work } from '../../../functions/core/backup/record.ts';
import type { KubeObject } from '../../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../../functions/core/kubernetes/well-known.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { HookOutcome, type PodHooks } from '../../../functions/core/volumes/hooks.ts';
import { VolumeOutcome, type WorkVolume } from '../../../functions/core/volumes/work.ts';
import { passTime } from '../../support/cluster-controllers.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { Killed, MemoryVault } from '../../support/memory-vault.ts';
import { resticId } from '../../support/restic-id.ts';
import { copiesOf, selectionOf, settingsWith } from '../../support/selection.ts';

const keys = vaultKeys('paris');
const settings = settingsWith();
const BACKUP = 'daily-20260131020000';

const claim = (name: string, over: Partial<WorkVolume> = {}): WorkVolume => ({
  id: `shop.${name}`,
  namespace: 'shop',
  pvc: name,
  strategy: 'mount',
  ...over,
});
const csi = { driver: 'disk', size: '10Gi', storageClass: 'fast' };
const emptyDir = (pod: string): WorkVolume => ({
  id: `shop.${pod}_cache`,
  namespace: 'shop',
  podVolume: { pod, volume: 'cache' },
  strategy: 'node',
  folder: 'kubernetes.io~empty-dir/cache',
});
const VOLUMES: WorkVolume[] = [
  claim('data'),
  claim('flaky'),
  claim('broken'),
  claim('frozen', { strategy: 'snapshot', csi }),
  claim('untaken', { strategy: 'snapshot', csi }),
  claim('held', { strategy: 'node', folder: 'kubernetes.io~csi/pv/mount' }),
  claim('locked'),
  emptyDir('web-0'),
  emptyDir('gone-0'),
  { id: 'shop._db-0', namespace: 'shop', dump: { workload: 'db-0', file: 'dump' }, strategy: 'command' },
];
const hook = (what: string) => ({
  container: 'main',
  command: [what],
  onError: 'Fail' as const,
  timeoutSeconds: 30,
});
const hooksOf = (pod: string, ...volumes: string[]): PodHooks => ({
  namespace: 'shop',
  pod,
  volumes: volumes.map((v) => `shop.${v}`),
  pre: hook('freeze'),
  post: hook('thaw'),
});
const HOOKS = [
  hooksOf('db-0', 'data', 'flaky', '_db-0'),
  hooksOf('api-0', 'frozen', 'untaken', 'held'),
  hooksOf('web-0', 'web-0_cache'),
  hooksOf('stuck-0', 'locked'),
];
const WORK: Work = {
  plan: 'daily',
  backup: BACKUP,
  startedAt: '2026-01-31T02:00:00Z',
  namespaces: ['shop'],
  wide: false,
  selection: selectionOf(['shop']),
  volumes: VOLUMES,
  hooks: HOOKS,
  excluded: [],
  unprotected: [],
  problems: [],
};

let cluster: MemoryCluster;
let vault: MemoryVault;
/** Commands that ran in pods, in their order. */
let commands: string[];
/** The volume whose Job stores nothing and says that it did. */
let claimedOnly: string | undefined;
/** Attempts of Jobs whose pods have started. */
let started: string[];
/** What is in the cluster before the backup. */
let before: string[];

beforeEach(prepare);
function prepare(): void {
  cluster = new MemoryCluster(new Date('2026-01-31T02:00:00Z'));
  vault = new MemoryVault('primary');
  commands = [];
  claimedOnly = undefined;
  started = [];
  const pod = (name: string, claims: string[], annotations = {}): KubeObject => ({
    metadata: { name, namespace: 'shop', annotations },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'main' }],
      volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
    },
    status: { phase: 'Running' },
  });
  cluster.put(TYPES.pods, pod('db-0', ['data', 'flaky'], { 'holdfast.io/backup-command': 'pg_dump' }));
  cluster.put(TYPES.pods, pod('api-0', ['frozen', 'untaken', 'held']));
  cluster.put(TYPES.pods, pod('web-0', []));
  cluster.put(TYPES.pods, pod('stuck-0', ['locked']));
  for (const { pvc } of VOLUMES)
    if (pvc) cluster.put(TYPES.persistentVolumeClaims, { metadata: { name: pvc, namespace: 'shop' } });
  cluster.put(TYPES.storageClasses, { metadata: { name: 'fast' }, reclaimPolicy: 'Delete' });
  const snapshotClass = { metadata: { name: 'disk' }, driver: 'disk', deletionPolicy: 'Delete' };
  cluster.put(TYPES.volumeSnapshotClasses, snapshotClass);
  before = [...cluster.objects.keys()].sort();
}

/** One invocation of the function. */
function look(work: Work = WORK): Promise<LoopState> {
  const jobs = {
    cluster,
    now: cluster.now,
    jobs: settings.jobs,
    masterSecret: async () => 'master',
    session: async () => '{}',
  };
  const exec = async (_: unknown, { pod, command }: ExecRequest) => {
    cluster.count();
    commands.push(`${pod} ${command}`);
    const ok = pod !== 'stuck-0' || command[0] !== 'freeze';
    return ok ? { ok, output: '' } : { ok, output: '', message: 'it is stuck' };
  };
  const ports = volumePorts({ jobs, vault, keys, exec }, work);
  return reconcileVolumes(ports, work, {
    settings,
    keys,
    copy: copiesOf(settings).primary,
    now: cluster.now,
  });
}

const wait = () =>
  passTime(cluster, {
    onStart: (id, attempt) => started.push(`${id} ${attempt}`),
    exitCode: (id, attempt) => (id === 'shop.broken' || (id === 'shop.flaky' && attempt === 1) ? 1 : 0),
    takesSnapshot: (name) => name !== 'untaken',
    onInit: (repository) =>
      vault.objects.set(`${/restic\/.*/.exec(repository)}/config`, {
        body: Buffer.from(''),
        metadata: {},
      }),
    onSnapshot: (id, snapshot) => {
      if (id !== claimedOnly)
        vault.objects.set(`restic/paris/shop/snapshots/${snapshot}`, { body: Buffer.from(''), metadata: {} });
    },
  });

/** Looks until nothing is left to do. `atLook` is told when one begins. */
async function goOn(atLook: () => void = () => undefined): Promise<LoopState> {
  for (let looks = 0; looks < 40; looks++) {
    atLook();
    const state = await look();
    if (state.waitSeconds === 0) return state;
    wait();
  }
  throw new Error('the backup has no end');
}

const documents = (dir: string) =>
  [...vault.objects].flatMap(([key, { body }]) => (key.startsWith(dir) ? [JSON.parse(body.toString())] : []));
const byName = (a: { id?: string; pod?: string; hook?: string }, b: typeof a) =>
  `${a.id} ${a.pod} ${a.hook}` < `${b.id} ${b.pod} ${b.hook}` ? -1 : 1;

/** All that a backup leaves in the vault and in the cluster, but for how long it took. */
function endState() {
  const untimed = <T extends { seconds?: number | undefined }>({ seconds, ...rest }: T) =>
    JSON.parse(JSON.stringify(rest).replace(/\(for \d+ min\)/, '(for a while)')) as typeof rest;
  const progress = documents(keys.records.progress(BACKUP)).map((d) => Progress.parse(d))[0];
  return {
    outcomes: documents(keys.records.volumeDir(BACKUP))
      .map((d) => untimed(VolumeOutcome.parse(d)))
      .sort(byName),
    hooks: documents(keys.records.hook(BACKUP, 'x').replace('x.json', ''))
      .map((d) => untimed(HookOutcome.parse(d)))
      .sort(byName),
    progress: progress?.volumes,
    inCluster: [...cluster.objects.keys()].sort(),
  };
}

describe('the volumes of a backup', () => {
  it('have each one outcome that says what became of it', async () => {
    const state = await goOn();
    expect(state).toEqual({ running: 0, done: VOLUMES.length, failed: 4, waitSeconds: 0 });
    const said = endState().outcomes.map((o) => [o.id, o.snapshot ?? o.message]);
    expect(Object.fromEntries(said)).toEqual({
      'shop._db-0': resticId('snapshot of shop._db-0'),
      'shop.broken': 'restic exited with code 1: Fatal: it is broken',
      'shop.data': resticId('snapshot of shop.data'),
      'shop.flaky': resticId('snapshot of shop.flaky'),
      'shop.frozen': resticId('snapshot of shop.frozen'),
      'shop.gone-0_cache': 'its Job did not run: its pod gone-0 is gone, and its emptyDirs with it',
      'shop.held': resticId('snapshot of shop.held'),
      'shop.locked': 'its Job did not run: the pre hook of pod shop/stuck-0 failed: it is stuck',
      'shop.untaken': expect.stringContaining('its snapshot is not taken (for a while)'),
      'shop.web-0_cache': resticId('snapshot of shop.web-0_cache'),
    });
  });

  it('are protected only by snapshots that are in the vault, whatever a log says', async () => {
    claimedOnly = 'shop.data';
    const work = { ...WORK, volumes: [claim('data')], hooks: [] };
    while ((await look(work)).waitSeconds > 0) wait();
    const snapshot = resticId('snapshot of shop.data');
    expect(endState().outcomes).toEqual([
      {
        ...{ id: 'shop.data', namespace: 'shop', pvc: 'data', result: 'failed' },
        message: `restic reports the snapshot ${snapshot}, but the vault does not have it`,
      },
    ]);
  });

  it('leave nothing of Holdfast in the cluster, and are all said to be done', async () => {
    await goOn();
    expect(endState().inCluster).toEqual(before);
    expect(endState().progress?.map((p) => p.state)).toEqual(VOLUMES.map(() => 'done'));
  });

  it('need each Job, Secret, snapshot and claim once', async () => {
    await goOn();
    expect(cluster.created.filter((path, i) => cluster.created.indexOf(path) !== i)).toEqual([]);
    expect(cluster.created.filter((path) => path.includes('/volumesnapshots/'))).toHaveLength(2);
  });

  it('are frozen once and thawed once, and one that is read from a snapshot before its Job has ended', async () => {
    await goOn();
    for (const { pod } of HOOKS)
      expect(commands.filter((c) => c.startsWith(pod))).toEqual([`${pod} freeze`, `${pod} thaw`]);
    prepare();
    const frozen = { ...WORK, volumes: [VOLUMES[3] as WorkVolume], hooks: [hooksOf('api-0', 'frozen')] };
    await look(frozen);
    wait();
    const { waitSeconds } = await look(frozen);
    expect([waitSeconds > 0, commands]).toEqual([true, ['api-0 freeze', 'api-0 thaw']]);
  });

  it('are none: nothing is written', async () => {
    const state = await look({ ...WORK, volumes: [], hooks: [] });
    expect(state).toEqual({ running: 0, done: 0, failed: 0, waitSeconds: 0 });
    expect([...vault.objects.keys()]).toEqual([]);
  });
});

describe('a look that is interrupted', () => {
  type Port = 'cluster' | 'vault';

  /** Everything as it is now, to go on from there again and again. */
  function checkpoint() {
    const calls = { cluster: cluster.calls, vault: vault.calls };
    const { now } = cluster;
    const objects = structuredClone(cluster.objects);
    const [logs, stored] = [new Map(cluster.logs), new Map(vault.objects)];
    const [ran, began] = [[...commands], [...started]];
    const restore = () => {
      cluster = new MemoryCluster(now);
      for (const [path, object] of structuredClone(objects)) cluster.objects.set(path, object);
      for (const [path, log] of logs) cluster.logs.set(path, log);
      vault = new MemoryVault('primary');
      for (const [key, object] of stored) vault.objects.set(key, object);
      commands = [...ran];
      started = [...began];
    };
    return { calls, restore };
  }

  /** Runs from a look to the end, but for one call of the cluster or the vault in that look, which ends the function there. */
  async function killAt(port: Port, call: number): Promise<void> {
    const of = port === 'cluster' ? cluster : vault;
    of.callsLeft = call;
    await expect(goOn()).rejects.toBeInstanceOf(Killed);
    await new Promise((resolve) => setImmediate(resolve)); // what was under way ends
    of.callsLeft = Number.POSITIVE_INFINITY;
    wait();
    await goOn();
  }

  /** No application stays frozen: the last command of each pod is its post hook, and none was thawed too early. */
  function expectThawed(at: string): void {
    for (const { pod } of HOOKS) {
      const ran = commands.filter((c) => c.startsWith(pod)).map((c) => c.split(' ')[1]);
      expect([at, pod, ran.at(-1), ran.lastIndexOf('freeze') < ran.indexOf('thaw')]).toEqual([
        at,
        pod,
        'thaw',
        true,
      ]);
    }
  }

  it.each(['cluster', 'vault'] as const)(
    'at any call of the %s, is gone on with: the end is that of a run that nobody disturbed',
    async (port) => {
      const looks: ReturnType<typeof checkpoint>[] = [];
      await goOn(() => looks.push(checkpoint()));
      const undisturbed = endState();
      looks.push(checkpoint());
      expect(looks.length).toBeGreaterThan(6);
      for (const [i, { calls, restore }] of looks.slice(0, -1).entries())
        for (let call = 0; call < (looks[i + 1] as (typeof looks)[0]).calls[port] - calls[port]; call++) {
          restore();
          await killAt(port, call);
          expect([i, call, endState()]).toEqual([i, call, undisturbed]);
          expectThawed(`look ${i}, call ${call}`);
          expect([i, call, [...started].sort()]).toEqual([i, call, [...new Set(started)].sort()]); // none twice
        }
    },
    120_000, // hundreds of backups
  );
});
