import type { ArchivedName } from '../backup/archive.ts';
import { type JsonRecord, recordAt, recordOf, recordsIn, recordsOf, setField } from '../bytes/json-value.ts';
import { podSpecOf } from '../kubernetes/pod-spec.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/** A place in an object that holds the name of a namespace. */
export interface NamespaceReference {
  readonly namespace: string;
  /** Writes another name there. */
  readonly set: (namespace: string) => void;
}

type References = (object: KubeObject, spec: JsonRecord | undefined) => NamespaceReference[];

/** The label that every Namespace has, with its name. */
export const NAME_LABEL = 'kubernetes.io/metadata.name';

const RBAC = 'rbac.authorization.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';
const NETWORK_POLICY = 'policy.networking.k8s.io';

/**
 * Where objects of a type name namespaces. Only types whose fields are known are here: a custom resource may use the same
 * fields for something else. Gateway API stands for all its types: each of its fields `namespace` is a reference.
 */
const REFERENCES: ReadonlyMap<string, References> = new Map<string, References>([
  [`rolebindings.${RBAC}`, ({ subjects }) => recordsIn(subjects).flatMap(inSubject)],
  [`clusterrolebindings.${RBAC}`, ({ subjects }) => recordsIn(subjects).flatMap(inSubject)],
  [`mutatingwebhookconfigurations.${ADMISSION}`, inWebhooks],
  [`validatingwebhookconfigurations.${ADMISSION}`, inWebhooks],
  [`validatingadmissionpolicies.${ADMISSION}`, (_, spec) => inSelector(recordAt(spec, 'matchConstraints'))],
  [`mutatingadmissionpolicies.${ADMISSION}`, (_, spec) => inSelector(recordAt(spec, 'matchConstraints'))],
  [`validatingadmissionpolicybindings.${ADMISSION}`, inPolicyBinding],
  [`mutatingadmissionpolicybindings.${ADMISSION}`, inPolicyBinding],
  ['apiservices.apiregistration.k8s.io', (o, spec) => [...inInjected(o), ...field(spec?.service)]],
  ['customresourcedefinitions.apiextensions.k8s.io', inConversion],
  ['persistentvolumes', inVolume],
  ['storageclasses.storage.k8s.io', ({ parameters }) => inParameters(parameters)],
  ['volumesnapshotclasses.snapshot.storage.k8s.io', ({ parameters }) => inParameters(parameters)],
  ['networkpolicies.networking.k8s.io', (_, spec) => peers(spec).flatMap(inSelector)],
  [`adminnetworkpolicies.${NETWORK_POLICY}`, inAdminPolicy],
  [`baselineadminnetworkpolicies.${NETWORK_POLICY}`, inAdminPolicy],
  ['ingressclasses.networking.k8s.io', (_, spec) => field(spec?.parameters)],
  ['flowschemas.flowcontrol.apiserver.k8s.io', inFlowSchema],
  ['services', (_, spec) => inHost(spec, 'externalName')],
  ['endpoints', ({ subsets }) => recordsIn(subsets).flatMap(inAddresses)],
  [
    'endpointslices.discovery.k8s.io',
    ({ endpoints }) => recordsIn(endpoints).flatMap((e) => field(e.targetRef)),
  ],
]);

/** Every place below the metadata in which an object of this type names a namespace. Fields of an odd type are passed over. */
export function namespaceReferences(
  { groupResource }: Pick<ArchivedName, 'groupResource'>,
  object: KubeObject,
): NamespaceReference[] {
  const spec = recordOf(object.spec);
  if (groupResource.endsWith('.gateway.networking.k8s.io')) return everywhere(spec);
  const known = REFERENCES.get(groupResource)?.(object, spec) ?? [];
  return [...known, ...inAffinity(podSpecOf(object))];
}

function field(holder: unknown, name = 'namespace'): NamespaceReference[] {
  const record = recordOf(holder);
  const namespace = record && Object.hasOwn(record, name) ? record[name] : undefined;
  if (!record || typeof namespace !== 'string') return [];
  return [{ namespace, set: (to) => setField(record, name, to) }];
}

/** A namespace within a text, like that of `system:serviceaccount:shop:web`. The pattern has three groups; it is the second. */
function within(holder: JsonRecord | undefined, name: string, pattern: RegExp): NamespaceReference[] {
  const text = holder?.[name];
  const parts = typeof text === 'string' ? pattern.exec(text) : null;
  if (!holder || !parts) return [];
  const [, before = '', namespace = '', after = ''] = parts;
  return [{ namespace, set: (to) => setField(holder, name, before + to + after) }];
}

function names(list: unknown): NamespaceReference[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((namespace: unknown, i) => {
    const set = (to: string) => void list.splice(i, 1, to);
    return typeof namespace === 'string' ? [{ namespace, set }] : [];
  });
}

const ACCOUNT = /^(system:serviceaccount:)([^:]+)(:.*)$/s;
const ACCOUNTS = /^(system:serviceaccounts:)([^:]+)()$/;

function inSubject(subject: JsonRecord): NamespaceReference[] {
  if (subject.kind === 'User') return within(subject, 'name', ACCOUNT);
  if (subject.kind === 'Group') return within(subject, 'name', ACCOUNTS);
  return field(subject);
}

