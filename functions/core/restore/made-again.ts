import { fieldsOf, recordsIn, textOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { SLICE_MANAGER } from './not-restored.ts';

/** An owner of an archived object. */
export interface Owner {
  readonly uid: string;
  readonly controller: boolean;
  /** Type of the owner, if a built-in controller makes the object from it. */
  readonly maker?: string;
  /** Kind of the owner, if it is a maker. */
  readonly kind?: string;
}

const BATCH = 'batch';
const APPS = 'apps';
type Maker = readonly [group: string, kind: string, groupResource: string];
const DEPLOYMENT: Maker = [APPS, 'Deployment', 'deployments.apps'];
const REPLICA_SET: Maker = [APPS, 'ReplicaSet', 'replicasets.apps'];
const STATEFUL_SET: Maker = [APPS, 'StatefulSet', 'statefulsets.apps'];
const DAEMON_SET: Maker = [APPS, 'DaemonSet', 'daemonsets.apps'];
const JOB: Maker = [BATCH, 'Job', 'jobs.batch'];
const CRON_JOB: Maker = [BATCH, 'CronJob', 'cronjobs.batch'];
const REPLICATION: Maker = ['', 'ReplicationController', 'replicationcontrollers'];
const POD: Maker = ['', 'Pod', 'pods'];

/** What the controllers of Kubernetes itself make again, by type: the owners that they make it from. */
const MADE_FROM: ReadonlyMap<string, readonly Maker[]> = new Map([
  ['pods', [REPLICA_SET, STATEFUL_SET, DAEMON_SET, JOB, REPLICATION]],
  ['replicasets.apps', [DEPLOYMENT]],
  ['jobs.batch', [CRON_JOB]],
  ['controllerrevisions.apps', [STATEFUL_SET, DAEMON_SET]],
  [
    'endpointslices.discovery.k8s.io',
    [
      ['', 'Service', 'services'],
      ['', 'Endpoints', 'endpoints'],
    ],
  ],
  // Generic ephemeral volumes, and devices that a pod claims by a template.
  ['persistentvolumeclaims', [POD]],
  ['resourceclaims.resource.k8s.io', [POD]],
]);

/**
 * The owners of an object. At most its controller is a maker: an owner of the built-in type, by group and kind, whose
 * controller makes the object again. An operator's children have no maker: their owner may not make them again, or makes
 * them with another content.
 */
export function ownersOf(groupResource: string, { metadata }: KubeObject): readonly Owner[] {
  const all = recordsIn(metadata.ownerReferences);
  if (all.length === 0) return NONE;
  const makers = isMadeByHand(groupResource, metadata) ? [] : (MADE_FROM.get(groupResource) ?? []);
  return all.flatMap((reference): Owner[] => {
    const uid = textOf(reference.uid);
    if (uid === undefined) return [];
    const controller = reference.controller === true;
    const maker = controller ? makers.find((m) => isOf(m, reference)) : undefined;
    if (maker === POD && !isEphemeral(metadata.name, reference.name)) return [{ uid, controller }];
    return [{ uid, controller, ...(maker && { maker: maker[2], kind: maker[1] }) }];
  });
}
const NONE: readonly Owner[] = [];

/** The claim of an ephemeral volume is called like its pod and the volume. Pods also own claims that they asked for otherwise. */
const isEphemeral = (claim: unknown, pod: unknown): boolean => String(claim).startsWith(`${String(pod)}-`);

function isOf([group, kind]: Maker, { apiVersion, kind: actual }: Record<string, unknown>): boolean {
  const [first = '', version] = String(apiVersion).split('/');
  const of = version === undefined ? '' : first;
  // Until Kubernetes 1.16 the types of apps were in extensions as well.
  return actual === kind && (of === group || (of === 'extensions' && group === APPS));
}

/** Objects that have an owner of Kubernetes and yet were made by somebody: nothing makes them again. */
function isMadeByHand(groupResource: string, { labels, annotations }: KubeObject['metadata']): boolean {
  if (groupResource === 'jobs.batch')
    return fieldsOf(annotations)['cronjob.kubernetes.io/instantiate'] === 'manual';
  return (
    groupResource === 'endpointslices.discovery.k8s.io' &&
    textOf(fieldsOf(labels)[SLICE_MANAGER]) !== undefined
  );
}
