import { describe, expect, it } from 'vitest';
import type { VolumeRule } from '../../../../functions/contract/settings.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { folderOnNode } from '../../../../functions/core/volumes/persistent-volumes.ts';
import {
  BACKUP_VOLUMES,
  EXCLUDED_VOLUMES,
  ruleMatches,
  selectVolumes,
  type VolumePolicy,
} from '../../../../functions/core/volumes/volumes.ts';

interface PodOver {
  wanted?: string;
  excluded?: string;
  node?: string;
  phase?: string;
}

function pod(name: string, claims: Record<string, string>, over: PodOver = {}): KubeObject {
  const annotations = {
    ...(over.wanted !== undefined && { [BACKUP_VOLUMES]: over.wanted }),
    ...(over.excluded !== undefined && { [EXCLUDED_VOLUMES]: over.excluded }),
  };
  return {
    metadata: { name, namespace: 'shop', annotations },
    spec: {
      ...(over.node && { nodeName: over.node }),
      volumes: [
        { name: 'scratch', emptyDir: {} },
        ...Object.entries(claims).map(([volume, claimName]) => ({
          name: volume,
          persistentVolumeClaim: { claimName },
        })),
      ],
    },
    ...(over.phase && { status: { phase: over.phase } }),
  };
}

const claim = (name: string, phase = 'Bound', spec: object = {}, namespace = 'shop'): KubeObject => ({
  metadata: { name, namespace },
  spec: { volumeName: `pv-${name}`, ...spec },
  status: { phase },
});
const pv = (name: string, source: object = { csi: {} }): KubeObject => ({
  metadata: { name },
  spec: { persistentVolumeReclaimPolicy: 'Retain', ...source },
});
const rule = (over: Partial<VolumeRule>): VolumeRule => ({
  name: 'r',
  storageClasses: [],
  volumeTypes: [],
  action: 'skip',
  ...over,
});
const policy = (mode: VolumePolicy['mode'], ...rules: VolumeRule[]): VolumePolicy => ({ mode, rules });

describe('the volumes of a plan that takes what is opted in', () => {
  it('are the claims that a pod names in its annotation', () => {
    const pods = [pod('db-0', { data: 'pgdata' }, { wanted: 'data', node: 'n1' })];
    expect(selectVolumes(pods, [claim('pgdata')], [pv('pv-pgdata')])).toEqual({
      volumes: [
        {
          id: 'shop.pgdata',
          namespace: 'shop',
          pvc: 'pgdata',
          volumeName: 'pv-pgdata',
          reclaimPolicy: 'Retain',
          pod: 'db-0',
          node: 'n1',
          strategy: 'mount',
        },
      ],
      excluded: [],
      unprotected: [],
      problems: [],
    });
  });

  it('are several when the annotation lists several, with or without spaces', () => {
    const pods = [pod('db-0', { data: 'a', logs: 'b', other: 'c' }, { wanted: ' data ,logs,' })];
    const chosen = selectVolumes(
      pods,
      ['a', 'b', 'c'].map((n) => claim(n)),
      [],
    );
    expect(chosen.volumes.map((v) => v.pvc)).toEqual(['a', 'b']);
  });

  it('hold a claim once when two pods name it', () => {
    const pods = ['web-0', 'web-1'].map((name) => pod(name, { data: 'shared' }, { wanted: 'data' }));
    expect(selectVolumes(pods, [claim('shared')], []).volumes.map((v) => v.pod)).toEqual(['web-0']);
  });

  it('do not believe a pod that has ended', () => {
    const pods = [pod('job', { data: 'a' }, { wanted: 'data', node: 'gone', phase: 'Succeeded' })];
    expect(selectVolumes(pods, [claim('a')], [])).toMatchObject({ volumes: [], problems: [] });
  });

  it('say which claims nobody named, in order and why', () => {
    const chosen = selectVolumes([pod('db-0', { data: 'b' })], [claim('b'), claim('a')], []);
    const reason = `no pod names it in ${BACKUP_VOLUMES}`;
    expect(chosen.unprotected).toEqual([
      { volume: 'shop/a', reason },
      { volume: 'shop/b', reason },
    ]);
  });

  it('do not take the claim of the same name in another namespace', () => {
    const pods = [pod('db-0', { data: 'a' }, { wanted: 'data' })];
    const chosen = selectVolumes(pods, [claim('a', 'Bound', {}, 'other')], []);
    expect(chosen).toMatchObject({ volumes: [], unprotected: [{ volume: 'other/a' }] });
  });

  it.each([
    ['Pending', [claim('a', 'Pending')], 'volume shop/a is Pending, not Bound'],
    ['Lost', [claim('a', 'Lost')], 'volume shop/a is Lost: its PersistentVolume is gone'],
    [
      'a Block volume',
      [claim('a', 'Bound', { volumeMode: 'Block' })],
      'volume shop/a is a Block volume: restic backs up files',
    ],
    ['missing', [], 'volume shop/a is missing'],
  ])('have a problem, and are not called unprotected, when a named claim is %s', (_, claims, problem) => {
    const chosen = selectVolumes([pod('db-0', { data: 'a' }, { wanted: 'data' })], claims, []);
    expect(chosen).toEqual({ volumes: [], excluded: [], unprotected: [], problems: [problem] });
  });

  it('have a problem when the annotation names what is neither a claim nor an emptyDir', () => {
    const wanted = 'typo';
    const { problems } = selectVolumes([pod('db-0', { data: 'a' }, { wanted })], [claim('a')], []);
    expect(problems).toEqual([
      `pod shop/db-0: volume "${wanted}" of ${BACKUP_VOLUMES} is neither a volume of a PersistentVolumeClaim nor an emptyDir`,
    ]);
  });
});

