import type { ArchivedName } from '../backup/archive.ts';
import { fieldsOf, recordsIn, textOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { isStaticVolume } from './static-volumes.ts';

const NODES = 'nodes register themselves';
const EVENTS = 'events describe the past';
const SNAPSHOT = 'a snapshot of the original volume cannot be recreated';
const SNAPSHOT_CONTENT = 'it refers to the storage of the original volume';
const REQUEST = 'a request of the original cluster, which was answered there';
const LEASE = 'its holder runs in the original cluster; holders take new ones';

/** Types that nobody makes by hand, with the reason that a plan shows. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['nodes', NODES],
  ['csinodes.storage.k8s.io', NODES],
  ['events', EVENTS],
  ['events.events.k8s.io', EVENTS],
  ['componentstatuses', 'the API server computes it'],
  ['volumeattachments.storage.k8s.io', 'the cluster attaches volumes itself'],
  ['csistoragecapacities.storage.k8s.io', 'storage drivers publish it'],
  ['resourceslices.resource.k8s.io', 'device drivers publish it'],
  ['ipaddresses.networking.k8s.io', 'the API server allocates addresses itself'],
  ['certificatesigningrequests.certificates.k8s.io', REQUEST],
  ['podcertificaterequests.certificates.k8s.io', REQUEST],
  ['leases.coordination.k8s.io', LEASE],
  ['leasecandidates.coordination.k8s.io', LEASE],
  ['volumesnapshots.snapshot.storage.k8s.io', SNAPSHOT],
  ['volumegroupsnapshots.groupsnapshot.storage.k8s.io', SNAPSHOT],
  ['volumesnapshotcontents.snapshot.storage.k8s.io', SNAPSHOT_CONTENT],
  ['volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io', SNAPSHOT_CONTENT],
]);

/** Groups whose objects are computed when they are read, or that API servers keep for themselves. */
const GROUPS: ReadonlyMap<string, string> = new Map([
  ['metrics.k8s.io', 'metrics are measured'],
  ['custom.metrics.k8s.io', 'metrics are measured'],
  ['external.metrics.k8s.io', 'metrics are measured'],
  ['internal.apiserver.k8s.io', 'API servers keep it for themselves'],
]);

/** Label of an EndpointSlice: who keeps it. */
export const SLICE_MANAGER = 'endpointslice.kubernetes.io/managed-by';
const SLICE_CONTROLLERS: readonly unknown[] = [
  'endpointslice-controller.k8s.io',
  'endpointslicemirroring-controller.k8s.io',
];
/** Leader elections of old components write their lock here. */
const LOCK = 'control-plane.alpha.kubernetes.io/leader';

const FROM_SERVICE = 'created from the Service and its pods';
const PUBLISHED = 'published by the cluster';
const KEPT = 'the API server keeps it itself';
const IDENTITY = 'it identifies the original cluster and its control plane';
const OWN_SERVICE = 'the Service of the API server itself';

type Rule = (at: ArchivedName, object: KubeObject) => string | undefined;

/** Rules for types that both people and the cluster make: the object decides. */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['pods', podReason],
  ['jobs.batch', jobReason],
  ['configmaps', configMapReason],
  ['secrets', secretReason],
  ['services', apiServerReason],
  ['endpoints', endpointsReason],
  ['endpointslices.discovery.k8s.io', sliceReason],
  [
    'persistentvolumes',
    (_, o) => (isStaticVolume(o) ? undefined : 'fresh volumes are provisioned for the claims'),
  ],
  [
    'apiservices.apiregistration.k8s.io',
    (_, { spec }) => (spec?.service == null ? 'registered by the API server itself' : undefined),
  ],
  [
    'servicecidrs.networking.k8s.io',
    ({ name }) => (name === 'kubernetes' ? 'made by the API server' : undefined),
  ],
  ['clustertrustbundles.certificates.k8s.io', bundleReason],
  [
    'priorityclasses.scheduling.k8s.io',
    ({ name }) => (name.startsWith('system-') ? 'made by the API server' : undefined),
  ],
  ['flowschemas.flowcontrol.apiserver.k8s.io', flowReason],
  ['prioritylevelconfigurations.flowcontrol.apiserver.k8s.io', flowReason],
]);

