import type { VaultCopy } from '../../contract/copies.ts';
import { SYSTEM_NAMESPACE } from '../../contract/names.ts';
import type { ClusterSettings } from '../../contract/settings.ts';
import {
  CONTROL_PLANE,
  type ControlPlaneOutcome,
  type ControlPlaneWork,
  controlPlaneRun,
  ETCD_PATH,
  etcdOutcome,
  filesOutcome,
  filesPath,
  scratchOutcome,
  statusOutcome,
} from '../../core/backup/control-plane.ts';
import type { Work } from '../../core/backup/record.ts';
import { BACKUP_STEP, type JobFolder, type ResticJob } from '../../core/jobs/job-spec.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { repositoryIn } from '../../core/restic/repository.ts';
import { initArgs, restoreArgs, snapshotArgs } from '../../core/restic/restic.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';

/** One Job of the control plane: the status of etcd, its snapshot, a test restore of it, or the files of a node. */
export interface ControlPlaneItem {
  readonly id: string;
  readonly repository: string;
  readonly namespace: string;
  /** For the status: the endpoints that are asked. */
  readonly endpoints?: readonly string[];
  /** For the snapshot: the leader's endpoint. */
  readonly endpoint?: string;
  /** For the scratch server: the outcome of the snapshot. */
  readonly taken?: ControlPlaneOutcome;
  /** For files: the node. */
  readonly node?: string;
}

/** Results of earlier Jobs that later ones need. */
export interface Known {
  readonly leader?: string | undefined;
  /** The snapshot of etcd. */
  readonly taken?: ControlPlaneOutcome | undefined;
}

/** The Jobs to run. The snapshot of etcd needs the leader to be known; the scratch server needs the snapshot. */
export function itemsOf(
  work: ControlPlaneWork,
  keys: VaultKeys,
  { leader, taken }: Known = {},
): ControlPlaneItem[] {
  const repository = keys.restic.repository(CONTROL_PLANE);
  const common = { namespace: CONTROL_PLANE, repository };
  return [
    // It uses no repository, so it does not wait for one.
    ...(work.endpoints.length > 0
      ? [
          {
            ...common,
            id: 'etcd-status',
            repository: `${repository}/none`,
            endpoints: work.endpoints,
          },
        ]
      : []),
    ...(leader && work.endpoints.includes(leader) ? [{ ...common, id: 'etcd', endpoint: leader }] : []),
    ...(work.scratch && taken?.snapshot ? [{ ...common, id: 'etcd-scratch', taken }] : []),
    ...work.nodes.map((node) => ({ ...common, id: `files.${node}`, node })),
  ];
}

/** Mount path of the etcd client certificate. */
const TLS = '/etcd-tls';
const SCRATCH = '/scratch';
const SNAPSHOT = `${ETCD_PATH}/etcd.db`;

/** What the Jobs of one backup's control plane are built from. */
export interface ControlPlaneContext {
  readonly settings: ClusterSettings;
  readonly run: Pick<Work, 'backup' | 'plan'>;
  readonly work: ControlPlaneWork;
  /** The copy of the vault that backups are written to. */
  readonly copy: VaultCopy;
}

