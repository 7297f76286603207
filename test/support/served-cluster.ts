import { ClusterAnswer } from '../../functions/adapters/kubernetes/client.ts';
import { HoldfastError } from '../../functions/contract/holdfast-error.ts';
import {
  collectionPath,
  groupResource,
  type KubeObject,
  type ResourceType,
} from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import type { CallOptions, KubeClient, KubeMethod, KubeResponse } from '../../functions/ports/kubernetes.ts';

/** What a path answers with: a status and a body, `silent` for no response, `refused` for no connection. */
export type Answer = readonly [status: number, body: unknown] | 'silent' | 'refused';

const VERBS = ['get', 'list', 'create', 'delete'];

/**
 * The reading half of an API server in memory: discovery, and lists in one page. Each answer of a path can be replaced by
 * those of a server in trouble, one after the other; the last one stays.
 */
export class ServedCluster implements KubeClient {
  readonly calls: string[] = [];
  readonly objects: [ResourceType, KubeObject][] = [];
  /** Whether it knows the discovery of all groups in one document. */
  aggregated = true;
  /** Groups whose types the API server does not know: their API is down. */
  readonly stale = new Set<string>();
  readonly verbs = new Map<string, readonly string[]>();
  types: ResourceType[];
  private readonly answers = new Map<string, Answer[]>();

  constructor(...types: ResourceType[]) {
    this.types = [TYPES.namespaces, ...types];
  }

  add(type: ResourceType, name: string, namespace?: string, over: object = {}): void {
    this.objects.push([type, { metadata: { name, ...(namespace && { namespace }) }, ...over }]);
  }

  /** Answers of a path in place of its own. Objects of a list are given as its items. */
  answer(path: string, ...answers: Answer[]): void {
    this.answers.set(path, answers);
  }

  async call(method: KubeMethod, path: string, options: CallOptions = {}): Promise<KubeResponse> {
    this.calls.push(`${method} ${path}`);
    const prepared = this.answers.get(path);
    const found =
      (prepared && prepared.length > 1 ? prepared.shift() : prepared?.[0]) ?? this.own(path, options);
    if (found === 'silent')
      throw new HoldfastError('ClusterUnreachable', `GET ${path}: no complete response within 30 s`, {
        cause: new DOMException('timed out', 'TimeoutError'),
      });
    if (found === 'refused') throw new HoldfastError('ClusterUnreachable', `GET ${path}: ECONNREFUSED`);
    const [status, content] = found;
    const body = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
    if (status >= 400 && !options.accept?.includes(status))
      throw new ClusterAnswer(status, `${method} ${path}`, body);
    return { status, body };
  }
  socket(path: string): never {
    throw new Error(`a socket of ${path} is not prepared`);
  }
  async close(): Promise<void> {}

  private own(path: string, { mediaType }: CallOptions): Answer {
    if (path === '/apis')
      return [200, mediaType && this.aggregated ? this.allGroups() : { groups: this.groups() }];
    const [, root, group = '', version = ''] = /^\/(apis?)\/?([^/]*)\/?([^/]*)$/.exec(path) ?? [];
    if (path === '/api/v1') return [200, this.resources('', 'v1')];
    if (root === 'apis' && version === '') {
      const found = this.groups().find((g) => g.name === group);
      return found ? [200, found] : status(404, `the server could not find the group ${group}`);
    }
    if (root === 'apis' && this.stale.has(group)) return status(503, 'service unavailable');
    if (root === 'apis' && this.versions(group).includes(version))
      return [200, this.resources(group, version)];
    return this.list(path);
  }

  private list(path: string): Answer {
    const type = this.types.find((t) => path === collectionPath(t));
    const inNamespace = /^(.*)\/namespaces\/([^/]+)\/([^/]+)$/.exec(path);
    const at =
      type ?? this.types.find((t) => collectionPath(t) === `${inNamespace?.[1]}/${inNamespace?.[3]}`);
    if (!at) return status(404, `the server could not find the requested resource ${path}`);
    const items = this.objects
      .filter(
        ([t, o]) =>
          groupResource(t) === groupResource(at) && (type || o.metadata.namespace === inNamespace?.[2]),
      )
      .map(([, o]) => o);
    return list(items);
  }

  private versions(group: string): string[] {
    return [...new Set(this.types.filter((t) => t.group === group).map((t) => t.version))];
  }

  private groups() {
    const names = [...new Set(this.types.map((t) => t.group))].filter((group) => group !== '');
    return names.map((name) => ({ name, versions: this.versions(name).map((version) => ({ version })) }));
  }

  private of(group: string, version: string): ResourceType[] {
    return this.types.filter((t) => t.group === group && t.version === version);
  }

  private verbsOf(type: ResourceType): readonly string[] {
    return this.verbs.get(groupResource(type)) ?? VERBS;
  }

  private resources(group: string, version: string) {
    return {
      resources: this.of(group, version).map((t) => ({
        name: t.resource,
        kind: t.kind,
        namespaced: t.namespaced,
        verbs: this.verbsOf(t),
      })),
    };
  }

  private allGroups() {
    return {
      kind: 'APIGroupDiscoveryList',
      items: this.groups().map(({ name, versions }) => ({
        metadata: { name },
        versions: versions.map(({ version }) => ({
          version,
          freshness: this.stale.has(name) ? 'Stale' : 'Current',
          resources: this.of(name, version).map((t) => ({
            resource: t.resource,
            responseKind: { group: name, version, kind: t.kind },
            scope: t.namespaced ? 'Namespaced' : 'Cluster',
            verbs: this.verbsOf(t),
            subresources: [{ subresource: 'status' }],
          })),
        })),
      })),
    };
  }
}

/** An error of an API server. */
export const status = (code: number, message: string): Answer => [
  code,
  { kind: 'Status', apiVersion: 'v1', code, message },
];

/** A page of a list. */
export const list = (items: readonly object[], next = ''): Answer => [
  200,
  { metadata: { resourceVersion: '1', continue: next }, items },
];

/** A type of a test. */
export const typeOf = (name: string, over: Partial<ResourceType> = {}): ResourceType => {
  const [resource = '', ...group] = name.split('.');
  const kind = `${resource.charAt(0).toUpperCase()}${resource.slice(1, -1)}`;
  return { group: group.join('.'), version: 'v1', resource, kind, namespaced: true, ...over };
};