/**
 * Why an object is never restored, whatever the options are: the cluster makes it by itself, it has ended, or it is the
 * identity of the original cluster. The object decides, not its type alone. Undefined for everything else.
 */
export function neverReason(at: ArchivedName, object: KubeObject): string | undefined {
  const { groupResource } = at;
  const ofType = TYPES.get(groupResource) ?? GROUPS.get(groupResource.slice(groupResource.indexOf('.') + 1));
  if (ofType) return ofType;
  if (object.metadata.deletionTimestamp != null) return 'it was being deleted when it was backed up';
  return RULES.get(groupResource)?.(at, object);
}

const annotation = ({ metadata }: KubeObject, name: string) => textOf(fieldsOf(metadata.annotations)[name]);
const label = ({ metadata }: KubeObject, name: string) => textOf(fieldsOf(metadata.labels)[name]);
const isEmpty = (value: unknown): boolean => value == null || Object.keys(value).length === 0;

function podReason(_: ArchivedName, object: KubeObject): string | undefined {
  if (annotation(object, 'kubernetes.io/config.mirror')) return 'a mirror pod belongs to its node';
  const phase = fieldsOf(object.status).phase;
  return phase === 'Succeeded' || phase === 'Failed' ? 'the pod has ended' : undefined;
}

function jobReason(_: ArchivedName, { status }: KubeObject): string | undefined {
  const ended = recordsIn(fieldsOf(status).conditions).some(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  );
  return ended ? 'the Job has ended' : undefined;
}

/** ConfigMaps that a control plane publishes or keeps, by namespace; `*`: in every namespace. */
const CONFIG_MAPS: ReadonlyMap<string, string> = new Map([
  ['*/kube-root-ca.crt', PUBLISHED],
  ['*/openshift-service-ca.crt', PUBLISHED],
  ['kube-public/cluster-info', IDENTITY],
  ['kube-system/extension-apiserver-authentication', IDENTITY],
  ['kube-system/kube-apiserver-legacy-service-account-token-tracking', IDENTITY],
  ['kube-system/kubeadm-config', IDENTITY],
]);

function configMapReason({ namespace, name }: ArchivedName, object: KubeObject): string | undefined {
  const known = CONFIG_MAPS.get(`*/${name}`) ?? CONFIG_MAPS.get(`${namespace}/${name}`);
  if (known) return known;
  if (namespace === 'kube-system') {
    if (/^kubelet-config(-\d+\.\d+)?$/.test(name)) return IDENTITY;
    // kubeadm's: it has the address of the API server.
    if (name === 'kube-proxy' && fieldsOf(object.data)['kubeconfig.conf'] !== undefined) return IDENTITY;
  }
  return annotation(object, LOCK) && isEmpty(object.data) && isEmpty(object.binaryData) ? LEASE : undefined;
}

function secretReason({ namespace, name }: ArchivedName, object: KubeObject): string | undefined {
  if (object.type === 'bootstrap.kubernetes.io/token') return 'it admits nodes to the original cluster';
  if (namespace === 'kube-system') {
    if (name === 'kubeadm-certs' || /^(k3s|rke2)-serving$/.test(name)) return IDENTITY;
    if (/\.node-password\.(k3s|rke2)$/.test(name)) return NODES;
  }
  if (annotation(object, 'openshift.io/internal-registry-auth-token.service-account'))
    return 'made by the cluster for a service account';
  return isGeneratedToken(object) ? TOKEN : undefined;
}
export const TOKEN = 'a token of the original cluster';

/** Annotation of a token Secret: its service account. */
const ACCOUNT = 'kubernetes.io/service-account.name';
const isToken = ({ type }: KubeObject): boolean => type === 'kubernetes.io/service-account-token';

