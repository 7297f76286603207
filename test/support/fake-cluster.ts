import { ClusterAnswer } from '../../functions/adapters/kubernetes/client.ts';
import { mergePatch } from '../../functions/core/bytes/merge-patch.ts';
import {
  apiVersion,
  collectionPath,
  EXCLUDE_LABEL,
  groupResource,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import type {
  CallOptions,
  KubeClient,
  KubeMethod,
  KubeResponse,
  KubeSocket,
} from '../../functions/ports/kubernetes.ts';

/** An error that the API server answers with, in its words. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** Refusals as an API server words them. */
export const REFUSALS = {
  invalid: { status: 422, message: 'ConfigMap "x" is invalid: data: Invalid value: "null"' },
  forbidden: { status: 403, message: 'configmaps is forbidden: User "holdfast" cannot create resource' },
  quota: {
    status: 403,
    message: 'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1',
  },
  webhook: {
    status: 500,
    message: 'Internal error occurred: failed calling webhook "v.example.com": connection refused',
  },
  denied: { status: 400, message: 'admission webhook "v.example.com" denied the request: no' },
  modified: {
    status: 409,
    message:
      'Operation cannot be fulfilled on configmaps "x": the object has been modified; please apply your changes',
  },
  busy: { status: 429, message: 'too many requests, please try again later' },
  unavailable: { status: 503, message: 'apiserver is shutting down' },
} as const satisfies Record<string, Refusal>;

interface Prepared extends Refusal {
  readonly method: KubeMethod;
  readonly path: string;
  times: number;
}

interface Address {
  readonly type: ResourceType;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/**
 * An API server in memory: it gets, lists, creates, patches and deletes objects of the types that it was given, with the errors of a
 * real one. It has no controllers, admission, defaults or schemas: nothing happens by itself. What it is asked for and was not
 * prepared for throws.
 */
export class FakeCluster implements KubeClient {
  /** By path. */
  readonly objects = new Map<string, KubeObject>();
  /** Every call, as `POST /api/v1/namespaces`. */
  readonly calls: string[] = [];
  closed = 0;
  private readonly types: readonly ResourceType[];
  private readonly prepared: Prepared[] = [];
  private made = 0;

  constructor(...types: ResourceType[]) {
    this.types = [...new Set([TYPES.namespaces, TYPES.customResourceDefinitions, ...types])];
  }

  /** Puts an object there, as if somebody else had made it. */
  add(type: ResourceType, object: KubeObject): void {
    const { name, namespace } = object.metadata;
    this.objects.set(objectPath(type, name, namespace), this.stored(type, structuredClone(object)));
  }
  addNamespaces(...names: string[]): void {
    for (const name of names) this.add(TYPES.namespaces, { metadata: { name } });
  }
  find(type: ResourceType, name: string, namespace?: string): KubeObject | undefined {
    return this.objects.get(objectPath(type, name, namespace));
  }
  /** Lets the next calls of a method and a path fail; always, unless a number is given. */
  refuse(method: KubeMethod, path: string, refusal: Refusal, times = Number.POSITIVE_INFINITY): void {
    this.prepared.push({ method, path, ...refusal, times });
  }

  async call(method: KubeMethod, path: string, options: CallOptions = {}): Promise<KubeResponse> {
    this.calls.push(`${method} ${path}`);
    const { status, body } = this.answer(method, path, options);
    if (status >= 400 && !options.accept?.includes(status))
      throw new ClusterAnswer(status, `${method} ${path}`, body);
    return { status, body };
  }
  socket(path: string): KubeSocket {
    throw new Error(`a socket of ${path} is not prepared`);
  }
  async close(): Promise<void> {
    this.closed++;
  }

  private answer(method: KubeMethod, path: string, options: CallOptions): KubeResponse {
    const refusal = this.prepared.find((p) => p.method === method && p.path === path && p.times > 0);
    if (refusal) {
      refusal.times--;
      return refused(refusal.status, refusal.message);
    }
    const discovery = method === 'GET' ? this.discovery(path) : undefined;
    if (discovery) return answer(200, discovery);
    const at = this.addressOf(path);
    const { type, name } = at;
    if (method === 'GET') return name === undefined ? this.list(at) : this.get(path, at);
    if (method === 'POST') return this.create(path, at, options.body as KubeObject);
    if (!this.objects.has(path.replace(/\/status$/, ''))) return notFound(type, name);
    return method === 'PATCH' ? this.patch(path, at, options) : this.remove(path);
  }

  /** What it serves: its types with all verbs, and with status as a subresource. */
  private discovery(path: string): object | undefined {
    const groups = Map.groupBy(
      this.types.filter((t) => t.group !== ''),
      (t) => t.group,
    );
    if (path === '/apis')
      return {
        groups: [...groups].map(([name, [first]]) => ({
          name,
          versions: [{ version: first?.version }],
          preferredVersion: { version: first?.version },
        })),
      };
    const [, root, ...rest] = path.split('/');
    const group = root === 'api' ? '' : rest[0];
    if (rest.length !== (root === 'api' ? 1 : 2)) return undefined;
    const verbs = ['create', 'delete', 'get', 'list', 'patch'];
    const resources = this.types
      .filter((t) => t.group === group)
      .flatMap(({ resource, kind, namespaced }) => [
        { name: resource, kind, namespaced, verbs },
        { name: `${resource}/status`, kind, namespaced, verbs: ['get', 'patch'] },
      ]);
    return { resources };
  }

  private get(path: string, { type, name }: Address): KubeResponse {
    const found = this.objects.get(path);
    return found ? answer(200, found) : notFound(type, name);
  }

  /** In one page; without types, as lists of built-in types are. */
  private list({ type, namespace }: Address): KubeResponse {
    const below = `${collectionPath(type, namespace)}/`;
    const all = namespace === undefined ? [...this.objects.values()] : undefined;
    const found = all
      ? all.filter((o) => o.kind === type.kind && o.apiVersion === apiVersion(type))
      : [...this.objects].filter(([path]) => path.startsWith(below)).map(([, o]) => o);
    const items = found.filter((o) => o.metadata.labels?.[EXCLUDE_LABEL] !== 'true');
    const untyped = items.map(({ apiVersion: _, kind: __, ...item }) => item);
    return answer(200, { metadata: { resourceVersion: `${this.made}` }, items: untyped });
  }

  private create(path: string, { type, namespace }: Address, body: KubeObject): KubeResponse {
    const { name } = body.metadata;
    const home = namespace === undefined ? undefined : this.find(TYPES.namespaces, namespace);
    if (namespace !== undefined && !home) return notFound(TYPES.namespaces, namespace);
    if (home?.metadata.deletionTimestamp)
      return refused(
        403,
        `${groupResource(type)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
      );
    const key = `${path}/${encodeURIComponent(name)}`;
    if (this.objects.has(key)) return refused(409, `${groupResource(type)} "${name}" already exists`);
    const object = this.stored(type, JSON.parse(JSON.stringify(body)) as KubeObject);
    delete object.status;
    this.objects.set(key, object);
    return answer(201, object);
  }

  private patch(path: string, { subresource }: Address, { body, contentType }: CallOptions): KubeResponse {
    if (contentType !== 'application/merge-patch+json') throw new Error(`${contentType} is not prepared`);
    const key = subresource ? path.replace(/\/status$/, '') : path;
    const before = this.objects.get(key) as KubeObject;
    const wanted = JSON.parse(JSON.stringify(body)) as Partial<KubeObject>;
    const part = subresource ? { status: wanted.status } : { ...wanted, status: undefined };
    const after = mergePatch(before, JSON.parse(JSON.stringify(part))) as KubeObject;
    after.metadata.resourceVersion = `${++this.made}`;
    this.objects.set(key, after);
    return answer(200, after);
  }

  private remove(path: string): KubeResponse {
    this.objects.delete(path);
    return refused(200, '');
  }

  private stored(type: ResourceType, object: KubeObject): KubeObject {
    const version = `${++this.made}`;
    const metadata = { uid: `uid-${version}`, ...object.metadata, resourceVersion: version };
    return { ...object, apiVersion: apiVersion(type), kind: type.kind, metadata };
  }

  private addressOf(path: string): Address {
    for (const type of this.types) {
      const root = collectionPath(type);
      const base = root.slice(0, root.lastIndexOf('/'));
      if (!path.startsWith(`${base}/`)) continue;
      const rest = path.slice(base.length + 1).split('/');
      const inside = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status';
      const [plural, name, subresource] = inside ? rest.slice(2) : rest;
      if (plural === type.resource)
        return { type, namespace: inside ? rest[1] : undefined, name, subresource };
    }
    throw new Error(`${path} is not prepared`);
  }
}

const answer = (status: number, body: object): KubeResponse => ({
  status,
  body: Buffer.from(JSON.stringify(body)),
});
const refused = (status: number, message: string): KubeResponse =>
  answer(status, { kind: 'Status', apiVersion: 'v1', code: status, message });
const notFound = (type: ResourceType, name = ''): KubeResponse =>
  refused(404, `${groupResource(type)} "${name}" not found`);
