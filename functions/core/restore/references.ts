import type { ArchivedName } from '../backup/archive.ts';
import { fieldsOf, type JsonRecord, recordsIn, textOf, textsIn } from '../bytes/json-value.ts';
import { type PodSpec, podSpecOf } from '../kubernetes/pod-spec.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/** An object by its type, namespace and name, in whatever version: what a reference to it says. */
export const placeOf = (groupResource: string, namespace: string | undefined, name: string): string =>
  `${groupResource}/${namespace ?? ''}/${name}`;

/** Types of the places that only references have, see `aliasesOf`. */
const TEMPLATE = 'claims of the template';
const LABELLED = 'cluster roles with the label';
const GRANTS = 'bindings to the account';
/** In place of an account: every account of its namespace. */
const ALL = '*';

const RBAC = 'rbac.authorization.k8s.io';
const ACCOUNTS = 'serviceaccounts';
const STORAGE_CLASSES = 'storageclasses.storage.k8s.io';
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** Names an object that another one needs. Ignores everything that is not a name. */
type Add = (groupResource: string, name: unknown, namespace?: unknown) => void;
type Finder = (object: KubeObject, add: Add, inCluster: Add) => void;

const FINDERS: ReadonlyMap<string, Finder> = new Map<string, Finder>([
  [ACCOUNTS, inAccount],
  [
    'persistentvolumeclaims',
    ({ metadata, spec }, add, inCluster) => inClaim({ metadata, spec }, add, inCluster),
  ],
  ['persistentvolumes', inVolume],
  ['statefulsets.apps', inStatefulSet],
  [`rolebindings.${RBAC}`, inBinding],
  [`clusterrolebindings.${RBAC}`, inBinding],
  [`clusterroles.${RBAC}`, inAggregate],
  ['ingresses.networking.k8s.io', inIngress],
  ['gateways.gateway.networking.k8s.io', inGateway],
  [STORAGE_CLASSES, inStorageClass],
  ['resourceclaims.resource.k8s.io', ({ spec }, _, inCluster) => inDevices(fieldsOf(spec), inCluster)],
  [
    'resourceclaimtemplates.resource.k8s.io',
    ({ spec }, _, inCluster) => inDevices(fieldsOf(fieldsOf(spec).spec), inCluster),
  ],
  [
    'volumesnapshots.snapshot.storage.k8s.io',
    ({ spec }, _, inCluster) =>
      inCluster('volumesnapshotclasses.snapshot.storage.k8s.io', fieldsOf(spec).volumeSnapshotClassName),
  ],
]);

/**
 * Places of the objects that an object names and needs in order to work: accounts, Secrets, ConfigMaps and claims of its
 * pods, the role of a binding, the class of a claim. By type, not by kind.
 */
export function referencesOf(at: ArchivedName, object: KubeObject): string[] {
  const found = new Set<string>();
  const add: Add = (groupResource, name, namespace = at.namespace) => {
    const text = textOf(name);
    if (text) found.add(placeOf(groupResource, textOf(namespace), text));
  };
  const inCluster: Add = (groupResource, name) => {
    const text = textOf(name);
    if (text) found.add(placeOf(groupResource, undefined, text));
  };
  const pod = podSpecOf(at, object);
  if (pod) inPod(pod, add, inCluster);
  FINDERS.get(at.groupResource)?.(object, add, inCluster);
  return [...found];
}

