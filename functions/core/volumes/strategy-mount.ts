import { backupArgs } from '../restic/restic.ts';
import { sourcePath } from '../restic/source.ts';
import { type ClaimStrategy, hookOnce, readingByMount, readingOnNode, rightsOver } from './strategy.ts';

/** A Job mounts the claim, on the node of the pod that mounts it. */
export const mountStrategy: ClaimStrategy = {
  blocker: () => undefined,
  reading(chosen) {
    // A second pod cannot mount such a claim, but it can be read from the node.
    const { accessModes = [] } = (chosen.claim.spec ?? {}) as { accessModes?: string[] };
    const once = accessModes.includes('ReadWriteOncePod');
    return (once ? readingOnNode(chosen) : undefined) ?? readingByMount(chosen);
  },
  begin: async () => new Map(),
  async prepare(v, { attempt }, ports) {
    const blocker = await hookOnce(v, attempt, ports);
    return blocker === undefined ? { location: { holder: await ports.locations.holder(v) } } : { blocker };
  },
  mount: (v, { holder }, { settings, work, options }) => ({
    namespace: v.namespace,
    mount: { path: sourcePath(v), readOnly: true, pvc: v.pvc as string },
    ...(holder && { node: holder.node }),
    ...rightsOver(v),
    backup: { args: backupArgs({ cluster: settings.cluster, run: work }, v, options) },
  }),
  identity: (jobs) => jobs.backupServiceAccount,
  cleanUp: async () => undefined,
};
