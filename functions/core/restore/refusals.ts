import type { RestoreOptions } from '../../contract/restore-options.ts';
import { namesType } from '../kubernetes/patterns.ts';
import type { Served } from '../kubernetes/served.ts';
import type { Contents } from './contents.ts';
import { type PlanItem, typeOfItem } from './restore-plan.ts';

/** What a restore asks for, and what there is. */
export interface Asked {
  readonly options: RestoreOptions;
  /** Namespaces of the recovery point, and those that are restored. */
  readonly held: readonly string[];
  readonly namespaces: readonly string[];
  readonly contents: Contents;
  /** Label selectors that match no object. */
  readonly unmatched: readonly string[];
  readonly items: readonly PlanItem[];
}

/** What the cluster has, as far as options name it. */
export interface ClusterTypes {
  readonly served: Served;
  /** Groups of types that the API server could not list. */
  readonly unreadable: readonly string[];
  readonly storageClasses: readonly string[];
}

/**
 * Why a restore is refused before it writes anything: options that name something which neither the recovery point nor the
 * cluster has, and requests that bring nothing. Empty if it can go on.
 */
export function refusals(asked: Asked, cluster: ClusterTypes): string[] {
  const named = [
    ...typeProblems(asked, cluster),
    ...namespaceProblems(asked),
    ...storageClassProblems(asked, cluster),
    ...asked.unmatched.map(
      (selector) => `label selector "${selector}" matches no object of the recovery point`,
    ),
  ];
  return named.length > 0 ? named : emptiness(asked);
}

function typeProblems({ options, contents }: Asked, { served, unreadable }: ClusterTypes): string[] {
  const inPoint = [...contents.kinds.keys()];
  const inBoth = [...inPoint, ...contents.defined, ...served.keys()];
  const {
    includedResources = [],
    excludedResources = [],
    restoreStatus = [],
    resourceModifiers = [],
  } = options;
  const problem = (option: string, pattern: string, types: readonly string[], where: string) =>
    types.some((t) => namesType([pattern], typeOf(t)))
      ? []
      : [`${option}: "${pattern}" names no type of ${where}${hintOf(pattern, contents, served)}`];
  const conditions = resourceModifiers.map(({ conditions: c }) => c.groupResource);
  // A group that cannot be read may have the type: it is no mistake to name it.
  const either = (option: string) => (pattern: string) =>
    unreadable.some((u) => pattern.endsWith(`.${u.split('/')[0]}`))
      ? []
      : problem(option, pattern, inBoth, 'the recovery point or the cluster');
  return [
    ...includedResources.flatMap((p) => problem('includedResources', p, inPoint, 'the recovery point')),
    ...excludedResources.flatMap(either('excludedResources')),
    ...restoreStatus.flatMap(either('restoreStatus')),
    ...conditions.flatMap(either('resourceModifiers')),
  ];
}

const typeOf = (groupResource: string) =>
  typeOfItem({ groupResource, version: '', namespace: undefined, name: '' });

/** Short names of the built-in types, as kubectl has them. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  cm: 'configmaps',
  crd: 'customresourcedefinitions.apiextensions.k8s.io',
  crds: 'customresourcedefinitions.apiextensions.k8s.io',
  cj: 'cronjobs.batch',
  deploy: 'deployments.apps',
  ds: 'daemonsets.apps',
  ep: 'endpoints',
  hpa: 'horizontalpodautoscalers.autoscaling',
  ing: 'ingresses.networking.k8s.io',
  limits: 'limitranges',
  netpol: 'networkpolicies.networking.k8s.io',
  ns: 'namespaces',
  pdb: 'poddisruptionbudgets.policy',
  po: 'pods',
  pv: 'persistentvolumes',
  pvc: 'persistentvolumeclaims',
  quota: 'resourcequotas',
  rc: 'replicationcontrollers',
  rs: 'replicasets.apps',
  sa: 'serviceaccounts',
  sc: 'storageclasses.storage.k8s.io',
  sts: 'statefulsets.apps',
  svc: 'services',
};

/** The types that a name may mean: by kind, singular or short name, in whatever case. */
function hintOf(pattern: string, { kinds, otherNames }: Contents, served: Served): string {
  const [first = '', ...group] = pattern.toLowerCase().split('.');
  const all = new Map([...[...served].map(([t, [v]]) => [t, v?.kind ?? ''] as const), ...kinds]);
  const byKind = [...all].filter(([, kind]) => kind.toLowerCase() === first).map(([type]) => type);
  const byPlural = [...all.keys()].filter((type) => type.split('.')[0] === first);
  const other = otherNames.get(first) ?? (Object.hasOwn(SHORT_NAMES, first) ? SHORT_NAMES[first] : undefined);
  const found = [...new Set([...byKind, ...byPlural, ...(other ? [other] : [])])];
  const ofGroup = found.filter((type) => group.length === 0 || type.endsWith(`.${group.join('.')}`));
  const best = (ofGroup.length > 0 ? ofGroup : found).filter((type) => !namesType([pattern], typeOf(type)));
  return best.length > 0 ? `; did you mean ${best.map((b) => `"${b}"`).join(' or ')}?` : '';
}

