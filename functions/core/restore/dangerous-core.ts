import type { ArchivedName } from '../backup/archive.ts';
import { fieldsOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { entriesField, flagField, numberField, recordField, textField } from './strict-fields.ts';

const ENFORCE = 'pod-security.kubernetes.io/enforce';
/** Labels and annotations of a Namespace that take it out of a guard. */
const EXEMPTIONS: readonly RegExp[] = [
  /^admission\.gatekeeper\.sh\/ignore=/,
  /^openpolicyagent\.org\/webhook=ignore$/,
  /^cert-manager\.io\/disable-validation=true$/,
  /^openshift\.io\/run-level=/,
  /^security\.openshift\.io\/scc\.podSecurityLabelSync=false$/,
  /^resource\.(kubernetes\.io|k8s\.io)\/admin-access=/,
  /^iam\.amazonaws\.com\/(allowed-roles|permitted)=/,
  /(admission|webhook|gatekeeper|kyverno|policy|policies|connaisseur|kubewarden|validation)[^=]*=?.*(ignore|exempt|skip|bypass|disabled?)\b/i,
];

/** A Namespace in which a guard of the cluster does not look. @throws OddField. */
export function namespaceDanger({ metadata }: KubeObject): string | undefined {
  const all = [...entriesField(metadata, 'labels'), ...entriesField(metadata, 'annotations')].map(
    ([k, v]) => `${k}=${v}`,
  );
  if (all.includes(`${ENFORCE}=privileged`))
    return 'it lets pods seize their node (Pod Security level privileged)';
  const exempt = all.find((entry) => EXEMPTIONS.some((pattern) => pattern.test(entry)));
  return exempt && `it takes its objects out of a guard of the cluster (${exempt})`;
}

/** Levels of Pod Security, from the one that lets everything through. Without a label, the default of the cluster holds. */
const LEVELS: readonly unknown[] = ['privileged', undefined, 'baseline', 'restricted'];

/** Whether an update would lower the Pod Security level of a Namespace; from which to which. */
export function loweredLevel(live: KubeObject, wanted: KubeObject): string | undefined {
  const [from, to] = [live, wanted].map(({ metadata }) => fieldsOf(metadata.labels)[ENFORCE]);
  return LEVELS.indexOf(to) < LEVELS.indexOf(from)
    ? `from ${String(from)} to ${String(to ?? 'none')}`
    : undefined;
}

/** @throws OddField. */
export function priorityDanger(object: KubeObject): string | undefined {
  if (flagField(object, 'globalDefault'))
    return 'it is the priority of every pod that names none (globalDefault)';
  const value = numberField(object, 'value') ?? 0;
  return value >= SYSTEM_PRIORITY ? `its pods drive out those of everybody else (value ${value})` : undefined;
}
/** From here on up, priorities are those of parts of the cluster, and the last below. */
const SYSTEM_PRIORITY = 1_000_000_000;

/** A definition whose objects are sent to a webhook. @throws OddField. */
export function definitionDanger(object: KubeObject): string | undefined {
  const conversion = recordField(recordField(object, 'spec'), 'conversion');
  const strategy = textField(conversion, 'strategy') ?? 'None';
  return strategy === 'None' && conversion.webhook == null && conversion.webhookClientConfig == null
    ? undefined
    : 'its webhook can read and change every object of the type (conversion)';
}

const TOKENS = ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'];

/** @throws OddField. */
export function secretDanger(object: KubeObject, system: string | undefined): string | undefined {
  const type = textField(object, 'type') ?? '';
  if (type === TOKENS[1]) return 'it admits nodes to the cluster (bootstrap token)';
  if (!system || type !== TOKENS[0]) return undefined;
  const account = new Map(entriesField(object.metadata, 'annotations')).get(
    'kubernetes.io/service-account.name',
  );
  return `it is a token of ${system}/${account}, an account of a part of the cluster`;
}

/** ConfigMaps of system namespaces, by name, with what they decide. */
const CONFIGURATION: ReadonlyMap<string, string> = new Map([
  ['aws-auth', 'it makes AWS roles users and groups of the cluster'],
  ['coredns', 'it answers the names of the whole cluster'],
  ['coredns-custom', 'it answers the names of the whole cluster'],
  ['kube-dns', 'it answers the names of the whole cluster'],
  ['node-local-dns', 'it answers the names of the whole cluster'],
  ['kube-proxy', 'it directs the traffic of every Service'],
  ['cluster-info', 'it says to new nodes which cluster to trust'],
  ['extension-apiserver-authentication', 'it says which client certificates API servers trust'],
]);

export function configDanger({ name }: ArchivedName, system: string | undefined): string | undefined {
  return system && (CONFIGURATION.get(name) ?? `it configures what runs in ${system}`);
}

const CLOUD_IDENTITY =
  /^(eks\.amazonaws\.com\/role-arn|iam\.amazonaws\.com\/role|iam\.gke\.io\/gcp-service-account|azure\.workload\.identity\/client-id)$/;

/** An account of a part of the cluster with a role of the cloud. @throws OddField. */
export function accountDanger({ metadata }: KubeObject, system: string | undefined): string | undefined {
  const identity = entriesField(metadata, 'annotations').find(([name]) => CLOUD_IDENTITY.test(name));
  return system && identity && `it gives a role of the cloud to an account of ${system} (${identity[1]})`;
}