/** A label selector of namespaces, as far as it names them. */
function inLabels(value: unknown): NamespaceReference[] {
  const selector = recordOf(value);
  const named = recordsIn(selector?.matchExpressions).filter(({ key }) => key === NAME_LABEL);
  return [...field(selector?.matchLabels, NAME_LABEL), ...named.flatMap(({ values }) => names(values))];
}

const inSelector = (holder: JsonRecord | undefined): NamespaceReference[] =>
  inLabels(holder?.namespaceSelector);

function inWebhooks(object: KubeObject): NamespaceReference[] {
  const hooks = recordsIn(object.webhooks).flatMap((hook) => [
    ...field(recordAt(hook, 'clientConfig', 'service')),
    ...inSelector(hook),
  ]);
  return [...inInjected(object), ...hooks];
}

/** cert-manager injects the CA that these annotations name as `namespace/name`. */
function inInjected({ metadata }: KubeObject): NamespaceReference[] {
  return ['inject-ca-from', 'inject-ca-from-secret'].flatMap((name) =>
    within(recordOf(metadata.annotations), `cert-manager.io/${name}`, /^()([^/]+)(\/.*)$/s),
  );
}

function inPolicyBinding(_: KubeObject, spec: JsonRecord | undefined): NamespaceReference[] {
  return [...inSelector(recordAt(spec, 'matchResources')), ...field(spec?.paramRef)];
}

function inConversion(object: KubeObject, spec: JsonRecord | undefined): NamespaceReference[] {
  const configs = [
    recordAt(spec, 'conversion', 'webhook', 'clientConfig'),
    recordAt(spec, 'conversion', 'webhookClientConfig'), // v1beta1
  ];
  return [...inInjected(object), ...configs.flatMap((config) => field(config?.service))];
}

/** The claim of a volume, and the secrets of its driver. */
function inVolume(_: KubeObject, spec: JsonRecord | undefined): NamespaceReference[] {
  const sources = recordsOf(...Object.values(spec ?? {}));
  const secrets = sources.flatMap((source) =>
    Object.entries(source).flatMap(([name, value]) => (/secretref$/i.test(name) ? field(value) : [])),
  );
  return [
    ...field(spec?.claimRef),
    ...secrets,
    ...field(spec?.azureFile, 'secretNamespace'),
    ...field(spec?.glusterfs, 'endpointsNamespace'),
  ];
}

/** Parameters of a class: `csi.storage.k8s.io/provisioner-secret-namespace`, or its template like `${pvc.namespace}`. */
function inParameters(parameters: unknown): NamespaceReference[] {
  return Object.keys(recordOf(parameters) ?? {})
    .filter((name) => name.startsWith('csi.storage.k8s.io/') && name.endsWith('-secret-namespace'))
    .flatMap((name) => field(parameters, name));
}

/** Sources and targets of the rules of a network policy. */
function peers(spec: JsonRecord | undefined): JsonRecord[] {
  return [
    ...recordsIn(spec?.ingress).flatMap(({ from }) => recordsIn(from)),
    ...recordsIn(spec?.egress).flatMap(({ to }) => recordsIn(to)),
  ];
}

function inAdminPolicy(_: KubeObject, spec: JsonRecord | undefined): NamespaceReference[] {
  const all = [...recordsOf(spec?.subject), ...peers(spec)];
  return all.flatMap(({ namespaces, pods }) => [...inLabels(namespaces), ...inSelector(recordOf(pods))]);
}

function inFlowSchema(_: KubeObject, spec: JsonRecord | undefined): NamespaceReference[] {
  return recordsIn(spec?.rules).flatMap((rule) => [
    ...recordsIn(rule.subjects).flatMap(({ serviceAccount, user, group }) => [
      ...field(serviceAccount),
      ...within(recordOf(user), 'name', ACCOUNT),
      ...within(recordOf(group), 'name', ACCOUNTS),
    ]),
    ...recordsIn(rule.resourceRules).flatMap(({ namespaces }) => names(namespaces)),
  ]);
}

/** The name of a Service in the cluster's DNS: `web.shop.svc.cluster.local`. */
const inHost = (holder: JsonRecord | undefined, name: string): NamespaceReference[] =>
  within(holder, name, /^(.+\.)([^.]+)(\.svc(?:\..*)?)$/s);

function inAddresses(subset: JsonRecord): NamespaceReference[] {
  const all = [...recordsIn(subset.addresses), ...recordsIn(subset.notReadyAddresses)];
  return all.flatMap(({ targetRef }) => field(targetRef));
}

/** Terms of a pod's affinity to other pods, which may be in other namespaces. */
function inAffinity(pod: unknown): NamespaceReference[] {
  return ['podAffinity', 'podAntiAffinity'].flatMap((kind) => {
    const affinity = recordAt(pod, 'affinity', kind);
    const terms = [
      ...recordsIn(affinity?.requiredDuringSchedulingIgnoredDuringExecution),
      ...recordsIn(affinity?.preferredDuringSchedulingIgnoredDuringExecution).flatMap(({ podAffinityTerm }) =>
        recordsOf(podAffinityTerm),
      ),
    ];
    return terms.flatMap((term) => [...names(term.namespaces), ...inSelector(term)]);
  });
}

/** All fields `namespace`, and selectors of namespaces, at any depth. */
function everywhere(value: unknown): NamespaceReference[] {
  if (Array.isArray(value)) return value.flatMap(everywhere);
  const record = recordOf(value);
  if (!record) return [];
  const inside = Object.values(record).flatMap(everywhere);
  return [...field(record), ...inLabels(record), ...inside];
}