function inPod({ fields, volumes, ...lists }: PodSpec, add: Add, inCluster: Add): void {
  add(ACCOUNTS, textOf(fields.serviceAccountName) ?? textOf(fields.serviceAccount) ?? 'default');
  for (const secret of recordsIn(fields.imagePullSecrets)) add('secrets', secret.name);
  inCluster('priorityclasses.scheduling.k8s.io', fields.priorityClassName);
  inCluster('runtimeclasses.node.k8s.io', fields.runtimeClassName);
  for (const claim of recordsIn(fields.resourceClaims)) {
    add('resourceclaims.resource.k8s.io', claim.resourceClaimName);
    add('resourceclaimtemplates.resource.k8s.io', claim.resourceClaimTemplateName);
  }
  for (const volume of volumes) inPodVolume(volume, add, inCluster);
  for (const { env, envFrom } of [...lists.initContainers, ...lists.containers]) {
    for (const { secretRef, configMapRef } of recordsIn(envFrom)) {
      add('secrets', fieldsOf(secretRef).name);
      add('configmaps', fieldsOf(configMapRef).name);
    }
    for (const { secretKeyRef, configMapKeyRef } of recordsIn(env).map((e) => fieldsOf(e.valueFrom))) {
      add('secrets', fieldsOf(secretKeyRef).name);
      add('configmaps', fieldsOf(configMapKeyRef).name);
    }
  }
}

function inPodVolume(volume: JsonRecord, add: Add, inCluster: Add): void {
  const of = (source: string) => fieldsOf(volume[source]);
  add('secrets', of('secret').secretName);
  add('secrets', of('azureFile').secretName);
  add('configmaps', of('configMap').name);
  add('persistentvolumeclaims', of('persistentVolumeClaim').claimName);
  // csi, and the sources of storage that older versions mount without a driver.
  for (const source of Object.values(volume).map(fieldsOf)) {
    add('secrets', fieldsOf(source.secretRef).name);
    add('secrets', fieldsOf(source.nodePublishSecretRef).name);
  }
  for (const { secret, configMap, clusterTrustBundle } of recordsIn(of('projected').sources)) {
    add('secrets', fieldsOf(secret).name);
    add('configmaps', fieldsOf(configMap).name);
    inCluster('clustertrustbundles.certificates.k8s.io', fieldsOf(clusterTrustBundle).name);
  }
  inClaim(fieldsOf(of('ephemeral').volumeClaimTemplate), add, inCluster);
}

function inAccount({ metadata, secrets, imagePullSecrets }: KubeObject, add: Add): void {
  add(GRANTS, metadata.name);
  add(GRANTS, ALL);
  for (const { name } of [...recordsIn(secrets), ...recordsIn(imagePullSecrets)]) add('secrets', name);
}

/** Of a claim, or of the template of one. */
function inClaim({ metadata, spec }: JsonRecord, _: Add, inCluster: Add): void {
  for (const name of storageClassesOf({ metadata, spec })) inCluster(STORAGE_CLASSES, name);
  inCluster('volumeattributesclasses.storage.k8s.io', fieldsOf(spec).volumeAttributesClassName);
  inCluster('persistentvolumes', fieldsOf(spec).volumeName);
}

/** The storage class of a claim, a volume or a template of claims: in its spec, and where old ones have it. */
export function storageClassesOf({ metadata, spec }: JsonRecord): string[] {
  const names = [fieldsOf(spec).storageClassName, fieldsOf(fieldsOf(metadata).annotations)[BETA_CLASS]];
  return textsIn(names).filter(Boolean);
}

function inVolume({ metadata, spec }: KubeObject, add: Add, inCluster: Add): void {
  for (const name of storageClassesOf({ metadata, spec })) inCluster(STORAGE_CLASSES, name);
  inCluster('volumeattributesclasses.storage.k8s.io', fieldsOf(spec).volumeAttributesClassName);
  for (const source of Object.values(fieldsOf(spec)).map(fieldsOf))
    for (const [field, value] of Object.entries(source))
      if (/[sS]ecretRef$/.test(field)) add('secrets', fieldsOf(value).name, fieldsOf(value).namespace);
}

function inStatefulSet({ metadata, spec }: KubeObject, add: Add, inCluster: Add): void {
  add('services', fieldsOf(spec).serviceName);
  for (const template of recordsIn(fieldsOf(spec).volumeClaimTemplates)) {
    inClaim(template, add, inCluster);
    add(TEMPLATE, `${String(fieldsOf(template.metadata).name)}-${metadata.name}`);
  }
}

function inBinding({ roleRef }: KubeObject, add: Add, inCluster: Add): void {
  const { kind, name } = fieldsOf(roleRef);
  if (kind === 'Role') add(`roles.${RBAC}`, name);
  else inCluster(`clusterroles.${RBAC}`, name);
}

