import { listObjects } from '../adapters/kubernetes/lists.ts';
import {
  listSnapshots,
  listTemporaryClaims,
  makeOnce,
  removeMade,
} from '../adapters/kubernetes/snapshots.ts';
import type { JobSettings } from '../contract/settings.ts';
import type { KubeObject } from '../core/kubernetes/resources.ts';
import { ID_ANNOTATION } from '../core/kubernetes/run-labels.ts';
import { TYPES } from '../core/kubernetes/well-known.ts';
import type { SnapshotPort } from '../core/volumes/strategy.ts';
import {
  leftBehind,
  type SnapshotState,
  type SnapshotVolume,
  snapshotClassFor,
  snapshotState,
  temporaryClaim,
  temporaryClassProblem,
  volumeSnapshot,
} from '../core/volumes/volume-snapshots.ts';
import type { KubeClient } from '../ports/kubernetes.ts';

/** Age from which snapshots and temporary claims of any run are removed. Longer than any backup may take. */
const FORGOTTEN_SECONDS = 24 * 3600;

/** The CSI snapshots of one run. They are taken together, close to one point in time, and removed as they are read. */
export function volumeSnapshots(
  cluster: KubeClient,
  run: string,
  now: Date,
  { startSeconds, deadlineSeconds }: Pick<JobSettings, 'startSeconds' | 'deadlineSeconds'>,
): SnapshotPort {
  const limits = { takeSeconds: startSeconds, readySeconds: deadlineSeconds };

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
      const failed = (message: string): SnapshotState => ({ state: 'failed', taken: false, message });
      if (!classes)
        return failed(
          'the cluster does not serve VolumeSnapshots: install the snapshot controller, or use mount or node in the rule',
        );
      const chosen = snapshotClassFor(classes, v.csi);
      const problem =
        'problem' in chosen ? chosen.problem : temporaryClassProblem(storageClasses, v.csi.storageClass);
      if (problem !== undefined || !('name' in chosen)) return failed(problem as string);
      const hook = await before(v);
      if (hook !== undefined) return failed(hook);
      const refused = await makeOnce(cluster, TYPES.volumeSnapshots, volumeSnapshot(run, v, chosen.name));
      if (refused !== undefined) return failed(refused);
      return { state: 'waiting', taken: false, message: 'its snapshot is not taken' };
    };
    // Sequential: the hooks of two pods must not block each other, and a request is quick.
    const made: (readonly [string, SnapshotState])[] = [];
    for (const v of missing) made.push([v.id, await one(v)]);
    return made;
  }

  return {
    async look(volumes, before) {
      if (volumes.length === 0) return new Map();
      const found = new Map((await listSnapshots(cluster, run)).map((s) => [idOf(s), s]));
      const made = await make(
        volumes.filter((v) => !found.has(v.id)),
        before,
      );
      return new Map([...[...found].map(([id, s]) => [id, snapshotState(s, now, limits)] as const), ...made]);
    },
    claimFor: (v, restoreSize) =>
      makeOnce(cluster, TYPES.persistentVolumeClaims, temporaryClaim(run, v, restoreSize)),
    async clean(ended) {
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
