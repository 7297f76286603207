import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { dumpsOf } from '../../../../functions/core/volumes/dumps.ts';

const COMMAND = 'holdfast.io/backup-command';

function pod(name: string, annotations: Record<string, string>, over: Partial<KubeObject> = {}): KubeObject {
  const { metadata, ...rest } = over;
  return {
    metadata: { name, namespace: 'shop', annotations, ...metadata },
    spec: { containers: [{ name: 'db' }, { name: 'sidecar' }] },
    status: { phase: 'Running' },
    ...rest,
  };
}
/** A pod of a Deployment. */
const replica = (name: string, hash = '6d4b'): KubeObject =>
  pod(
    name,
    { [COMMAND]: 'dump' },
    {
      metadata: {
        name,
        labels: { 'pod-template-hash': hash },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `web-${hash}`, uid: 'u', controller: true },
        ],
      },
    },
  );

describe('the dump of a pod', () => {
  it('is what its annotations say', () => {
    const annotations = {
      [COMMAND]: '["pg_dump", "shop"]',
      [`${COMMAND}-container`]: 'sidecar',
      [`${COMMAND}-file`]: 'shop.sql',
    };
    expect(dumpsOf([pod('db-0', annotations)])).toEqual({
      dumps: [
        {
          work: {
            id: 'shop._db-0',
            namespace: 'shop',
            dump: { workload: 'db-0', file: 'shop.sql' },
            pod: 'db-0',
            strategy: 'command',
          },
          container: 'sidecar',
          command: ['pg_dump', 'shop'],
        },
      ],
      problems: [],
    });
  });

  it('runs a text that is no list by the shell of its first container', () => {
    const [dump] = dumpsOf([pod('db-0', { [COMMAND]: 'pg_dump -U postgres shop' })]).dumps;
    expect([dump?.container, dump?.command, dump?.work.dump?.file]).toEqual([
      'db',
      ['/bin/sh', '-c', 'pg_dump -U postgres shop'],
      'dump',
    ]);
  });

  it('is one for all replicas of a Deployment, under its name', () => {
    const { dumps } = dumpsOf([replica('web-6d4b-b'), replica('web-6d4b-a')]);
    expect(dumps.map((d) => [d.work.id, d.work.pod])).toEqual([['shop._web', 'web-6d4b-a']]);
  });

  it('keeps its name when a rollout replaces the pods', () => {
    const ids = ['6d4b', '99c1'].map((hash) => dumpsOf([replica(`web-${hash}-a`, hash)]).dumps[0]?.work.id);
    expect(new Set(ids)).toEqual(new Set(['shop._web']));
  });

  it('is asked of a replica that runs when another does not', () => {
    const pending = { ...replica('web-6d4b-a'), status: { phase: 'Pending' } };
    const { dumps, problems } = dumpsOf([pending, replica('web-6d4b-b')]);
    expect([dumps[0]?.work.pod, problems]).toEqual(['web-6d4b-b', []]);
  });

  it.each<[string, KubeObject, string]>([
    [
      'its pod does not run',
      pod('db-0', { [COMMAND]: 'x' }, { status: { phase: 'Pending' } }),
      'cannot run: the pod is Pending',
    ],
    [
      'its pod is ending',
      pod('db-0', { [COMMAND]: 'x' }, { metadata: { name: 'db-0', deletionTimestamp: 'now' } }),
      'cannot run: the pod is terminating',
    ],
    ['it is half a list', pod('db-0', { [COMMAND]: '["x"' }), 'is not a JSON list of strings: ["x"'],
    [
      'its container is missing',
      pod('db-0', { [COMMAND]: 'x', [`${COMMAND}-container`]: 'nope' }),
      'names the container "nope", which the pod does not have',
    ],
    [
      'its file has a folder',
      pod('db-0', { [COMMAND]: 'x', [`${COMMAND}-file`]: '../etc/x' }),
      'names the file "../etc/x"; write one like dump.sql',
    ],
  ])('is a problem when %s', (_, of, problem) => {
    expect(dumpsOf([of])).toEqual({ dumps: [], problems: [`pod shop/db-0: ${COMMAND} ${problem}`] });
  });

  it('is not asked of a pod that has ended', () => {
    expect(dumpsOf([pod('job-1', { [COMMAND]: 'x' }, { status: { phase: 'Succeeded' } })])).toEqual({
      dumps: [],
      problems: [],
    });
  });
});
