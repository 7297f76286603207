import type { JsonRecord } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { ANY, POWERS, type Power, SERVER, SERVER_PATHS } from './dangerous-powers.ts';
import { entriesField, recordField, recordsField, textField, textsField } from './strict-fields.ts';

/** What is kept of a role, so that the bindings to it can be judged: not its rules. */
export interface RoleGrants {
  readonly powers: readonly Power[];
  /** It grants no more than the election of a leader among an application's own pods. */
  readonly isElection?: true;
  /** Of a ClusterRole that grants something: its labels, by which others take in its rules. */
  readonly labels?: Labels;
  /** Of a ClusterRole that takes in the rules of others: which. */
  readonly takesIn?: readonly Selector[];
}

type Labels = ReadonlyMap<string, string>;

/** A label selector of an aggregation rule. */
interface Selector {
  readonly matchLabels: readonly [string, string][];
  readonly matchExpressions: readonly { key: string; operator: string; values: readonly string[] }[];
}

interface Rule {
  readonly verbs: readonly string[];
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly names: readonly string[];
  readonly urls: readonly string[];
}

/** What a role grants. `isWide`: it is a ClusterRole. @throws OddField if a field has an impossible type. */
export function grantsOf(object: KubeObject, isWide: boolean): RoleGrants {
  const rules = recordsField(object, 'rules').map(ruleOf);
  const labels = isWide ? entriesField(object.metadata, 'labels') : [];
  const selectors = recordsField(recordField(object, 'aggregationRule'), 'clusterRoleSelectors').map(
    selectorOf,
  );
  const powers = POWERS.filter((power) => rules.some((rule) => gives(rule, power)));
  if (rules.some(servesItself)) powers.push(SERVER);
  return {
    powers,
    ...(rules.every(elects) && { isElection: true }),
    // Of a role that grants nothing, nobody takes anything in.
    ...((powers.length > 0 || selectors.length > 0) && labels.length > 0 && { labels: new Map(labels) }),
    ...(selectors.length > 0 && { takesIn: selectors }),
  };
}

/** Whether a role lets its holders change anything at all. @throws OddField. */
export function isWriting(object: KubeObject): boolean {
  return recordsField(object, 'rules')
    .map(ruleOf)
    .some(
      (rule) => rule.resources.length > 0 && rule.verbs.some((v) => !['get', 'list', 'watch'].includes(v)),
    );
}

function ruleOf(rule: JsonRecord): Rule {
  return {
    verbs: textsField(rule, 'verbs'),
    groups: textsField(rule, 'apiGroups'),
    resources: textsField(rule, 'resources'),
    names: textsField(rule, 'resourceNames'),
    urls: textsField(rule, 'nonResourceURLs'),
  };
}

function gives(rule: Rule, { groups, resources, verbs, byVerb, onlyNames }: Power): boolean {
  if (byVerb && rule.verbs.some((v) => verbs.some((of) => v === of || v.startsWith(`${of}:`)))) return true;
  const hasVerb = rule.verbs.includes('*') || rule.verbs.some((v) => verbs.includes(v));
  const hasGroup = rule.groups.includes('*') || rule.groups.some((g) => groups.includes(g));
  const hasResource = rule.resources.some((r) => resources.some((of) => covers(r, of)));
  if (!hasVerb || !hasGroup || !hasResource) return false;
  return !onlyNames || rule.names.length === 0 || rule.names.some((name) => name.startsWith(onlyNames));
}

/** Whether a resource of a rule means another one: `*`, `pods/exec`, and a star on one side of the slash. */
function covers(resource: string, of: string): boolean {
  if (resource === '*' || resource === of || of === ANY) return true;
  if (!resource.includes('/') || !of.includes('/')) return false;
  const [plural, sub] = resource.split('/');
  const [ofPlural, ofSub] = of.split('/');
  const isEither = (x: string | undefined, y: string | undefined) => x === y || x === '*' || y === '*';
  return isEither(plural, ofPlural) && isEither(sub, ofSub);
}

/** Whether a rule opens a path of the API server itself. A star ends a path, and stands for every path. */
const servesItself = ({ urls, verbs }: Rule): boolean =>
  verbs.length > 0 &&
  urls.some((url) =>
    SERVER_PATHS.some((path) => {
      const stem = url.replace(/\*+$/, '');
      return path.startsWith(stem.replace(/\/$/, '')) || stem === path || stem.startsWith(`${path}/`);
    }),
  );

/** Names of leases that parts of Kubernetes hold. */
const OF_CLUSTER = /^(kube-|apiserver-|cloud-controller|holdfast)/;

function elects({ verbs, groups, resources, names, urls }: Rule): boolean {
  if (urls.length > 0) return false;
  const isEvents =
    groups.every((g) => ['', 'events.k8s.io'].includes(g)) && resources.every((r) => r === 'events');
  const isLeases = groups.every((g) => g === 'coordination.k8s.io') && resources.every((r) => r === 'leases');
  if (isEvents) return verbs.every((v) => ['create', 'patch'].includes(v));
  if (!isLeases || names.some((name) => OF_CLUSTER.test(name))) return false;
  const free =
    names.length > 0
      ? ['create', 'get', 'list', 'watch', 'update', 'patch']
      : ['create', 'get', 'list', 'watch'];
  return verbs.every((v) => free.includes(v));
}

function selectorOf(selector: JsonRecord): Selector {
  return {
    matchLabels: entriesField(selector, 'matchLabels'),
    matchExpressions: recordsField(selector, 'matchExpressions').map((e) => ({
      key: textField(e, 'key') ?? '',
      operator: textField(e, 'operator') ?? '',
      values: textsField(e, 'values'),
    })),
  };
}

/** Whether a selector takes in a role with these labels. An operator that is unknown does. */
export function takesIn({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  return (
    matchLabels.every(([key, value]) => labels.get(key) === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = labels.get(key);
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isAmong = value !== undefined && values.includes(value);
      if (operator === 'In') return isAmong;
      return operator === 'NotIn' ? !isAmong : true;
    })
  );
}
