import type { Strategy } from '../../contract/settings.ts';
import type { ClaimStrategy, StrategyPorts, VolumeStrategy, VolumeWork } from './strategy.ts';
import { commandStrategy } from './strategy-command.ts';
import { mountStrategy } from './strategy-mount.ts';
import { nodeStrategy } from './strategy-node.ts';
import { snapshotStrategy } from './strategy-snapshot.ts';
import type { SnapshotState } from './volume-snapshots.ts';
import type { WorkVolume } from './work.ts';

type Strategies = Readonly<Record<Strategy, ClaimStrategy> & Record<WorkVolume['strategy'], VolumeStrategy>>;

/** All strategies. A strategy in the enum without an entry here does not compile. */
export const STRATEGIES: Strategies = {
  mount: mountStrategy,
  snapshot: snapshotStrategy,
  node: nodeStrategy,
  command: commandStrategy,
};

/** Groups volumes by strategy. */
function byStrategy<V extends WorkVolume>(volumes: readonly V[]): [VolumeStrategy, V[]][] {
  const groups = Map.groupBy(volumes, (v) => v.strategy);
  return [...groups].map(([name, own]) => [STRATEGIES[name], own]);
}

/** Creates the prerequisites of the volumes' Jobs. A volume that is not in the result has none. */
export async function beginAll(
  volumes: readonly VolumeWork[],
  ports: StrategyPorts,
): Promise<ReadonlyMap<string, SnapshotState>> {
  const begun: (readonly [string, SnapshotState])[] = [];
  for (const [strategy, own] of byStrategy(volumes)) begun.push(...(await strategy.begin(own, ports)));
  return new Map(begun);
}

/** Removes the temporary objects of volumes that have ended. */
export async function cleanUpAfter(
  volumes: readonly WorkVolume[],
  ended: ReadonlySet<string>,
  ports: Pick<StrategyPorts, 'snapshots'>,
): Promise<void> {
  for (const [strategy] of byStrategy(volumes)) await strategy.cleanUp(ended, ports);
}