/**
 * Whether the token controller made a Secret: managedFields say who wrote its type. Undefined if the object does not say
 * who, but has a name as the token controller gives it: then its account decides, which lists its generated tokens.
 */
export function isGeneratedToken(object: KubeObject): boolean | undefined {
  if (!isToken(object)) return false;
  const creators = recordsIn(object.metadata.managedFields).filter((e) => 'f:type' in fieldsOf(e.fieldsV1));
  if (creators.length > 0) return creators.every((e) => e.manager === 'kube-controller-manager');
  const account = annotation(object, ACCOUNT);
  const tail = object.metadata.name.slice(`${account}-token-`.length);
  const looksGenerated = object.metadata.name === `${account}-token-${tail}` && /^[a-z0-9]{5}$/.test(tail);
  return looksGenerated ? undefined : false;
}

/** Whether an object belongs to the Service of the API server. */
export const isOfApiServer = ({ namespace, name }: ArchivedName): boolean =>
  namespace === 'default' && name === 'kubernetes';

function apiServerReason(at: ArchivedName): string | undefined {
  return isOfApiServer(at) ? OWN_SERVICE : undefined;
}

/** Endpoints that a controller manages: they have its annotation or label (older ones may not), or they refer to pods. */
function endpointsReason(at: ArchivedName, object: KubeObject): string | undefined {
  if (isOfApiServer(at)) return OWN_SERVICE;
  if (annotation(object, LOCK) && isEmpty(object.subsets)) return LEASE;
  const isMarked =
    annotation(object, 'endpoints.kubernetes.io/last-change-trigger-time') ??
    label(object, 'endpoints.kubernetes.io/managed-by');
  const addresses = recordsIn(object.subsets).flatMap((s) => [
    ...recordsIn(s.addresses),
    ...recordsIn(s.notReadyAddresses),
  ]);
  const hasPods = addresses.some((a) => fieldsOf(a.targetRef).kind === 'Pod');
  return isMarked || hasPods ? FROM_SERVICE : undefined;
}

function sliceReason(at: ArchivedName, object: KubeObject): string | undefined {
  const ofApiServer =
    at.namespace === 'default' && label(object, 'kubernetes.io/service-name') === 'kubernetes';
  if (isOfApiServer(at) || ofApiServer) return OWN_SERVICE;
  return SLICE_CONTROLLERS.includes(label(object, SLICE_MANAGER)) ? FROM_SERVICE : undefined;
}

/** Bundles of the signers of Kubernetes, which its controllers publish. */
function bundleReason(_: ArchivedName, { spec }: KubeObject): string | undefined {
  const signer = textOf(fieldsOf(spec).signerName);
  return signer?.startsWith('kubernetes.io/') ? PUBLISHED : undefined;
}

/** The API server keeps its own flow control as it wants it, unless somebody has changed it. */
function flowReason({ name }: ArchivedName, object: KubeObject): string | undefined {
  const isOwn =
    name === 'exempt' ||
    name === 'catch-all' ||
    annotation(object, 'apf.kubernetes.io/autoupdate-spec') === 'true';
  return isOwn ? KEPT : undefined;
}

/** Who writes the default roles: the API server, and the controller that aggregates `admin`, `edit` and `view`. */
const BOOTSTRAPPERS: readonly unknown[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'clusterrole-aggregation-controller',
];

/**
 * Why an existing default role or binding is not updated: the API server keeps those of its own version. Undefined if somebody
 * has changed it.
 */
export function defaultRoleReason({ groupResource }: ArchivedName, object: KubeObject): string | undefined {
  if (!/^(cluster)?role(binding)?s\.rbac\.authorization\.k8s\.io$/.test(groupResource)) return undefined;
  const isOwn =
    label(object, 'kubernetes.io/bootstrapping') === 'rbac-defaults' &&
    annotation(object, 'rbac.authorization.kubernetes.io/autoupdate') === 'true';
  const writers = recordsIn(object.metadata.managedFields).map((e) => e.manager);
  return isOwn && writers.every((w) => BOOTSTRAPPERS.includes(w)) ? KEPT : undefined;
}
