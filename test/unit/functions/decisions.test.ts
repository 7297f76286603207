import { describe, expect, it } from 'vitest';
import { cleanForRestore } from '../../../functions/core/clean.ts';
import { differences } from '../../../functions/core/compare.ts';
import { mayTake } from '../../../functions/core/lease.ts';
import { readiness } from '../../../functions/core/readiness.ts';
import { decidePhase, type ResourceResult, type Work } from '../../../functions/core/record.ts';
import { contentHash, isReplicated, missingInReplica } from '../../../functions/core/replication.ts';
import { forgetArgs, parseSummary } from '../../../functions/core/restic.ts';
import { compareItems, planItem } from '../../../functions/core/restore-plan.ts';
import { selectVolumes } from '../../../functions/core/volumes.ts';
import { volumeOutcome } from '../../../functions/reconcile-volumes/volume-job.ts';
import { selectionOf } from '../../support/selection.ts';

const volume = { id: 'ns.data', namespace: 'ns', pvc: 'data', pod: 'p' };
const end = (exitCode: number | undefined, log = '') => ({ exitCode, log, message: undefined, seconds: 1 });
const summary =
  '{"message_type":"summary","snapshot_id":"abc","total_files_processed":2,"total_bytes_processed":9}';

describe('the outcome of a volume', () => {
  it('is protected only with exit code 0 and a snapshot', () => {
    expect(volumeOutcome(volume, end(0, summary))).toMatchObject({
      result: 'protected',
      snapshot: 'abc',
      files: 2,
      bytes: 9,
    });
  });
  it('is partial with exit code 3 and names what could not be read', () => {
    const log = `{"message_type":"error","error":{"message":"denied"},"item":"/data/x"}\n${summary}`;
    expect(volumeOutcome(volume, end(3, log))).toMatchObject({
      result: 'partial',
      message: 'restic could not read: /data/x: denied',
    });
  });
  it.each([0, 1, 137, undefined])('is failed with code %s and no snapshot', (code) => {
    expect(volumeOutcome(volume, end(code))).toMatchObject({ result: 'failed' });
  });
  it('has no summary in a log that is cut off', () => {
    expect(parseSummary(summary.slice(0, 50))).toBeUndefined();
  });
});

describe('the phase of a backup', () => {
  const work: Work = {
    plan: 'p',
    backup: 'b',
    startedAt: '',
    namespaces: [],
    wide: false,
    selection: selectionOf(['shop']),
    volumes: [volume],
    unprotected: [],
    problems: [],
  };
  const resources: ResourceResult = {
    items: 1,
    bytes: 1,
    archiveBytes: 1,
    sha256: '',
    resourceVersion: '1',
    types: {},
    shards: 1,
    consistency: 'exact',
    inexact: [],
    unreadable: [],
    seconds: 1,
  };
  const good = volumeOutcome(volume, end(0, summary));
  it('is Completed when nothing is missing', () => {
    expect(decidePhase(work, resources, [good])).toEqual({ phase: 'Completed', reasons: [] });
  });
  it('is PartiallyFailed when a volume has no result', () => {
    expect(decidePhase(work, resources, [])).toEqual({
      phase: 'PartiallyFailed',
      reasons: ['volume ns/data: no result'],
    });
  });
  it('is PartiallyFailed when a type could not be read', () => {
    expect(decidePhase(work, { ...resources, unreadable: ['x.y'] }, [good]).phase).toBe('PartiallyFailed');
  });
});

describe('the volumes of a plan', () => {
  const pod = (volumes: string) => ({
    metadata: { name: 'p', namespace: 'ns', annotations: { 'backup.velero.io/backup-volumes': volumes } },
    spec: {
      nodeName: 'n1',
      volumes: [
        { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'tmp', emptyDir: {} },
      ],
    },
  });
  const claim = (phase: string) => ({
    metadata: { name: 'data', namespace: 'ns' },
    spec: { volumeName: 'pv1' },
    status: { phase },
  });
  it('are those that a pod names, with the node that holds them', () => {
    expect(selectVolumes([pod('d'), pod('d')], [claim('Bound')], []).volumes).toEqual([
      { id: 'ns.data', namespace: 'ns', pvc: 'data', volumeName: 'pv1', pod: 'p', node: 'n1' },
    ]);
  });
  it('that nobody names are unprotected', () => {
    expect(selectVolumes([], [claim('Bound')], []).unprotected).toEqual(['ns/data']);
  });
  it('that are not bound are a problem', () => {
    expect(selectVolumes([pod('d')], [claim('Pending')], []).problems).toEqual([
      'volume ns/data is Pending, not Bound',
    ]);
  });
  it('that are no claim are a problem', () => {
    expect(selectVolumes([pod('tmp')], [], []).problems[0]).toContain('"tmp"');
  });
});

