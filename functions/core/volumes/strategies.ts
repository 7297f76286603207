import type { Strategy } from '../../contract/settings.ts';
import type { ClaimStrategy, StrategyPorts, VolumeStrategy, VolumeWork } from './strategy.ts';
import { commandStrategy } from './strategy-command.ts';
import { mountStrategy } from './strategy-mount.ts';
import { nodeStrategy } from './strategy-node.ts';
import { snapshotStrategy } from './strategy-snapshot.ts';
import type { SnapshotState } from './volume-snapshots.ts';
import type { WorkVolume } from './work.ts';

type Strategies = Readonly<Record<Strategy, ClaimStrategy> & Record<WorkVolume['strategy'], VolumeStrategy>>;

/** Every strategy. One that is added to the enum and has no entry here does not compile. */
export const STRATEGIES: Strategies = {
  mount: mountStrategy,
  snapshot: snapshotStrategy,
  node: nodeStrategy,
  command: commandStrategy,
};

/** The strategies of some volumes, each with its own. */
function byStrategy<V extends WorkVolume>(volumes: readonly V[]): [VolumeStrategy, V[]][] {
  const groups = Map.groupBy(volumes, (v) => v.strategy);
  return [...groups].map(([name, own]) => [STRATEGIES[name], own]);
}

/** Makes what the Jobs of volumes wait for. A volume that is not in the answer waits for nothing. */
export async function beginAll(
  volumes: readonly VolumeWork[],
  ports: StrategyPorts,
): Promise<ReadonlyMap<string, SnapshotState>> {
  const begun: (readonly [string, SnapshotState])[] = [];
  for (const [strategy, own] of byStrategy(volumes)) begun.push(...(await strategy.begin(own, ports)));
  return new Map(begun);
}

/** Removes what was made for those of some volumes that have ended. */
export async function cleanUpAfter(
  volumes: readonly WorkVolume[],
  ended: ReadonlySet<string>,
  ports: Pick<StrategyPorts, 'snapshots'>,
): Promise<void> {
  for (const [strategy] of byStrategy(volumes)) await strategy.cleanUp(ended, ports);
}