/** The roles that are aggregated in one. The built-in ones are in every cluster, so they bring nothing along. */
function inAggregate({ metadata, aggregationRule }: KubeObject, _: Add, inCluster: Add): void {
  if (fieldsOf(metadata.labels)['kubernetes.io/bootstrapping'] !== undefined) return;
  for (const { matchLabels } of recordsIn(fieldsOf(aggregationRule).clusterRoleSelectors))
    for (const [key, value] of Object.entries(fieldsOf(matchLabels)).slice(0, 1))
      inCluster(LABELLED, `${key}=${value}`);
}

function inIngress({ metadata, spec }: KubeObject, add: Add, inCluster: Add): void {
  const { ingressClassName, tls, rules, defaultBackend } = fieldsOf(spec);
  inCluster('ingressclasses.networking.k8s.io', ingressClassName);
  inCluster(
    'ingressclasses.networking.k8s.io',
    fieldsOf(metadata.annotations)['kubernetes.io/ingress.class'],
  );
  for (const { secretName } of recordsIn(tls)) add('secrets', secretName);
  const paths = recordsIn(rules).flatMap((rule) => recordsIn(fieldsOf(rule.http).paths));
  for (const backend of [fieldsOf(defaultBackend), ...paths.map((p) => fieldsOf(p.backend))])
    add('services', fieldsOf(backend.service).name);
}

function inGateway({ spec }: KubeObject, add: Add, inCluster: Add): void {
  const { gatewayClassName, listeners } = fieldsOf(spec);
  inCluster('gatewayclasses.gateway.networking.k8s.io', gatewayClassName);
  for (const { tls } of recordsIn(listeners))
    for (const { kind = 'Secret', name, namespace } of recordsIn(fieldsOf(tls).certificateRefs))
      if (kind === 'Secret') add('secrets', name, namespace);
}

function inStorageClass({ parameters }: KubeObject, add: Add): void {
  const all = fieldsOf(parameters);
  for (const [field, name] of Object.entries(all)) {
    const stem = /^(csi\.storage\.k8s\.io\/.*secret-)name$/.exec(field)?.[1];
    if (stem) add('secrets', name, all[`${stem}namespace`]);
  }
}

function inDevices({ devices }: JsonRecord, inCluster: Add): void {
  for (const request of recordsIn(fieldsOf(devices).requests))
    for (const one of [request, fieldsOf(request.exactly), ...recordsIn(request.firstAvailable)])
      inCluster('deviceclasses.resource.k8s.io', one.deviceClassName);
}

/**
 * Further places under which references find an object: a claim under the template that it was made from, a ClusterRole
 * under its labels, a binding under the accounts that it grants to.
 */
export function aliasesOf({ groupResource, namespace, name }: ArchivedName, object: KubeObject): string[] {
  if (groupResource === 'persistentvolumeclaims') {
    const stem = /^(.+)-\d+$/.exec(name)?.[1];
    return stem === undefined ? [] : [placeOf(TEMPLATE, namespace, stem)];
  }
  if (groupResource === `clusterroles.${RBAC}`)
    return Object.entries(fieldsOf(object.metadata.labels)).map(([k, v]) =>
      placeOf(LABELLED, undefined, `${k}=${v}`),
    );
  if (groupResource !== `clusterrolebindings.${RBAC}` && groupResource !== `rolebindings.${RBAC}`) return [];
  return recordsIn(object.subjects).flatMap((subject) => {
    const subjectName = textOf(subject.name) ?? '';
    if (subject.kind === 'ServiceAccount')
      return [placeOf(GRANTS, textOf(subject.namespace) ?? namespace, subjectName)];
    const [, of, account] = /^system:serviceaccounts?:([^:]+)(?::([^:]+))?$/.exec(subjectName) ?? [];
    if (subject.kind === 'User' && account) return [placeOf(GRANTS, of, account)];
    return subject.kind === 'Group' && of && !account ? [placeOf(GRANTS, of, ALL)] : [];
  });
}
