import { listObjects } from '../adapters/kubernetes/lists.ts';
import type { JobSettings } from '../contract/settings.ts';
import { lostObject, MADE_TYPES } from '../core/jobs/made-object.ts';
import { TYPES } from '../core/kubernetes/well-known.ts';
import type { SnapshotPort } from '../core/volumes/strategy.ts';
import {
  type SnapshotState,
  type SnapshotVolume,
  snapshotClassFor,
  snapshotState,
  temporaryClaim,
  temporaryClassProblem,
  volumeSnapshot,
} from '../core/volumes/volume-snapshots.ts';
import type { KubeClient } from '../ports/kubernetes.ts';
import { type MadeObjects, objectsOf } from '../runtime/jobs/made-objects.ts';

/** One backup's snapshots. */
export interface SnapshotsContext {
  readonly cluster: KubeClient;
  /** What the backup has in the cluster. */
  readonly made: MadeObjects;
  readonly backup: string;
  readonly now: Date;
  readonly limits: Pick<JobSettings, 'startSeconds' | 'deadlineSeconds'>;
}

type Before = Parameters<SnapshotPort['look']>[1];

/** The CSI snapshots of one backup. They are taken together, close to one point in time, and removed as they are read. */
export function volumeSnapshots({ cluster, made, backup: run, now, limits }: SnapshotsContext): SnapshotPort {
  const seconds = { takeSeconds: limits.startSeconds, readySeconds: limits.deadlineSeconds };

  async function make(missing: readonly SnapshotVolume[], before: Before) {
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
      const answer = await made.make({ kind: 'snapshot', id: v.id }, v.namespace, (name) =>
        volumeSnapshot({ run, name }, v, chosen.name),
      );
      if ('refused' in answer) return failed(answer.refused);
      return { state: 'waiting', taken: false, message: 'its snapshot is not taken' };
    };
    // Sequential: the hooks of two pods must not block each other, and a request is quick.
    const states: (readonly [string, SnapshotState])[] = [];
    for (const v of missing) states.push([v.id, await one(v)]);
    return states;
  }

  const taken = async () =>
    new Map(
      (await objectsOf(made, ['snapshot'])).flatMap((o) =>
        o.uid === undefined ? [] : [[o.slot.id, { ...o, uid: o.uid }] as const],
      ),
    );

  return {
    async look(volumes, before) {
      if (volumes.length === 0) return new Map();
      const own = await taken();
      const stateOf = async (v: SnapshotVolume): Promise<SnapshotState | undefined> => {
        const snapshot = own.get(v.id);
        if (!snapshot) return undefined;
        const live = await made.live(snapshot);
        if (live) return snapshotState(live, now, seconds);
        return { state: 'failed', taken: false, message: lostObject(MADE_TYPES.snapshot.kind, snapshot) };
      };
      const found = await Promise.all(volumes.map(async (v) => [v, await stateOf(v)] as const));
      const states = found.flatMap(([v, state]) => (state ? [[v.id, state] as const] : []));
      const missing = found.flatMap(([v, state]) => (state ? [] : [v]));
      return new Map([...states, ...(await make(missing, before))]);
    },
    async claimFor(v, restoreSize) {
      const snapshot = await made.get({ kind: 'snapshot', id: v.id });
      if (!snapshot) return { blocker: 'its snapshot is not taken' };
      const answer = await made.make({ kind: 'claim', id: v.id }, v.namespace, (name) =>
        temporaryClaim({ run, name }, v, { snapshot: snapshot.name, restoreSize }),
      );
      if ('refused' in answer) return { blocker: answer.refused };
      if (await made.live(answer.own)) return { claim: answer.own.name };
      return { blocker: lostObject(MADE_TYPES.claim.kind, answer.own) };
    },
    async clean(ended) {
      const slots = (await made.slots()).filter((slot) => ended.has(slot.id));
      // Claims before the snapshots that they were created from.
      for (const kind of ['claim', 'snapshot'] as const)
        for (const slot of slots.filter((s) => s.kind === kind)) {
          const object = await made.get(slot);
          if (object) await made.remove(object);
        }
    },
  };
}
