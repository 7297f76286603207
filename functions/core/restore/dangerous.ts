import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { fieldsOf, type JsonRecord, recordsIn, textsIn } from '../bytes/json-value.ts';
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
  if (type === 'persistentvolumes') return volumeDanger(object);
  const pod = podSpecOf(at, object);
  return pod && podDanger(pod);
}

function bindingDanger({ roleRef, subjects }: KubeObject): string | undefined {
  if (fieldsOf(roleRef).name === 'cluster-admin') return 'it grants cluster-admin';
  return recordsIn(subjects).some((s) => s.kind === 'Group' && s.name === 'system:masters')
    ? 'it names the group system:masters'
    : undefined;
}

const ESCALATING = ['escalate', 'bind', 'impersonate'];

function roleDanger({ rules }: KubeObject): string | undefined {
  for (const rule of recordsIn(rules)) {
    const [verbs, groups, resources] = [rule.verbs, rule.apiGroups, rule.resources].map(textsIn) as [
      string[],
      string[],
      string[],
    ];
    const all = verbs.includes('*');
    if (all && groups.includes('*') && resources.includes('*')) return 'it allows everything';
    const escalating = verbs.find((v) => ESCALATING.includes(v)) ?? (all && impliedVerb(groups, resources));
    if (escalating) return `it allows the verb ${escalating}`;
  }
  return undefined;
}

/** Where an escalating verb has an effect. The verb `*` includes it. */
const EFFECTIVE: readonly (readonly [verb: string, group: string, resources: readonly string[]])[] = [
  ['escalate', RBAC, ['roles', 'clusterroles']],
  ['impersonate', '', ['users', 'groups', 'serviceaccounts']],
  ['impersonate', 'authentication.k8s.io', ['uids', 'userextras']],
];

function impliedVerb(groups: readonly string[], resources: readonly string[]): string | undefined {
  const names = resources.map((r) => r.split('/')[0] as string);
  return EFFECTIVE.find(
    ([, group, of]) =>
      (groups.includes(group) || groups.includes('*')) && names.some((n) => n === '*' || of.includes(n)),
  )?.[0];
}

function podDanger({ fields, volumes, containers, initContainers }: PodSpec): string | undefined {
  for (const field of ['hostPID', 'hostIPC', 'hostNetwork'] as const)
    if (fields[field]) return `its pods use host namespaces (${field})`;
  const path = volumes.find((v) => v.hostPath);
  if (path) return `its pods mount a hostPath (volume ${path.name})`;
  const privileged = [...containers, ...initContainers].find((c) => fieldsOf(c.securityContext).privileged);
  return privileged && `its container ${privileged.name} is privileged`;
}

/** A volume is a way around the check of pods: they mount the path of a node as a claim. */
function volumeDanger({ spec }: KubeObject): string | undefined {
  const source = (['hostPath', 'local'] as const).find((s) => (spec as JsonRecord | undefined)?.[s] != null);
  return source && `it is a path of a node (${source})`;
}