/** The Job of an item, on a control-plane node. `init`: whether it initialises the repository first. */
export function controlPlaneJob(
  { settings: s, run, work, copy }: ControlPlaneContext,
  item: ControlPlaneItem,
  init: boolean,
): ResticJob {
  const { etcdImage: image, tlsSecret, folder } = s.controlPlane;
  const step = repositoryIn(copy, item.repository);
  const common = {
    run: controlPlaneRun(run.backup),
    id: item.id,
    namespace: SYSTEM_NAMESPACE,
    settings: s.jobs,
    onControlPlane: true,
    // Only their owner may read private keys, and the owner may be other than root.
    capabilities: ['DAC_READ_SEARCH'],
  };
  const restic = (path: string, tag: string) => [
    ...(init ? [{ ...step, name: 'init', args: initArgs() }] : []),
    { ...step, name: BACKUP_STEP, args: snapshotArgs({ cluster: s.cluster, run }, [path], [tag]) },
  ];
  if (item.node) {
    const path = filesPath(item.node);
    const files: JobFolder = { name: 'files', path, from: { node: folder } };
    return { ...common, node: item.node, folders: [files], steps: restic(path, `node=${item.node}`) };
  }
  if (item.taken) return scratchJob({ settings: s, run }, item, item.taken, step);
  const tls: JobFolder = {
    name: 'tls',
    path: TLS,
    from: tlsSecret ? { secret: tlsSecret } : { node: folder },
  };
  const [node] = work.nodes;
  const onNode = node === undefined ? {} : { node };
  const client = ['etcdctl', '--command-timeout=10m', ...certificates(s), '--endpoints'];
  if (item.endpoints) {
    const command = [...client, item.endpoints.join(','), 'endpoint', 'status', '-w', 'json'];
    return { ...common, ...onNode, folders: [tls], steps: [{ name: 'leader', image, command }] };
  }
  return {
    ...common,
    ...onNode,
    folders: [
      tls,
      { name: 'snapshot', path: ETCD_PATH, from: 'empty' },
      { name: 'scratch', path: SCRATCH, from: 'empty' },
    ],
    steps: [
      ...(work.scratch
        ? [{ name: 'count', image, command: [...client, item.endpoint as string, ...COUNT] }]
        : []),
      {
        name: 'snapshot',
        image,
        command: [...client, item.endpoint as string, 'snapshot', 'save', SNAPSHOT],
      },
      { name: 'status', image, command: ['etcdutl', 'snapshot', 'status', SNAPSHOT, '-w', 'json'] },
      // Restoring into a data directory checks the hash and opens every page: it proves that a restore works.
      {
        name: 'verify',
        image,
        command: ['etcdutl', 'snapshot', 'restore', SNAPSHOT, '--data-dir', `${SCRATCH}/etcd`],
      },
      ...restic(ETCD_PATH, `etcd=${item.endpoint}`),
    ],
  };
}

const COUNT = ['get', '', '--from-key', '--count-only', '-w', 'fields'];

/** Deadline of the scratch server's Job: a server that does not start reports nothing. */
const SCRATCH_SECONDS = 1800;

/** The Job that restores the stored snapshot into a scratch server, reachable only in its pod, and counts its keys. */
function scratchJob(
  { settings: s, run }: Pick<ControlPlaneContext, 'settings' | 'run'>,
  item: ControlPlaneItem,
  { snapshot, counted }: ControlPlaneOutcome,
  step: { readonly repository: string; readonly region: string },
): ResticJob {
  const image = s.controlPlane.etcdImage;
  const data = `${SCRATCH}/etcd`;
  const ask = ['etcdctl', '--command-timeout=10m', '--endpoints', 'http://127.0.0.1:2379'];
  const args = restoreArgs(snapshot ?? '', ETCD_PATH, SCRATCH, []);
  return {
    run: controlPlaneRun(run.backup),
    id: item.id,
    namespace: SYSTEM_NAMESPACE,
    settings: { ...s.jobs, deadlineSeconds: Math.min(s.jobs.deadlineSeconds, SCRATCH_SECONDS) },
    capabilities: [],
    folders: [{ name: 'scratch', path: SCRATCH, from: 'empty' }],
    steps: [
      { ...step, name: 'fetch', args },
      {
        name: 'restore',
        image,
        command: ['etcdutl', 'snapshot', 'restore', `${SCRATCH}/etcd.db`, '--data-dir', data],
      },
      {
        name: 'server',
        image,
        command: [
          ...['etcd', '--data-dir', data, '--listen-client-urls', 'http://127.0.0.1:2379'],
          ...[
            '--advertise-client-urls',
            'http://127.0.0.1:2379',
            '--listen-peer-urls',
            'http://127.0.0.1:2380',
          ],
        ],
        serves: { ready: [...ask, 'endpoint', 'health'] },
      },
      { name: 'revision', image, command: [...ask, ...COUNT] },
      { name: 'keys', image, command: [...ask, ...COUNT, `--rev=${counted?.revision ?? 0}`] },
    ],
  };
}

/** Certificate flags of etcdctl: the keys of a kubernetes.io/tls Secret, or the files of the node. */
function certificates({ controlPlane }: ClusterSettings): string[] {
  const { tlsSecret, caFile, certFile, keyFile } = controlPlane;
  const [ca, cert, key] = tlsSecret ? ['ca.crt', 'tls.crt', 'tls.key'] : [caFile, certFile, keyFile];
  return ['--cacert', `${TLS}/${ca}`, '--cert', `${TLS}/${cert}`, '--key', `${TLS}/${key}`];
}

/** The outcome of an item, from the end of its Job. */
export function outcomeOf(item: ControlPlaneItem, end: JobEnd): ControlPlaneOutcome {
  if (item.endpoints) return statusOutcome(item.endpoints, end);
  if (item.taken) return scratchOutcome(item.taken, end);
  return item.endpoint ? etcdOutcome(item.endpoint, end) : filesOutcome(item.id, end);
}
