import { randomUUID } from 'node:crypto';
import { ClusterAnswer } from '../../functions/adapters/kubernetes/client.ts';
import { matchesSelector, parseSelector } from '../../functions/contract/label-selector.ts';
import { mergePatch } from '../../functions/core/bytes/merge-patch.ts';
import { type KubeObject, objectPath, type ResourceType } from '../../functions/core/kubernetes/resources.ts';
import type { CallOptions, KubeClient, KubeResponse } from '../../functions/ports/kubernetes.ts';
import { Killed } from './memory-vault.ts';

/** `/api/v1/namespaces/shop/pods/db-0/log`: base, namespace, resource, name, subresource. */
const PATH =
  /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/(log))?$/;

/**
 * An API server in memory, in place of a cluster where a test must end a function at each of its calls. It keeps objects,
 * selects by labels, and removes with an owner what it owns; nothing happens in it by itself.
 */
export class MemoryCluster implements KubeClient {
  /** By path. */
  readonly objects = new Map<string, KubeObject>();
  /** Of pods, by the path of the pod and the container. */
  readonly logs = new Map<string, string>();
  /** Paths of what was created by calls, in their order. */
  readonly created: string[] = [];
  now: Date;
  /** Calls that may still succeed; the next one ends the caller. */
  callsLeft = Number.POSITIVE_INFINITY;
  calls = 0;

  constructor(now: Date) {
    this.now = now;
  }

  /** Counts a call; ends the caller when it is one too many. */
  count(): void {
    this.calls++;
    if (this.callsLeft-- <= 0) throw new Killed('at a call');
  }

  async close(): Promise<void> {}

  socket(): never {
    throw new Error('a cluster in memory runs no commands');
  }

  async call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    options: CallOptions = {},
  ): Promise<KubeResponse> {
    this.count();
    const [status, answer] = this.answer(method, path, options);
    const body = Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer));
    if (status >= 400 && !options.accept?.includes(status))
      throw new ClusterAnswer(status, `${method} ${path}`, body);
    return { status, body };
  }

  /** Puts an object there, as somebody else would. */
  put(type: ResourceType, object: KubeObject): string {
    const path = objectPath(type, object.metadata.name, object.metadata.namespace);
    const creationTimestamp = this.now.toISOString();
    const metadata = { uid: randomUUID(), creationTimestamp, ...object.metadata };
    this.objects.set(path, structuredClone({ ...object, metadata }));
    return path;
  }

  /** All objects of a type. */
  all({ group, version, resource }: ResourceType): KubeObject[] {
    const base = group ? `/apis/${group}/${version}` : `/api/${version}`;
    return [...this.objects].flatMap(([path, o]) => {
      const [, itsBase, , itsResource] = PATH.exec(path) ?? [];
      return itsBase === base && itsResource === resource ? [o] : [];
    });
  }

  private answer(method: string, path: string, options: CallOptions): [number, unknown] {
    const [, base, namespace, resource, name, log] = PATH.exec(path) ?? [];
    if (method === 'POST') return this.create(path, options.body as KubeObject);
    if (name === undefined) {
      const { labelSelector } = options.query ?? {};
      const selector = labelSelector === undefined ? [] : parseSelector(labelSelector);
      const items = [...this.objects].flatMap(([at, o]) => {
        const [, itsBase, itsNamespace, itsResource] = PATH.exec(at) ?? [];
        const here =
          itsBase === base && itsResource === resource && (!namespace || namespace === itsNamespace);
        return here && matchesSelector(selector, o.metadata.labels ?? {}) ? [o] : [];
      });
      return [200, { kind: 'List', metadata: { resourceVersion: '1' }, items }];
    }
    if (log)
      return [200, this.logs.get(`${path.slice(0, -'/log'.length)} ${options.query?.container}`) ?? ''];
    const object = this.objects.get(path);
    if (!object) return [404, { message: `${path} not found` }];
    const { uid } = object.metadata;
    if (method === 'DELETE') {
      const { preconditions } = (options.body ?? {}) as { preconditions?: { uid?: string } };
      if (preconditions?.uid !== undefined && preconditions.uid !== uid)
        return [409, { message: `the UID in the precondition is not that of ${path}` }];
      this.remove(path, object);
    }
    if (method === 'PATCH') {
      const patch = options.body as { metadata?: { uid?: string } };
      if (patch.metadata?.uid !== undefined && patch.metadata.uid !== uid)
        return [422, { message: 'metadata.uid: field is immutable' }];
      this.objects.set(path, mergePatch(object, options.body) as KubeObject);
    }
    return [200, this.objects.get(path) ?? object];
  }

  private create(collection: string, object: KubeObject): [number, unknown] {
    const path = `${collection}/${object.metadata.name}`;
    if (this.objects.has(path)) return [409, { message: `${path} already exists` }];
    const creationTimestamp = this.now.toISOString();
    const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp };
    const created = structuredClone({ ...object, metadata });
    const { stringData } = created as { stringData?: Record<string, string> };
    if (stringData) {
      const entries = Object.entries(stringData).map(([k, v]) => [k, Buffer.from(v).toString('base64')]);
      Object.assign(created, { data: Object.fromEntries(entries), stringData: undefined });
    }
    this.objects.set(path, created);
    this.created.push(path);
    return [201, created];
  }

  private remove(path: string, { metadata }: KubeObject): void {
    this.objects.delete(path);
    for (const [at, o] of [...this.objects])
      if (o.metadata.ownerReferences?.some((owner) => owner.uid === metadata.uid)) this.remove(at, o);
  }
}
