import { DUMP_ACCOUNT } from '../../contract/names.ts';
import { dumpArgs } from '../restic/restic.ts';
import type { Dump } from './dumps.ts';
import { hookOnce, type VolumeStrategy, type VolumeWork } from './strategy.ts';

/** Where restic is in its own image, and where in the Job of a dump. */
const RESTIC = '/usr/bin/restic';
const TOOLS = '/tools';
/** A user without rights: a dump needs none on files. */
const NOBODY = 65534;

/** A Job runs a command in a pod and backs up what it writes. No rule names it: a pod's annotation does. */
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
      // restic goes to kubectl, not the other way round: an image with kubectl need not hold anything else.
      tools: [{ name: 'restic', image: jobs.resticImage, command: ['cp', RESTIC, restic] }],
      backup: {
        args: dumpArgs({ cluster, run: work }, { ...v, pod }, execCommand(v, dump), options),
        within: { image: jobs.kubectlImage, restic },
      },
    };
  },
  // Its Job has an account already.
  identity: () => undefined,
  cleanUp: async () => undefined,
};

/** kubectl ends as the command ends: restic then knows whether what it got is whole. */
const execCommand = (v: VolumeWork, dump: Dump | undefined): string[] => [
  'kubectl',
  'exec',
  `--namespace=${v.namespace}`,
  `--container=${dump?.container}`,
  dump?.work.pod ?? '',
  '--',
  ...(dump?.command ?? []),
];
