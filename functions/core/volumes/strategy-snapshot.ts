import type { KubeObject } from '../kubernetes/resources.ts';
import { backupArgs } from '../restic/restic.ts';
import { sourcePath } from '../restic/source.ts';
import { sizeOf, volumeType } from './persistent-volumes.ts';
import { type ChosenClaim, type ClaimStrategy, rightsOver } from './strategy.ts';
import { fromSnapshot } from './volume-snapshots.ts';
import type { WorkVolume } from './work.ts';

/** A Job mounts a claim created from a CSI snapshot, on any node. */
export const snapshotStrategy: ClaimStrategy = {
  blocker(volume) {
    const type = volume && volumeType(volume);
    if (type === 'csi') return undefined;
    return `has no snapshots: its PersistentVolume is of type ${type ?? 'unknown'}, not csi; set mount or node in its rule`;
  },
  reading: (chosen) => ({
    strategy: 'snapshot',
    ...(chosen.volume && { csi: csiOf(chosen, chosen.volume) }),
  }),
  begin: (volumes, { snapshots, hooks }) =>
    snapshots.look(volumes.filter(fromSnapshot), (v) => hooks.before(v.id)),
  async prepare(v, { begun }, { snapshots }) {
    if (!fromSnapshot(v)) return { blocker: 'the work list has no claim settings for its snapshot' };
    const made = await snapshots.claimFor(v, begun?.restoreSize);
    return 'blocker' in made ? made : { location: made };
  },
  mount: (v, { claim }, { settings, work, options }) => ({
    namespace: v.namespace,
    mount: { path: sourcePath(v), readOnly: true, pvc: claim ?? '', temporary: true },
    ...rightsOver(v),
    backup: { args: backupArgs({ cluster: settings.cluster, run: work }, v, options) },
  }),
  identity: (jobs) => jobs.backupServiceAccount,
  cleanUp: (ended, { snapshots }) => snapshots.clean(ended),
};

/** Settings of the claim that is created from the snapshot. */
function csiOf({ claim, rule }: ChosenClaim, volume: KubeObject): NonNullable<WorkVolume['csi']> {
  return {
    driver: (volume.spec as { csi: { driver: string } }).csi.driver,
    size: sizeOf(claim),
    storageClass: rule.temporaryStorageClass ?? String(claim.spec?.storageClassName ?? ''),
    ...(rule.snapshotClass && { snapshotClass: rule.snapshotClass }),
  };
}
