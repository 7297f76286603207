import { DUMP_ACCOUNT } from '../../contract/names.ts';
import { dumpArgs } from '../restic/restic.ts';
import type { Dump } from './dumps.ts';
import { hookOnce, type VolumeStrategy, type VolumeWork } from './strategy.ts';

/** Path of restic in its own image, and folder of the copy in a dump Job. */
const RESTIC = '/usr/bin/restic';
const TOOLS = '/tools';
/** User id `nobody`: a dump Job reads no files. */
const NOBODY = 65534;

/** A Job runs a command in a pod and backs up its output. A pod annotation selects this strategy, not a rule. */
export const commandStrategy: VolumeStrategy = {
  begin: async () => new Map(),
  async prepare(v, { attempt }, ports) {
    const blocker = await hookOnce(v, attempt, ports);
    if (blocker !== undefined) return { blocker };
    const dump = await ports.locations.dump(v);
    return dump
      ? { location: { dump } }
      : { blocker: `no pod of ${v.dump?.workload} is running that has its command` };
  },
  mount(v, { dump }, { settings: { cluster, jobs }, work, options }) {
    const pod = dump?.work.pod ?? v.pod;
    const restic = `${TOOLS}/restic`;
    return {
      namespace: v.namespace,
      folders: [{ name: 'tools', path: TOOLS, from: 'empty' }],
      serviceAccount: DUMP_ACCOUNT,
      user: NOBODY,
      capabilities: [],
      // restic is copied into the kubectl image, so that this image needs nothing but kubectl.
      tools: [{ name: 'restic', image: jobs.resticImage, command: ['cp', RESTIC, restic] }],
      backup: {
        args: dumpArgs({ cluster, run: work }, { ...v, pod }, execCommand(v, dump), options),
        within: { image: jobs.kubectlImage, restic },
      },
    };
  },
  // Its Job already has a service account.
  identity: () => undefined,
  cleanUp: async () => undefined,
};

/** kubectl exits with the command's exit code, so restic detects an incomplete dump. */
const execCommand = (v: VolumeWork, dump: Dump | undefined): string[] => [
  'kubectl',
  'exec',
  `--namespace=${v.namespace}`,
  `--container=${dump?.container}`,
  dump?.work.pod ?? '',
  '--',
  ...(dump?.command ?? []),
];
