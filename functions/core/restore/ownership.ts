import { isRecord, type JsonRecord } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/** Who wrote a field, as an entry of `metadata.managedFields` tells. Anybody who may write an object can write any name here. */
export interface Writer {
  readonly manager: string;
  /** `Apply` for server-side apply, else `Update`. */
  readonly operation: string;
  /** `status`, `scale`, …; absent: the object itself. */
  readonly subresource?: string;
  /** RFC 3339, whole seconds. */
  readonly time?: string;
}

interface Entry extends Writer {
  readonly fields: Node;
}
type Node = Readonly<JsonRecord>;

/** The entries of an object's `metadata.managedFields`; entries of an unknown form are left out. */
export function entriesOf(object: KubeObject): Entry[] {
  const all = object.metadata.managedFields;
  if (!Array.isArray(all)) return [];
  return all.filter(isRecord).flatMap(({ manager, operation, subresource, time, fieldsV1 }) => {
    if (typeof manager !== 'string' || !isRecord(fieldsV1)) return [];
    return [
      {
        manager,
        operation: operation === 'Apply' ? 'Apply' : 'Update',
        ...(typeof subresource === 'string' && subresource !== '' && { subresource }),
        ...(typeof time === 'string' && { time }),
        fields: fieldsV1,
      },
    ];
  });
}

/**
 * Who wrote the field at `path`, or anything below it: the entries of `metadata.managedFields` that name it, or that name
 * a list or object around it as a whole. `path` is in the form of `differences`: `spec.ports[0].nodePort`. Empty if
 * nobody did, as for a default of the API server. Source: structured-merge-diff, FieldsV1.
 */
export function writersOf(object: KubeObject, path: string): Writer[] {
  return entriesOf(object).flatMap(({ fields, ...writer }) => (names(fields, object, path) ? [writer] : []));
}

/** Whether a node of FieldsV1 names the rest of a path. Names of fields may contain dots, so each field of the node is tried. */
function names(node: Node, live: unknown, rest: string): boolean {
  const keys = Object.keys(node).filter((key) => key !== '.');
  if (rest === '' || keys.length === 0) return true;
  const index = /^\[(\d+)\]\.?/.exec(rest);
  if (index) {
    const element = Array.isArray(live) ? (live[Number(index[1])] as unknown) : undefined;
    const after = rest.slice(index[0].length);
    return keys.some((key) => isElement(key, element, Number(index[1])) && below(node[key], element, after));
  }
  return keys.some((key) => {
    const name = key.startsWith('f:') ? key.slice(2) : undefined;
    if (name === undefined || !rest.startsWith(name)) return false;
    const after = rest.slice(name.length);
    if (after !== '' && !after.startsWith('.') && !after.startsWith('[')) return false;
    return below(node[key], isRecord(live) ? live[name] : undefined, after.replace(/^\./, ''));
  });
}

const below = (node: unknown, live: unknown, rest: string): boolean =>
  isRecord(node) && names(node, live, rest);

/** Whether a key of FieldsV1 (`k:{"port":80}`, `v:"a"`, `i:0`) is that of an element. */
function isElement(key: string, element: unknown, index: number): boolean {
  const [kind, text] = [key.slice(0, 2), key.slice(2)];
  if (kind === 'i:') return Number(text) === index;
  try {
    const wanted = JSON.parse(text) as unknown;
    if (kind === 'v:') return wanted === element;
    if (kind !== 'k:' || !isRecord(wanted) || !isRecord(element)) return false;
    return Object.entries(wanted).every(([field, value]) => element[field] === value);
  } catch {
    return false;
  }
}

/** Managers of Kubernetes itself, which run with every cluster. */
const OF_THE_CLUSTER =
  /^(kube-(apiserver|controller-manager|scheduler)|kubelet|([a-z]+-)?cloud-controller-manager|cluster-autoscaler|k3s|rke2|k0s)$/;

/** Programs with which people write. What they write is nobody else's business. */
const OF_PEOPLE = /^(kubectl|helm|Mozilla|holdfast|velero|before-first-apply)/;

/**
 * Whether a path is one that controllers write on the objects of others. Anybody can write under the name of a controller,
 * so this bounds what the name of a manager excuses: never data, rules, subjects or the template of pods.
 */
export function isOfControllers(object: KubeObject, path: string): boolean {
  if (/^metadata\.(annotations|labels|finalizers|ownerReferences)/.test(path)) return true;
  if (path === 'spec.replicas' || /(^|\.)caBundle$/.test(path)) return true;
  if (/^(secrets|imagePullSecrets)(\[|$)/.test(path)) return object.secrets !== undefined;
  return /^rules(\[|$)/.test(path) && object.aggregationRule !== undefined;
}

/**
 * The managers of an object that only add to it: neither its author (the manager of most fields), nor one that applies it,
 * nor a program of people. A controller that injects a certificate or an annotation is one.
 */
export function coWriters(object: KubeObject): ReadonlySet<string> {
  const owned = new Map<string, number>();
  const authors = new Set<string>();
  for (const { manager, operation, subresource, fields } of entriesOf(object)) {
    if (subresource === 'status') continue;
    owned.set(manager, (owned.get(manager) ?? 0) + leaves(fields));
    if (operation === 'Apply' || OF_PEOPLE.test(manager)) authors.add(manager);
  }
  const [author] = [...owned].sort(([, a], [, b]) => b - a)[0] ?? [];
  return new Set([...owned.keys()].filter((manager) => manager !== author && !authors.has(manager)));
}

function leaves(node: Node): number {
  const keys = Object.keys(node).filter((key) => key !== '.');
  if (keys.length === 0) return 1;
  return keys.reduce((sum, key) => sum + (isRecord(node[key]) ? leaves(node[key]) : 1), 0);
}

/**
 * Whether a difference at `path` between an archived object and the live one is a controller's business: the path is one that
 * controllers write, and who wrote it last is a manager of the cluster, or one that wrote to both objects without
 * being their author.
 */
export function isBusinessOfController(archived: KubeObject, live: KubeObject, path: string): boolean {
  if (!isOfControllers(live, path)) return false;
  const writers = writersOf(live, path);
  if (writers.length === 0) return false;
  const helpers = coWriters(live);
  const before = coWriters(archived);
  return writers.every(
    ({ manager }) => OF_THE_CLUSTER.test(manager) || (helpers.has(manager) && before.has(manager)),
  );
}
