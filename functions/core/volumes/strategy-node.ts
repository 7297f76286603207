import { SYSTEM_NAMESPACE } from '../../contract/names.ts';
import { backupArgs } from '../restic/restic.ts';
import { sourcePath } from '../restic/source.ts';
import { type ClaimStrategy, hookOnce, readingByMount, readingOnNode, rightsOver } from './strategy.ts';
import { mountStrategy } from './strategy-mount.ts';

/** A Job reads the kubelet's folder of a pod's volume: a claim or an emptyDir. */
export const nodeStrategy: ClaimStrategy = {
  blocker: () => undefined,
  reading: (chosen) => readingOnNode(chosen) ?? readingByMount(chosen),
  begin: async () => new Map(),
  async prepare(v, { attempt }, ports) {
    const blocker = await hookOnce(v, attempt, ports);
    if (blocker !== undefined) return { blocker };
    const holder = await ports.locations.holder(v);
    if (v.podVolume && !holder)
      return { blocker: `its pod ${v.podVolume.pod} is gone, and its emptyDirs with it` };
    return { location: { holder } };
  },
  mount(v, location, context) {
    const { holder } = location;
    // No pod mounts the claim any more, so the Job can mount it.
    if (v.folder === undefined || holder === undefined) return mountStrategy.mount(v, location, context);
    const { settings, work, options } = context;
    const folder = folderPath(settings.jobs.kubeletDir, holder.podUid, v.folder);
    return {
      // The Job runs in Holdfast's namespace, because the application's may not allow hostPath volumes.
      namespace: SYSTEM_NAMESPACE,
      mount: { path: sourcePath(v), readOnly: true, folder },
      node: holder.node,
      ...rightsOver(v),
      backup: { args: backupArgs({ cluster: settings.cluster, run: work }, v, options) },
    };
  },
  // In Holdfast's namespace, one identity would need access to the repositories of all namespaces.
  identity: () => undefined,
  cleanUp: async () => undefined,
};

const folderPath = (kubeletDir: string, podUid: string, folder: string): string =>
  folder.startsWith('/') ? folder : `${kubeletDir}/pods/${podUid}/volumes/${folder}`;
