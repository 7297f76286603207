import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../functions/core/resources.ts';
import { BACKUP_VOLUMES, selectVolumes } from '../../../functions/core/volumes.ts';

function pod(name: string, wanted: string | undefined, claims: Record<string, string>, node?: string) {
  return {
    metadata: { name, namespace: 'shop', ...(wanted && { annotations: { [BACKUP_VOLUMES]: wanted } }) },
    spec: {
      ...(node && { nodeName: node }),
      volumes: [
        { name: 'scratch', emptyDir: {} },
        ...Object.entries(claims).map(([volume, claimName]) => ({
          name: volume,
          persistentVolumeClaim: { claimName },
        })),
      ],
    },
  } satisfies KubeObject;
}

function claim(name: string, phase = 'Bound', namespace = 'shop'): KubeObject {
  return { metadata: { name, namespace }, spec: { volumeName: `pv-${name}` }, status: { phase } };
}

const pv = (name: string): KubeObject => ({
  metadata: { name },
  spec: { persistentVolumeReclaimPolicy: 'Retain' },
});

describe('the volumes of a plan', () => {
  it('are the claims that a pod names in its annotation', () => {
    const chosen = selectVolumes(
      [pod('db-0', 'data', { data: 'pgdata' }, 'n1')],
      [claim('pgdata')],
      [pv('pv-pgdata')],
    );
    expect(chosen).toEqual({
      volumes: [
        {
          id: 'shop.pgdata',
          namespace: 'shop',
          pvc: 'pgdata',
          volumeName: 'pv-pgdata',
          reclaimPolicy: 'Retain',
          pod: 'db-0',
          node: 'n1',
        },
      ],
      unprotected: [],
      problems: [],
    });
  });

  it('are several when the annotation lists several, with or without spaces', () => {
    const pods = [pod('db-0', ' data ,logs,', { data: 'a', logs: 'b', other: 'c' })];
    const chosen = selectVolumes(
      pods,
      ['a', 'b', 'c'].map((n) => claim(n)),
      [],
    );
    expect(chosen.volumes.map((v) => v.pvc)).toEqual(['a', 'b']);
  });

  it('hold a claim once when two pods name it', () => {
    const pods = [pod('web-0', 'data', { data: 'shared' }), pod('web-1', 'data', { data: 'shared' })];
    expect(selectVolumes(pods, [claim('shared')], []).volumes.map((v) => v.pod)).toEqual(['web-0']);
  });

  it('say which claims nobody named, in order', () => {
    const chosen = selectVolumes([pod('db-0', undefined, { data: 'b' })], [claim('b'), claim('a')], []);
    expect(chosen).toEqual({ volumes: [], unprotected: ['shop/a', 'shop/b'], problems: [] });
  });

  it('do not take the claim of the same name in another namespace', () => {
    const chosen = selectVolumes([pod('db-0', 'data', { data: 'a' })], [claim('a', 'Bound', 'other')], []);
    expect(chosen).toMatchObject({ volumes: [], unprotected: ['other/a'] });
  });

  it.each([
    ['Pending', [claim('a', 'Pending')], 'volume shop/a is Pending, not Bound'],
    ['Lost', [claim('a', 'Lost')], 'volume shop/a is Lost, not Bound'],
    ['missing', [], 'volume shop/a is missing'],
  ])('have a problem, and are not called unprotected, when a named claim is %s', (_, claims, problem) => {
    const chosen = selectVolumes([pod('db-0', 'data', { data: 'a' })], claims, []);
    expect(chosen).toEqual({ volumes: [], unprotected: [], problems: [problem] });
  });

  it.each(['scratch', 'typo'])('have a problem when the annotation names %s, which is no claim', (wanted) => {
    const { problems } = selectVolumes([pod('db-0', wanted, { data: 'a' })], [claim('a')], []);
    expect(problems).toEqual([
      `pod shop/db-0: volume "${wanted}" of ${BACKUP_VOLUMES} is not a volume of a PersistentVolumeClaim`,
    ]);
  });
});