describe('replication', () => {
  const hash = 'a'.repeat(64);
  const o = (key: string) => ({ key, bytes: 1, etag: 'e' });
  it('copies what refers to something after it, and the commit marker last', () => {
    const keys = [
      'records/c/b/record.json',
      `restic/c/n/snapshots/${hash}`,
      `restic/c/n/index/${hash}`,
      `restic/c/n/data/aa/${hash}`,
      'restic/c/n/locks/x',
      'velero/c/backups/b/b.tar.gz',
    ];
    const order = missingInReplica(keys.map(o), new Map(), () => true).map((m) => m.key.split('/')[3]);
    expect(order).toEqual(
      ['data', 'index', 'snapshots', 'b', 'record.json'].map((part) => (part === 'b' ? 'b' : part)),
    );
  });
  it('copies again what has another size', () => {
    expect(missingInReplica([o('a')], new Map([['a', { ...o('a'), bytes: 2 }]]), () => true)).toHaveLength(1);
  });
  it('leaves locks where they are', () => {
    expect(isReplicated('restic/c/n/locks/x')).toBe(false);
  });
  it('reads the digest of a pack from its name and of a config from nowhere', () => {
    expect([contentHash(`restic/c/n/data/aa/${hash}`), contentHash('restic/c/n/config')]).toEqual([
      hash,
      undefined,
    ]);
  });
});

describe('a restore plan', () => {
  const at = (groupResource: string) => ({ groupResource, version: 'v1', namespace: 'ns', name: 'x' });
  const bare = { metadata: { name: 'x' } };
  it('makes claims before workloads and webhooks last', () => {
    const types = [
      'validatingwebhookconfigurations.admissionregistration.k8s.io',
      'deployments.apps',
      'persistentvolumeclaims',
      'pods',
      'namespaces',
    ];
    const sorted = types.map((t) => planItem(at(t), bare, () => false)).sort(compareItems);
    expect(sorted.map((i) => i.groupResource)).toEqual([
      'namespaces',
      'persistentvolumeclaims',
      'pods',
      'deployments.apps',
      types[0],
    ]);
  });
  it('leaves an object to a controller of the same recovery point', () => {
    const owned = {
      metadata: {
        name: 'x',
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true },
        ],
      },
    };
    expect(planItem(at('pods'), owned, (uid) => uid === 'u')).toMatchObject({
      action: 'skip',
      reason: 'made by ReplicaSet/r',
    });
    expect(planItem(at('pods'), owned, () => false)).toMatchObject({ action: 'create' });
  });
});

describe('cleaning', () => {
  const clean = (object: object) => cleanForRestore(object as never, { backup: 'b', restore: 'r' });
  it('takes the cluster’s own fields off and keeps unknown ones', () => {
    const cleaned = clean({
      kind: 'X',
      metadata: { name: 'x', uid: 'u', resourceVersion: '1' },
      status: {},
      spec: { unknown: 1 },
    });
    expect(cleaned).toEqual({
      kind: 'X',
      metadata: { name: 'x', labels: { 'velero.io/backup-name': 'b', 'velero.io/restore-name': 'r' } },
      spec: { unknown: 1 },
    });
  });
  it('keeps a headless Service headless and frees the address of others', () => {
    expect(clean({ kind: 'Service', metadata: { name: 's' }, spec: { clusterIP: 'None' } }).spec).toEqual({
      clusterIP: 'None',
    });
    expect(
      clean({
        kind: 'Service',
        metadata: { name: 's' },
        spec: { clusterIP: '10.0.0.1', clusterIPs: [], ports: [{ port: 1, nodePort: 2 }] },
      }).spec,
    ).toEqual({ ports: [{ port: 1 }] });
  });
  it('frees a claim of its old volume', () => {
    const claim = clean({
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'c', annotations: { 'pv.kubernetes.io/bind-completed': 'yes', mine: '1' } },
      spec: { volumeName: 'v' },
    });
    expect([claim.spec, claim.metadata.annotations]).toEqual([{}, { mine: '1' }]);
  });
});

describe('small decisions', () => {
  it('a difference is what was asked for and is not so; additions are none', () => {
    expect(differences({ a: [{ b: 1 }], c: 2 }, { a: [{ b: 1, x: 0 }], c: 3 })).toEqual(['c']);
  });
  it('a Deployment whose controller has not looked yet is not ready', () => {
    expect(
      readiness({
        kind: 'Deployment',
        metadata: { name: 'x', generation: 2 },
        spec: { replicas: 1 },
        status: { observedGeneration: 1, readyReplicas: 1 },
      }),
    ).toBe('1 of 1 ready');
  });
  it('a lease is free for its holder and after its time, and for nobody else', () => {
    const now = new Date('2026-01-01T00:00:00Z');
    const lease = { holder: 'a', expiresAt: '2026-01-01T00:00:01Z' };
    expect([
      mayTake(lease, 'a', now),
      mayTake(lease, 'b', now),
      mayTake(lease, 'b', new Date(lease.expiresAt)),
    ]).toEqual([true, false, true]);
  });
  it('forgetting nothing is refused, because restic would apply a policy', () => {
    expect(() => forgetArgs([])).toThrow(RangeError);
  });
});
