import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { matchesGlob } from '../kubernetes/patterns.ts';
import { type PodSpec, podSpecOf } from '../kubernetes/pod-spec.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/**
 * Why an object is held for approval: it is privileged, and an attacker who can write to a backup could take over the
 * cluster with it. Undefined if it is not privileged, or if `allow` of the restore names it.
 */
export function holdReason(
  at: ArchivedName,
  object: KubeObject,
  options: RestoreOptions,
): string | undefined {
  const reason = danger(at, object);
  if (!reason) return undefined;
  const name = allowName(at);
  if ((options.allow ?? []).some((pattern) => matchesGlob(pattern, name))) return undefined;
  return `${reason}; to restore it, set "allow": ["${name}"]`;
}

/** `plural.group/namespace/name`, or `plural.group/name` for cluster-scoped objects. */
const allowName = (at: ArchivedName): string =>
  [at.groupResource, ...(at.namespace === undefined ? [] : [at.namespace]), at.name].join('/');

const RBAC = 'rbac.authorization.k8s.io';
const HOOKS = 'webhookconfigurations.admissionregistration.k8s.io';

function danger(at: ArchivedName, object: KubeObject): string | undefined {
  const type = at.groupResource;
  if (type === `mutating${HOOKS}` || type === `validating${HOOKS}`)
    return 'it can read and change every API request';
  if (type === 'apiservices.apiregistration.k8s.io')
    return 'it serves API requests in place of the API server';
  if (type === `clusterrolebindings.${RBAC}` || type === `rolebindings.${RBAC}`) return bindingDanger(object);
  if (type === `clusterroles.${RBAC}` || type === `roles.${RBAC}`) return roleDanger(object);
  const pod = podSpecOf(object);
  return pod && podDanger(pod);
}

function bindingDanger(object: KubeObject): string | undefined {
  const role = (object.roleRef as { name?: string } | undefined)?.name;
  if (role === 'cluster-admin') return 'it grants cluster-admin';
  const subjects = (object.subjects ?? []) as { kind?: string; name?: string }[];
  return subjects.some((s) => s.kind === 'Group' && s.name === 'system:masters')
    ? 'it names the group system:masters'
    : undefined;
}

interface Rule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
}

function roleDanger(object: KubeObject): string | undefined {
  for (const { verbs = [], apiGroups = [], resources = [] } of (object.rules ?? []) as Rule[]) {
    if (verbs.includes('*') && apiGroups.includes('*') && resources.includes('*'))
      return 'it allows everything';
    const escalating = verbs.find((v) => ['escalate', 'bind', 'impersonate'].includes(v));
    if (escalating) return `it allows the verb ${escalating}`;
  }
  return undefined;
}

function podDanger(pod: PodSpec): string | undefined {
  for (const field of ['hostPID', 'hostIPC', 'hostNetwork'] as const)
    if (pod[field]) return `its pods use host namespaces (${field})`;
  const path = pod.volumes?.find((v) => v.hostPath);
  if (path) return `its pods mount a hostPath (volume ${path.name})`;
  const privileged = [...(pod.containers ?? []), ...(pod.initContainers ?? [])].find(
    (c) => c.securityContext?.privileged,
  );
  return privileged && `its container ${privileged.name} is privileged`;
}