describe('the volumes of a plan that takes all but what is opted out', () => {
  it('are all claims, also those that no pod mounts', () => {
    const chosen = selectVolumes(
      [pod('db-0', { data: 'a' })],
      [claim('a'), claim('b')],
      [],
      policy('opt-out'),
    );
    expect(chosen.volumes.map((v) => [v.pvc, v.pod])).toEqual([
      ['a', 'db-0'],
      ['b', undefined],
    ]);
  });

  it('leave out what a pod excludes, and say which pod', () => {
    const pods = [pod('db-0', { data: 'a', tmp: 'b' }, { excluded: 'tmp' })];
    expect(selectVolumes(pods, [claim('a'), claim('b')], [], policy('opt-out'))).toMatchObject({
      volumes: [{ pvc: 'a' }],
      excluded: [{ volume: 'shop/b', reason: `${EXCLUDED_VOLUMES} of pod shop/db-0` }],
    });
  });

  it('show a claim that cannot be read as unprotected, with the reason', () => {
    expect(selectVolumes([], [claim('a', 'Pending')], [], policy('opt-out'))).toMatchObject({
      unprotected: [{ volume: 'shop/a', reason: 'is Pending, not Bound' }],
      problems: [],
    });
  });
});

describe('a plan without volumes', () => {
  it('leaves every claim unprotected, whatever pods name', () => {
    const pods = [pod('db-0', { data: 'a' }, { wanted: 'data' })];
    expect(selectVolumes(pods, [claim('a')], [], policy('none'))).toMatchObject({
      volumes: [],
      unprotected: [{ volume: 'shop/a', reason: 'the plan backs up no volumes' }],
    });
  });
});

describe('a rule', () => {
  const sized = claim('a', 'Bound', {
    storageClassName: 'fast-ssd',
    resources: { requests: { storage: '10Gi' } },
  });
  sized.metadata.labels = { tier: 'cache' };

  it.each<[string, Partial<VolumeRule>, boolean]>([
    ['everything when it says nothing', {}, true],
    ['its storage class by pattern', { storageClasses: ['fast-*'] }, true],
    ['no other storage class', { storageClasses: ['slow'] }, false],
    ['its labels', { labelSelector: 'tier=cache' }, true],
    ['no other labels', { labelSelector: 'tier=db' }, false],
    ['a size within its bounds', { minBytes: 10 * 2 ** 30, maxBytes: 10 * 2 ** 30 }, true],
    ['no smaller one', { minBytes: 10 * 2 ** 30 + 1 }, false],
    ['no larger one', { maxBytes: 10 * 2 ** 30 - 1 }, false],
    ['its volume type', { volumeTypes: ['nfs', 'csi'] }, true],
    ['no other volume type', { volumeTypes: ['nfs'] }, false],
    ['only what has all that it names', { storageClasses: ['fast-*'], labelSelector: 'tier=db' }, false],
  ])('is about %s', (_, over, matches) => {
    expect(ruleMatches(rule(over), sized, pv('pv-a'))).toBe(matches);
  });

  it('decides before the annotation, and is named in the record', () => {
    const pods = [pod('db-0', { data: 'a' }, { wanted: 'data' })];
    const chosen = selectVolumes(pods, [sized], [pv('pv-a')], policy('opt-in', rule({ name: 'caches' })));
    expect(chosen).toMatchObject({
      volumes: [],
      excluded: [{ volume: 'shop/a', reason: 'rule caches' }],
      problems: [],
    });
  });

  it('takes a volume that nobody opted in', () => {
    const chosen = selectVolumes([], [sized], [pv('pv-a')], policy('none', rule({ action: 'mount' })));
    expect(chosen.volumes.map((v) => v.pvc)).toEqual(['a']);
  });

  it('that comes first decides', () => {
    const rules = [rule({ action: 'mount' }), rule({ action: 'skip' })];
    expect(selectVolumes([], [sized], [], policy('opt-in', ...rules)).volumes).toHaveLength(1);
  });
});

