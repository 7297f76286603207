import { describe, expect, it } from 'vitest';
import { beginAll, cleanUpAfter, STRATEGIES } from '../../../../functions/core/volumes/strategies.ts';
import type { StrategyPorts, VolumeWork } from '../../../../functions/core/volumes/strategy.ts';
import type { SnapshotState } from '../../../../functions/core/volumes/volume-snapshots.ts';
import { WorkVolume } from '../../../../functions/core/volumes/work.ts';

const volume = (strategy: VolumeWork['strategy'], name: string): VolumeWork => ({
  id: `shop.${name}`,
  namespace: 'shop',
  pvc: name,
  strategy,
  repository: 'restic/paris/shop',
  ...(strategy === 'snapshot' && { csi: { driver: 'd', size: '1Gi', storageClass: 's' } }),
});
const VOLUMES = [volume('mount', 'a'), volume('snapshot', 'b'), volume('node', 'c'), volume('snapshot', 'd')];
const WAITING: SnapshotState = { state: 'waiting', taken: false };

/** A cluster that remembers what it was asked for. */
function cluster() {
  const asked: string[] = [];
  const ports: StrategyPorts = {
    hooks: {
      async before(id) {
        asked.push(`hook ${id}`);
        return undefined;
      },
    },
    locations: { holder: async () => undefined, dump: async () => undefined },
    snapshots: {
      async look(volumes, before) {
        for (const v of volumes) await before(v);
        return new Map(volumes.map((v) => [v.id, WAITING]));
      },
      async claimFor({ id }, restoreSize) {
        asked.push(`claim ${id} ${restoreSize}`);
        return { claim: `claim-of-${id}` };
      },
      async clean(ended) {
        asked.push(`clean ${[...ended]}`);
      },
    },
  };
  return { asked, ports };
}

describe('the strategies of volumes', () => {
  it('are all that a work list may name', () => {
    expect(Object.keys(STRATEGIES).sort()).toEqual([...WorkVolume.shape.strategy.options].sort());
  });

  it('wait for nothing but snapshots, for which pre hooks run before any Job', async () => {
    const { asked, ports } = cluster();
    expect([...(await beginAll(VOLUMES, ports)).keys()]).toEqual(['shop.b', 'shop.d']);
    expect(asked).toEqual(['hook shop.b', 'hook shop.d']);
  });

  it('clean up once for each strategy that the volumes have', async () => {
    const { asked, ports } = cluster();
    await cleanUpAfter(VOLUMES, new Set(['shop.b']), ports);
    await cleanUpAfter([volume('mount', 'a'), volume('command', 'e')], new Set(['shop.a']), ports);
    expect(asked).toEqual(['clean shop.b']);
  });

  it('make the claim of a snapshot as large as the storage says', async () => {
    const { asked, ports } = cluster();
    const at = { attempt: 1, begun: { ...WAITING, restoreSize: '20Gi' } };
    expect(await STRATEGIES.snapshot.prepare(volume('snapshot', 'b'), at, ports)).toEqual({
      location: { claim: 'claim-of-shop.b' },
    });
    expect(asked).toEqual(['claim shop.b 20Gi']);
  });
});
