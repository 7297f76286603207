import type { ArchivedName } from '../backup/archive.ts';
import { isRecord, type JsonRecord, recordAt } from '../bytes/json-value.ts';
import { podPathOf } from '../kubernetes/pod-spec.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { type ArchivedPod, BASELINE, type PodCheck } from './pod-security.ts';
import { OddField, recordField, recordsField, textField } from './strict-fields.ts';

/** Groups of Kubernetes without pods. In every other group, any field may hold one. */
const WITHOUT_PODS =
  /^(autoscaling|(admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|flowcontrol\.apiserver|metrics|networking|node|rbac\.authorization|resource|scheduling|storage)\.k8s\.io)$/;

/** Why an object is held for the pods that it makes; undefined if it makes none, or ordinary ones. @throws OddField. */
export function podDanger(
  at: ArchivedName,
  object: KubeObject,
  system: string | undefined,
): string | undefined {
  const path = podPathOf(at.groupResource);
  if (!path) return mayHavePods(at) ? customDanger(object, system) : undefined;
  const spec = path.reduce<JsonRecord>(recordField, object);
  const holder = path.slice(0, -1).reduce<JsonRecord>(recordField, object);
  const pod = { spec, metadata: recordField(holder, 'metadata') };
  // The API server gives a pod its node, which a restore takes off; a template says it itself.
  const isPinned = path.length > 1 && textField(spec, 'nodeName') !== undefined;
  return (
    ofPod(pod, system) ?? (isPinned ? 'its pods choose their node past the scheduler (nodeName)' : undefined)
  );
}

function ofPod(pod: ArchivedPod, system: string | undefined): string | undefined {
  return ofChecks((check) => check.find(pod)) ?? (system && inSystem(system));
}

/** As `ofPod`, where a field of another type is no field of a pod: the schema is not known. */
function ofCustomPod(pod: ArchivedPod, system: string | undefined): string | undefined {
  const found = ofChecks((check) => {
    try {
      return check.find(pod);
    } catch (error) {
      if (error instanceof OddField) return undefined;
      throw error;
    }
  });
  return found ?? (system && inSystem(system));
}

function ofChecks(find: (check: Pick<PodCheck, 'find'>) => string | undefined): string | undefined {
  for (const check of [...BASELINE, INLINE]) {
    const found = find(check);
    if (found) return `its ${found}`;
  }
  return undefined;
}

const inSystem = (system: string): string =>
  `its pods run in ${system}, with the accounts of parts of the cluster`;

/** Drivers whose volumes in a pod bring a secret or a certificate, and no storage. */
const INLINE_DRIVERS: readonly string[] = [
  'secrets-store.csi.k8s.io',
  'secrets-store-gke.csi.k8s.io',
  'csi.cert-manager.io',
  'spiffe.csi.cert-manager.io',
  'csi.spiffe.io',
];

/** Not in `baseline`: a driver may mount any storage for a pod, also one of the node. */
const INLINE: Pick<PodCheck, 'find'> = {
  find: ({ spec }) => {
    for (const volume of recordsField(spec, 'volumes')) {
      if (volume.csi == null) continue;
      const driver = textField(recordField(volume, 'csi'), 'driver') ?? '';
      if (!INLINE_DRIVERS.includes(driver))
        return `pods have ${driver} mount a volume past every claim (inline csi)`;
    }
    return undefined;
  },
};

function mayHavePods({ groupResource }: ArchivedName): boolean {
  const dot = groupResource.indexOf('.');
  return dot >= 0 && !WITHOUT_PODS.test(groupResource.slice(dot + 1));
}

/** A custom resource may hold pods anywhere: each of its objects is looked at. */
function customDanger(object: KubeObject, system: string | undefined): string | undefined {
  const { metadata: _, status: __, ...rest } = object;
  const template = recordAt(rest, 'spec', 'template', 'spec');
  const found = template && ofTemplate(template, system);
  if (found) return found;
  const open: unknown[] = [rest];
  while (open.length > 0) {
    const value = open.pop();
    if (value === null || typeof value !== 'object') continue;
    const part = isRecord(value) ? ofPart(value, system) : undefined;
    if (part) return part;
    for (const inner of Object.values(value)) open.push(inner);
  }
  return undefined;
}

/** Fields that make a part of a custom resource the settings of pods, whose other fields then mean what they mean in a pod. */
const OF_PODS = ['containers', 'initContainers', 'volumes', 'securityContext', 'serviceAccountName'];
const HOST_FLAGS = ['hostPID', 'hostIPC', 'hostNetwork'];

/** What a part of a custom resource says, if it is a pod, a container, a volume or settings of one. */
function ofPart(part: JsonRecord, system: string | undefined): string | undefined {
  if (['containers', 'initContainers'].some((list) => isContainers(part[list])))
    return ofCustomPod({ spec: part, metadata: {} }, system);
  return OF_PODS.some((field) => part[field] != null) || part.hostPath != null
    ? ofTemplate(part, undefined)
    : undefined;
}

/** What is known to be of a pod in a record whose schema is not known. */
function ofTemplate(part: JsonRecord, system: string | undefined): string | undefined {
  const { hostPath, securityContext, containers } = part;
  if (Array.isArray(containers)) return ofCustomPod({ spec: part, metadata: {} }, system);
  const spec = {
    ...Object.fromEntries(HOST_FLAGS.filter((f) => part[f] === true).map((f) => [f, true])),
    ...(isRecord(hostPath) && typeof hostPath.path === 'string' && { volumes: [{ hostPath }] }),
    ...(isRecord(securityContext) && { containers: [{ securityContext }] }),
  };
  return Object.keys(spec).length > 0 ? ofCustomPod({ spec, metadata: {} }, undefined) : undefined;
}

const isContainers = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.some((c) => isRecord(c) && (typeof c.image === 'string' || typeof c.name === 'string'));
