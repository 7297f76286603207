import { plainText } from '../kubernetes/plain-text.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { commandOf } from './hooks.ts';
import type { WorkVolume } from './work.ts';

/** Pod annotations: a command whose output is backed up, its container, and the file name of the output. */
const COMMAND = 'holdfast.io/backup-command';
const CONTAINER = `${COMMAND}-container`;
const FILE = `${COMMAND}-file`;

/** A command in a pod whose output is backed up. */
export interface Dump {
  readonly work: WorkVolume & { readonly pod: string };
  readonly container: string;
  readonly command: readonly string[];
}

const runs = ({ status, metadata }: KubeObject): boolean =>
  status?.phase === 'Running' && !metadata.deletionTimestamp;

/** A name of Kubernetes. An owner that a pod names may have any other: the API server does not ask whether it exists. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/**
 * The stable name of a pod's workload: the ReplicaSet's name without its hash, so that a rollout keeps the same dump. For
 * other pods the pod's name.
 */
function workloadOf({ metadata: { name, labels, ownerReferences } }: KubeObject): string {
  const owner = ownerReferences?.find((o) => o.controller);
  const hash = labels?.['pod-template-hash'];
  if (owner?.kind !== 'ReplicaSet') return name;
  const workload =
    hash && owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : owner.name;
  return NAME.test(workload) ? workload : name;
}

/**
 * The dump commands of pods, one per workload. All replicas of a ReplicaSet have the same output, so the first running one is
 * used. An invalid command is a problem, because its data would be missing.
 */
export function dumpsOf(pods: readonly KubeObject[]): {
  readonly dumps: Dump[];
  readonly problems: string[];
} {
  const problems: string[] = [];
  const dumps = new Map<string, Dump>();
  const down = new Map<string, string>();
  for (const pod of [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const { name, namespace = '', annotations = {} } = pod.metadata;
    const text = annotations[COMMAND];
    if (!text || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue;
    const workload = workloadOf(pod);
    const id = `${namespace}._${workload}`;
    if (dumps.has(id)) continue;
    const what = `pod ${namespace}/${name}: ${COMMAND}`;
    const command = text.startsWith('[') ? commandOf(text) : ['/bin/sh', '-c', text];
    const containers = ((pod.spec?.containers ?? []) as { name: string }[]).map((c) => c.name);
    const container = annotations[CONTAINER] ?? containers[0] ?? '';
    const file = annotations[FILE] ?? 'dump';
    if (!command) problems.push(`${what} is not a JSON list of strings: ${plainText(text)}`);
    else if (!containers.includes(container))
      problems.push(`${what} names the container "${plainText(container)}", which the pod does not have`);
    else if (!/^[\w][-.\w]{0,199}$/.test(file))
      problems.push(`${what} names the file "${plainText(file)}"; write one like dump.sql`);
    else if (runs(pod)) {
      dumps.set(id, {
        work: {
          id,
          namespace,
          dump: { workload, file },
          pod: name,
          strategy: 'command',
        },
        container,
        command,
      });
    } else
      down.set(
        id,
        `${what} cannot run: the pod is ${pod.metadata.deletionTimestamp ? 'terminating' : (pod.status?.phase ?? 'Pending')}`,
      );
  }
  for (const [id, message] of down) if (!dumps.has(id)) problems.push(message);
  return { dumps: [...dumps.values()], problems };
}