function namespaceProblems({ options, held, namespaces }: Asked): string[] {
  const mapping = options.namespaceMapping ?? {};
  return Object.entries(mapping).flatMap(([from, to]) => {
    if (!held.includes(from))
      return [
        `namespaceMapping: the recovery point does not hold namespace ${from}; it holds: ${held.join(', ')}`,
      ];
    if (!namespaces.includes(from))
      return [`namespaceMapping: namespace ${from} is not restored; "namespaces" does not name it`];
    return from !== to && namespaces.includes(to) && mapping[to] === undefined
      ? [
          `namespaceMapping: ${from} is mapped to ${to}, which is itself restored; map it too, or do not restore it`,
        ]
      : [];
  });
}

function storageClassProblems({ options, contents }: Asked, { storageClasses }: ClusterTypes): string[] {
  const { usedClasses } = contents;
  const targets = new Set([...storageClasses, ...contents.storageClasses]);
  return Object.entries(options.storageClassMapping ?? {}).flatMap(([from, to]) => [
    ...(usedClasses.has(from)
      ? []
      : [
          `storageClassMapping: no claim of the recovery point has storage class ${from}; ${among('they have', usedClasses)}`,
        ]),
    ...(targets.has(to)
      ? []
      : [
          `storageClassMapping: neither the cluster nor the recovery point has storage class ${to}; ${among('they have', targets)}`,
        ]),
  ]);
}

const among = (verb: string, names: ReadonlySet<string>): string =>
  `${verb} ${names.size > 0 ? [...names].sort().join(', ') : 'none'}`;

/** Reasons shown of a plan that has nothing to do. */
const SHOWN = 5;

function emptiness({ items, contents, options }: Asked): string[] {
  if (contents.kinds.size === 0)
    return ['the archive holds no object in the layout of format 1.1.0, which Velero writes since 1.4'];
  if (items.some((item) => item.action !== 'skip')) return [];
  if (items.length === 0) return ['the recovery point holds no object that was asked for'];
  const { includedResources, labelSelector, orLabelSelectors } = options;
  // A whole recovery point may hold nothing but what the cluster makes itself.
  if (!includedResources && !labelSelector && !orLabelSelectors) return [];
  const reasons = items
    .slice(0, SHOWN)
    .map((i) => `${i.groupResource} ${i.namespace ?? ''}/${i.name}: ${i.reason}`);
  return [`nothing that was asked for is ever restored: ${reasons.join('; ')}`];
}

/** A plan without the objects whose type the API server serves, but lets nobody create. */
export function withoutFixedTypes(items: readonly PlanItem[], served: Served): PlanItem[] {
  const fixed = new Map<string, boolean>();
  const isFixed = (groupResource: string): boolean => {
    const versions = served.get(groupResource) ?? [];
    const found =
      fixed.get(groupResource) ?? (versions.length > 0 && !versions.some((v) => v.verbs.includes('create')));
    fixed.set(groupResource, found);
    return found;
  };
  return items.map((item) =>
    item.action !== 'skip' && isFixed(item.groupResource)
      ? { ...item, action: 'skip', reason: 'the API server lets nobody create it' }
      : item,
  );
}
