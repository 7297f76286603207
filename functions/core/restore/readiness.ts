import type { ArchivedName } from '../backup/archive.ts';
import { recordAt, recordOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { type ClaimClasses, claimReadiness } from './claim-readiness.ts';
import { conditionOf, isTrue, numberOf, textOr } from './conditions.ts';
import { podReadiness } from './pod-readiness.ts';

type Readiness = (object: KubeObject, classes: ClaimClasses | undefined) => string | undefined;

/** How objects of a type are ready, by group and resource. All other types are ready when they are there. */
const BY_TYPE: Readonly<Record<string, Readiness>> = {
  'deployments.apps': deploymentReadiness,
  'statefulsets.apps': statefulSetReadiness,
  'daemonsets.apps': daemonSetReadiness,
  'replicasets.apps': replicasReadiness,
  replicationcontrollers: replicasReadiness,
  pods: podReadiness,
  'jobs.batch': jobReadiness,
  persistentvolumeclaims: claimReadiness,
  namespaces: namespaceReadiness,
  'customresourcedefinitions.apiextensions.k8s.io': definitionReadiness,
  'apiservices.apiregistration.k8s.io': apiServiceReadiness,
};

/** Whether objects of a type can be there and not ready. */
export const becomesReady = ({ groupResource }: Pick<ArchivedName, 'groupResource'>): boolean =>
  Object.hasOwn(BY_TYPE, groupResource);

/**
 * Why an object is not ready, in words: `0 of 2 ready`, `Pending: 0/1 nodes are available`. Undefined if it is ready, or of a type
 * that is always ready. Its fields may have any type. `classes`: the cluster's storage classes, if they are known.
 */
export function readiness(
  { groupResource }: Pick<ArchivedName, 'groupResource'>,
  object: KubeObject,
  classes?: ClaimClasses,
): string | undefined {
  return becomesReady({ groupResource }) ? BY_TYPE[groupResource]?.(object, classes) : undefined;
}

const UNSEEN = 'its controller has not seen its newest generation';

/** Whether the controller of an object has not seen its present form yet. */
const isUnseen = ({ metadata, status }: KubeObject): boolean =>
  numberOf(recordOf(status)?.observedGeneration, 0) < numberOf(recordOf(metadata)?.generation, 0);

/** The ready and up-to-date pods of a workload beside those that it should have, and why there are fewer. */
function ofWanted(
  wanted: number,
  ready: number,
  updated: number,
  why: string | undefined,
): string | undefined {
  if (ready >= wanted && updated >= wanted) return undefined;
  const count = ready < wanted ? `${ready} of ${wanted} ready` : `${updated} of ${wanted} updated`;
  return why === undefined ? count : `${count}: ${why}`;
}

/** The message of a condition that tells of a failure, such as a full quota. */
const failureOf = (object: KubeObject): string | undefined => {
  const failure = conditionOf(object, 'ReplicaFailure');
  if (isTrue(failure)) return textOr(failure?.message, failure?.reason);
  const progressing = conditionOf(object, 'Progressing');
  return progressing?.status === 'False' ? textOr(progressing.message, progressing.reason) : undefined;
};

function deploymentReadiness(object: KubeObject): string | undefined {
  const [spec, status] = [recordOf(object.spec), recordOf(object.status)];
  const wanted = numberOf(spec?.replicas, 1);
  const ready = numberOf(status?.readyReplicas, 0);
  const isPaused = spec?.paused === true;
  const updated = isPaused ? wanted : numberOf(status?.updatedReplicas, 0);
  const why = isPaused ? 'the Deployment is paused' : failureOf(object);
  if (isUnseen(object)) return UNSEEN;
  return ofWanted(wanted, ready, updated, why);
}

/** Pods of a partition, or of the strategy OnDelete, stay as they are on purpose. */
function statefulSetReadiness(object: KubeObject): string | undefined {
  const [spec, status] = [recordOf(object.spec), recordOf(object.status)];
  const wanted = numberOf(spec?.replicas, 1);
  const ready = numberOf(status?.readyReplicas, 0);
  const strategy = recordOf(spec?.updateStrategy);
  const rollsOut =
    strategy?.type !== 'OnDelete' && numberOf(recordAt(strategy, 'rollingUpdate')?.partition, 0) === 0;
  const isOld = rollsOut && status?.updateRevision !== status?.currentRevision;
  if (isUnseen(object)) return UNSEEN;
  return ofWanted(wanted, ready, isOld ? numberOf(status?.updatedReplicas, 0) : wanted, failureOf(object));
}

function daemonSetReadiness(object: KubeObject): string | undefined {
  const [spec, status] = [recordOf(object.spec), recordOf(object.status)];
  const wanted = numberOf(status?.desiredNumberScheduled, 0);
  const ready = numberOf(status?.numberReady, 0);
  const rollsOut = recordOf(spec?.updateStrategy)?.type !== 'OnDelete';
  if (isUnseen(object)) return UNSEEN;
  return ofWanted(wanted, ready, rollsOut ? numberOf(status?.updatedNumberScheduled, 0) : wanted, undefined);
}

function replicasReadiness(object: KubeObject): string | undefined {
  const wanted = numberOf(recordOf(object.spec)?.replicas, 1);
  const ready = numberOf(recordOf(object.status)?.readyReplicas, 0);
  if (isUnseen(object)) return UNSEEN;
  return ofWanted(wanted, ready, wanted, failureOf(object));
}

/** A Job is ready when its pods run. Its end is not waited for. */
function jobReadiness(object: KubeObject): string | undefined {
  const [spec, status] = [recordOf(object.spec), recordOf(object.status)];
  const failed = conditionOf(object, 'Failed');
  if (isTrue(failed)) return `Failed: ${textOr(failed?.message, failed?.reason) ?? 'no reason is given'}`;
  const isOfOther = typeof spec?.managedBy === 'string' && spec.managedBy !== 'kubernetes.io/job-controller';
  if (isTrue(conditionOf(object, 'Complete')) || spec?.suspend === true || isOfOther) return undefined;
  if (spec?.parallelism === 0 || spec?.completions === 0) return undefined;
  const active = numberOf(status?.active, 0);
  if (numberOf(status?.ready, 0) > 0 || numberOf(status?.succeeded, 0) > 0) return undefined;
  if (active === 0) return numberOf(status?.failed, 0) > 0 ? 'its pods fail' : 'it has no pods yet';
  return `0 of ${active} pods run`;
}

function namespaceReadiness({ metadata, status }: KubeObject): string | undefined {
  const isGoing =
    recordOf(status)?.phase === 'Terminating' || recordOf(metadata)?.deletionTimestamp !== undefined;
  return isGoing ? 'Terminating' : undefined;
}

function definitionReadiness(object: KubeObject): string | undefined {
  const accepted = conditionOf(object, 'NamesAccepted');
  if (accepted?.status === 'False') return `its names are not accepted: ${textOr(accepted.message) ?? ''}`;
  const established = conditionOf(object, 'Established');
  if (isTrue(established)) return undefined;
  return `not established${established ? `: ${textOr(established.message, established.reason) ?? ''}` : ''}`;
}

/** An API that the API server itself serves has no service. */
function apiServiceReadiness(object: KubeObject): string | undefined {
  const available = conditionOf(object, 'Available');
  if (recordAt(object, 'spec', 'service') === undefined || isTrue(available)) return undefined;
  return `not available${available ? `: ${textOr(available.message, available.reason) ?? ''}` : ''}`;
}
