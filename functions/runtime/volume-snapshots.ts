import { listObjects } from '../adapters/kubernetes/lists.ts';
import {
  listSnapshots,
  listTemporaryClaims,
  makeOnce,
  removeMade,
} from '../adapters/kubernetes/snapshots.ts';
import { ID_ANNOTATION } from '../core/job-spec.ts';
import type { KubeObject } from '../core/resources.ts';
import {
  leftBehind,
  type SnapshotState,
  type SnapshotVolume,
  snapshotClassFor,
  snapshotState,
  temporaryClaim,
  temporaryClassProblem,
  volumeSnapshot,
} from '../core/volume-snapshots.ts';
import { TYPES } from '../core/well-known.ts';
import type { KubeClient } from '../ports/kubernetes.ts';

/** Longer than any backup may take. */
const FORGOTTEN_SECONDS = 24 * 3600;

export interface SnapshotRun {
  readonly run: string;
  readonly now: Date;
  readonly limits: { readonly cutSeconds: number; readonly readySeconds: number };
}

/** The CSI snapshots of one run: made all at once, so that they show nearly one instant, and removed one by one as they are read. */
export function volumeSnapshots(cluster: KubeClient, { run, now, limits }: SnapshotRun) {
  let states: ReadonlyMap<string, SnapshotState> = new Map();

  async function make(
    missing: readonly SnapshotVolume[],
    before: (v: SnapshotVolume) => Promise<string | undefined>,
  ) {
    if (missing.length === 0) return [];
    const [classes, storageClasses] = await Promise.all([
      listObjects(cluster, TYPES.volumeSnapshotClasses).catch((error: unknown) => {
        if ((error as { status?: number }).status === 404) return undefined;
        throw error;
      }),
      listObjects(cluster, TYPES.storageClasses),
    ]);
    const one = async (v: SnapshotVolume): Promise<SnapshotState> => {
      const failed = (message: string): SnapshotState => ({ state: 'failed', cut: false, message });
      if (!classes)
        return failed(
          'the cluster has no VolumeSnapshots: install the snapshot controller, or let the rule say mount or node',
        );
      const chosen = snapshotClassFor(classes, v.csi);
      const problem =
        'problem' in chosen ? chosen.problem : temporaryClassProblem(storageClasses, v.csi.storageClass);
      if (problem !== undefined || !('name' in chosen)) return failed(problem as string);
      const hook = await before(v);
      if (hook !== undefined) return failed(hook);
      const refused = await makeOnce(cluster, TYPES.volumeSnapshots, volumeSnapshot(run, v, chosen.name));
      if (refused !== undefined) return failed(refused);
      return { state: 'waiting', cut: false, message: 'its snapshot is not taken' };
    };
    // One after the other: hooks of two pods must not hold one another up, and a request is quick.
    const made: (readonly [string, SnapshotState])[] = [];
    for (const v of missing) made.push([v.id, await one(v)]);
    return made;
  }

  return {
    /** Makes what is missing and says how far each is. `before` runs before a snapshot is made; what it returns is why it must not be. */
    async look(
      volumes: readonly SnapshotVolume[],
      before: (v: SnapshotVolume) => Promise<string | undefined>,
    ): Promise<ReadonlyMap<string, SnapshotState>> {
      if (volumes.length === 0) return states;
      const found = new Map((await listSnapshots(cluster, run)).map((s) => [idOf(s), s]));
      const made = await make(
        volumes.filter((v) => !found.has(v.id)),
        before,
      );
      states = new Map([
        ...[...found].map(([id, s]) => [id, snapshotState(s, now, limits)] as const),
        ...made,
      ]);
      return states;
    },
    /** Makes the claim that a volume's Job mounts in its place; why it cannot be made, in words. */
    claimFor: (v: SnapshotVolume): Promise<string | undefined> =>
      makeOnce(cluster, TYPES.persistentVolumeClaims, temporaryClaim(run, v, states.get(v.id)?.restoreSize)),
    /** Removes what belongs to volumes that have ended, and what runs of long ago have left behind. */
    async clean(ended: ReadonlySet<string>): Promise<void> {
      for (const [type, list] of [
        [TYPES.persistentVolumeClaims, listTemporaryClaims],
        [TYPES.volumeSnapshots, listSnapshots],
      ] as const) {
        const ours = (await list(cluster, run)).filter((o) => ended.has(idOf(o)));
        const old = leftBehind(await list(cluster), now, FORGOTTEN_SECONDS);
        for (const object of [...ours, ...old]) await removeMade(cluster, type, object);
      }
    },
  };
}

const idOf = ({ metadata }: KubeObject): string => metadata.annotations?.[ID_ANNOTATION] ?? '';