describe('the way a volume is read', () => {
  const mountedBy = [pod('db-0', { data: 'a' }, { wanted: 'data', node: 'n1' })];
  const strategyOf = (spec: object, pods: KubeObject[], rules: VolumeRule[] = [], source?: object) =>
    selectVolumes(pods, [claim('a', 'Bound', spec)], [pv('pv-a', source)], policy('opt-out', ...rules))
      .volumes[0];

  it('is on its node when no second pod may mount it', () => {
    expect(strategyOf({ accessModes: ['ReadWriteOncePod'] }, mountedBy)).toMatchObject({
      strategy: 'node',
      folder: 'kubernetes.io~csi/pv-a/mount',
    });
  });

  it('is by mounting it when nobody else does', () => {
    expect(strategyOf({ accessModes: ['ReadWriteOncePod'] }, [])?.strategy).toBe('mount');
  });

  it('is on its node when a rule says so', () => {
    expect(strategyOf({}, mountedBy, [rule({ action: 'node' })])?.strategy).toBe('node');
  });

  it('is by mounting it when its files are nowhere that is known', () => {
    expect(strategyOf({}, mountedBy, [rule({ action: 'node' })], { rbd: {} })?.strategy).toBe('mount');
  });

  it.each([
    [{ local: { path: '/mnt/x' } }, 'kubernetes.io~local-volume/pv-a'],
    [{ nfs: {} }, 'kubernetes.io~nfs/pv-a'],
    [{ hostPath: { path: '/srv/a' } }, '/srv/a'],
  ])('finds the files of %j', (source, folder) => {
    expect(folderOnNode(pv('pv-a', source))).toBe(folder);
  });
});

describe('an emptyDir', () => {
  const scratch = {
    id: 'shop.web-0_scratch',
    namespace: 'shop',
    podVolume: { pod: 'web-0', volume: 'scratch' },
    pod: 'web-0',
    node: 'n1',
    strategy: 'node',
    folder: 'kubernetes.io~empty-dir/scratch',
  };
  const taken = (over: PodOver, plan: VolumePolicy) =>
    selectVolumes([pod('web-0', {}, { node: 'n1', ...over })], [], [], plan).volumes;
  const byRule = rule({ volumeTypes: ['emptyDir'], action: 'node' });

  it('is read on its node when its pod names it', () => {
    expect(taken({ wanted: 'scratch' }, policy('opt-in'))).toEqual([scratch]);
  });
  it.each(['opt-in', 'opt-out'] as const)('is scratch space that nobody asked for with %s', (mode) => {
    expect(taken({}, policy(mode))).toEqual([]);
  });
  it('is taken by a rule that names its type, unless its pod opposes', () => {
    expect(taken({}, policy('opt-in', byRule))).toEqual([scratch]);
    expect(taken({ excluded: 'scratch' }, policy('opt-in', byRule))).toEqual([]);
  });
  it('is left out by a rule that skips its type, also when its pod names it', () => {
    expect(taken({ wanted: 'scratch' }, policy('opt-in', { ...byRule, action: 'skip' }))).toEqual([]);
  });
  it('is not meant by a rule for all types of claims', () => {
    expect(taken({}, policy('opt-in', rule({ action: 'node' })))).toEqual([]);
  });
});

describe('a claim that is to be read from a snapshot', () => {
  const snapshots = rule({ action: 'snapshot', snapshotClass: 'fast' });
  const sized = claim('a', 'Bound', {
    storageClassName: 'gp3',
    resources: { requests: { storage: '5Gi' } },
  });
  const csi = pv('pv-a', { csi: { driver: 'ebs.csi.aws.com' } });

  it('says what a claim of its snapshot must be like, and is on no node', () => {
    const holder = pod('db-0', { data: 'a' }, { node: 'n1' });
    const [chosen] = selectVolumes([holder], [sized], [csi], policy('opt-in', snapshots)).volumes;
    expect([chosen?.strategy, chosen?.csi, chosen?.node]).toEqual([
      'snapshot',
      { driver: 'ebs.csi.aws.com', size: '5Gi', storageClass: 'gp3', snapshotClass: 'fast' },
      undefined,
    ]);
  });
  it('may be made in another storage class', () => {
    const elsewhere = { ...snapshots, temporaryStorageClass: 'gp3-delete' };
    const [chosen] = selectVolumes([], [sized], [csi], policy('opt-in', elsewhere)).volumes;
    expect(chosen?.csi?.storageClass).toBe('gp3-delete');
  });
  it('is a problem when its volume has no snapshots', () => {
    const nfs = pv('pv-a', { nfs: {} });
    const { volumes, problems } = selectVolumes([], [sized], [nfs], policy('opt-in', snapshots));
    expect([volumes, problems]).toEqual([
      [],
      [
        'volume shop/a has no snapshots: its PersistentVolume is of type nfs, not csi; set mount or node in its rule',
      ],
    ]);
  });
});
