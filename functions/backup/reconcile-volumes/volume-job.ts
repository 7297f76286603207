import type { VaultCopy } from '../../contract/copies.ts';
import { DUMP_ACCOUNT, SYSTEM_NAMESPACE } from '../../contract/names.ts';
import type { ClusterSettings } from '../../contract/settings.ts';
import type { Work } from '../../core/backup/record.ts';
import { BACKUP_STEP, type ResticJob } from '../../core/jobs/job-spec.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { workName } from '../../core/kubernetes/run-labels.ts';
import { repositoryIn } from '../../core/restic/repository.ts';
import {
  backupArgs,
  DEFAULT_RESTIC,
  dumpArgs,
  EXIT,
  failure,
  initArgs,
  parseSummary,
  unlockArgs,
} from '../../core/restic/restic.ts';
import { sourcePath } from '../../core/restic/source.ts';
import type { Dump } from '../../core/volumes/dumps.ts';
import type { VolumeOutcome, WorkVolume } from '../../core/volumes/work.ts';
import type { Place, VolumeWork } from './place.ts';

/** Where restic is in its own image, and where in the Job of a dump. */
const RESTIC = '/usr/bin/restic';
const TOOLS = '/tools';
/** A user without rights: a dump needs none on files. */
const NOBODY = 65534;

/** The Job that backs one piece of data up, where it is now. `init`: makes the repository first. */
export function backupJob(
  s: ClusterSettings,
  work: Pick<Work, 'plan' | 'backup'>,
  v: VolumeWork,
  copy: VaultCopy,
  {
    init,
    place = {},
    attempt = 1,
  }: { readonly init: boolean; readonly place?: Place; readonly attempt?: number },
): ResticJob {
  const step = repositoryIn(copy, v.gate);
  const options = s.plans.find((p) => p.name === work.plan)?.restic ?? DEFAULT_RESTIC;
  const common = { run: work.backup, id: v.id, settings: s.jobs };
  const first = [
    ...(init ? [{ ...step, name: 'init', args: initArgs() }] : []),
    // The first attempt may have failed for the lock of a Job that was killed.
    ...(!init && attempt > 1 ? [{ ...step, name: 'unlock', args: unlockArgs() }] : []),
  ];
  if (v.dump) {
    const pod = place.dump?.work.pod ?? v.pod;
    const args = dumpArgs(s.cluster, work, { ...v, pod }, execCommand(v, place.dump), options);
    const restic = `${TOOLS}/restic`;
    return {
      ...common,
      namespace: v.namespace,
      // restic goes to kubectl, not the other way round: an image with kubectl need not hold anything else.
      steps: [
        ...first,
        { name: 'restic', image: s.jobs.resticImage, command: ['cp', RESTIC, restic] },
        { ...step, name: BACKUP_STEP, args, within: { image: s.jobs.kubectlImage, restic } },
      ],
      folders: [{ name: 'tools', path: TOOLS, from: 'empty' }],
      serviceAccount: DUMP_ACCOUNT,
      user: NOBODY,
      capabilities: [],
    };
  }
  const { holder } = place;
  const fromNode = v.strategy === 'node' && v.folder !== undefined && holder !== undefined;
  return {
    ...common,
    // A folder of the node is mounted in Holdfast's own namespace: the application's may not allow it.
    namespace: fromNode ? SYSTEM_NAMESPACE : v.namespace,
    steps: [...first, { ...step, name: BACKUP_STEP, args: backupArgs(s.cluster, work, v, options) }],
    mount: {
      path: sourcePath(v),
      readOnly: true,
      ...(fromNode
        ? { folder: folderPath(s.jobs.kubeletDir, holder.podUid, v.folder as string) }
        : claimOf(work.backup, v)),
    },
    ...(holder && { node: holder.node }),
    identity: identityOf(s, v),
    user: v.runAsUser,
    capabilities: v.runAsUser === undefined ? ['DAC_READ_SEARCH'] : [],
  };
}

/**
 * The account whose identity in AWS a Job has, where one is configured. Only of Jobs in the namespace whose repository they
 * write: in Holdfast's own namespace one identity would have to reach all of them, and a dump has an account already.
 */
export const identityOf = ({ jobs }: ClusterSettings, { strategy }: VolumeWork): string | undefined =>
  strategy === 'mount' || strategy === 'snapshot' ? jobs.backupServiceAccount : undefined;

const claimOf = (run: string, v: WorkVolume) =>
  v.strategy === 'snapshot' ? { pvc: workName(run, v.id), temporary: true } : { pvc: v.pvc as string };

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

/** Why the data of a Job cannot be reached any more; undefined when it can. */
export function outOfReach(v: VolumeWork, { holder, dump }: Place): string | undefined {
  if (v.podVolume && !holder) return `its pod ${v.podVolume.pod} is gone, and its emptyDirs with it`;
  if (v.dump && !dump) return `no pod of ${v.dump.workload} runs that has its command`;
  return undefined;
}

const folderPath = (kubeletDir: string, podUid: string, folder: string): string =>
  folder.startsWith('/') ? folder : `${kubeletDir}/pods/${podUid}/volumes/${folder}`;

/** What a Job's end says of its volume. Only exit code 0 with a snapshot is protected; 3 is partial; all else failed. */
export function volumeOutcome(v: WorkVolume, end: JobEnd): VolumeOutcome {
  const { id, namespace, pvc, podVolume, dump, volumeName, reclaimPolicy } = v;
  const of = {
    id,
    namespace,
    ...(pvc && { pvc }),
    ...(podVolume && { podVolume }),
    ...(dump && { dump }),
    ...(volumeName && { volumeName }),
    ...(reclaimPolicy && { reclaimPolicy }),
    seconds: end.seconds,
  };
  const summary = parseSummary(end.log);
  if (summary?.snapshot && (end.exitCode === EXIT.ok || end.exitCode === EXIT.incomplete)) {
    const { snapshot, files, bytes } = summary;
    if (end.exitCode === EXIT.ok) return { ...of, result: 'protected', snapshot, files, bytes };
    return {
      ...of,
      result: 'partial',
      snapshot,
      files,
      bytes,
      message: `restic could not read: ${summary.errors.join('; ') || 'some files'}`,
    };
  }
  return { ...of, result: 'failed', message: failure(end) };
}
