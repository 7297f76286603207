import { parseAllDocuments } from 'yaml';
import type { KubeObject, ResourceType } from '../../functions/core/kubernetes/resources.ts';
import { collectionPath, groupResource, objectPath } from '../../functions/core/kubernetes/resources.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface ApiGroup {
  readonly versions: readonly { readonly groupVersion: string }[];
  readonly preferredVersion: { readonly groupVersion: string };
}

/** A status of the API server that a test expects, with its message. */
export interface Answer {
  readonly status: number;
  readonly message: string;
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Waits until `look` finds something, and returns it. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  seconds = 60,
): Promise<T> {
  for (const end = Date.now() + seconds * 1000; ; await sleep(200)) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
  }
}

/** The documents of a YAML text. */
export const manifest = (yaml: string): KubeObject[] =>
  parseAllDocuments(yaml).flatMap((document) => (document.toJS() as KubeObject | null) ?? []);

/**
 * What a person, a controller or a GitOps tool does with an API server. Objects are named as `plural[.group] namespace/name`,
 * or `plural[.group] name`. Types are read from the server by this class itself, so that a test does not rely on Holdfast's.
 */
export class ClusterApi {
  readonly client: KubeClient;
  readonly #resources = new Map<string, ApiResource[]>();

  constructor(client: KubeClient) {
    this.client = client;
  }

  /** Creates the objects of a manifest as this manager; waits until definitions are served. */
  async create(objects: string | readonly KubeObject[], manager = 'kubectl-create'): Promise<void> {
    for (const object of typeof objects === 'string' ? manifest(objects) : objects) {
      const type = await this.typeOf(object);
      const path = collectionPath(type, object.metadata.namespace);
      await this.client.call('POST', path, { body: object, query: { fieldManager: manager } });
      if (object.kind === 'CustomResourceDefinition') await this.served(object.metadata.name);
    }
  }

  /** Tries to create one object. */
  async tryCreate(object: KubeObject): Promise<Answer> {
    const type = await this.typeOf(object);
    return this.#answer('POST', collectionPath(type, object.metadata.namespace), object);
  }

  /** Server-side apply of one object. A conflict with another manager is an answer, and nothing is forced. */
  async apply(yaml: string, manager: string): Promise<Answer> {
    const [object] = manifest(yaml) as [KubeObject];
    const { name, namespace } = object.metadata;
    const path = objectPath(await this.typeOf(object), name, namespace);
    const query = { fieldManager: manager };
    return this.#answer('PATCH', path, object, { contentType: 'application/apply-patch+yaml', query });
  }

  /** An object; undefined if it is not there, or its type is not. */
  async find(ref: string): Promise<KubeObject | undefined> {
    const type = await this.#findType(typeIn(ref));
    if (!type) return undefined;
    const { status, body } = await this.client.call('GET', pathIn(type, ref), { accept: [404] });
    return status === 404 ? undefined : (JSON.parse(body.toString('utf8')) as KubeObject);
  }

  /** An object that must be there. */
  async get(ref: string): Promise<KubeObject> {
    const found = await this.find(ref);
    if (!found) throw new Error(`${ref} is not there`);
    return found;
  }

  /** Merge patch as this manager; `ref` may end with `#status` or `#scale`. */
  async patch(ref: string, body: object, manager = 'kubectl-edit'): Promise<void> {
    const [object = '', subresource] = ref.split('#');
    const path = `${await this.path(object)}${subresource ? `/${subresource}` : ''}`;
    const options = { contentType: 'application/merge-patch+json', query: { fieldManager: manager } };
    await this.client.call('PATCH', path, { body, ...options });
  }

  /** All objects of a type, of one namespace when given. */
  async list(type: string, namespace?: string): Promise<KubeObject[]> {
    const { body } = await this.client.call('GET', collectionPath(await this.type(type), namespace));
    return (JSON.parse(body.toString('utf8')) as { items: KubeObject[] }).items;
  }

  /** Deletes objects and waits until they are gone. */
  async remove(...refs: string[]): Promise<void> {
    await Promise.all(refs.map((ref) => this.remover(ref)));
    for (const ref of refs) await until(`${ref} is gone`, async () => !(await this.find(ref)), 60);
  }

  /** Deletes one object without waiting for its finalizers. */
  async remover(ref: string): Promise<void> {
    const type = await this.#findType(typeIn(ref));
    if (!type) return;
    await this.client.call('DELETE', pathIn(type, ref), {
      accept: [404],
      query: { gracePeriodSeconds: '0' },
    });
  }

  /** Deletes namespaces with all that is in them, and waits until they are gone. */
  async gone(...namespaces: string[]): Promise<void> {
    // A namespace controller of a busy machine takes its time; the grace period of a namespace is no use.
    await Promise.all(
      namespaces.map((n) => this.client.call('DELETE', `/api/v1/namespaces/${n}`, { accept: [404, 409] })),
    );
    for (const n of namespaces)
      await until(`namespace ${n} is gone`, async () => !(await this.find(`namespaces ${n}`)), 60);
  }

  /** Waits until the API server serves a definition. */
  async served(definition: string): Promise<void> {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${definition}`;
    await until(`${definition} is established`, async () => {
      const { status } = JSON.parse(
        (await this.client.call('GET', path)).body.toString('utf8'),
      ) as KubeObject;
      const conditions = (status?.conditions ?? []) as { type: string; status: string }[];
      return conditions.some((c) => c.type === 'Established' && c.status === 'True');
    });
    await until(`${definition} is served`, async () => (await this.#findType(definition)) !== undefined);
  }

  /** The type of a name like `deployments.apps`, at its group's preferred version if that has it. */
  async type(name: string): Promise<ResourceType> {
    const found = await this.#findType(name);
    if (!found) throw new Error(`the API server does not serve ${name}`);
    return found;
  }

  async #findType(name: string): Promise<ResourceType | undefined> {
    const found = await this.#lookUp(name);
    if (found) return found;
    this.#resources.clear(); // a definition that came meanwhile
    return this.#lookUp(name);
  }

  async #lookUp(name: string): Promise<ResourceType | undefined> {
    const [plural = '', ...group] = name.split('.');
    for (const groupVersion of await this.#versions(group.join('.'))) {
      const found = (await this.#resourcesOf(groupVersion)).find((r) => r.name === plural);
      if (found) return typed(groupVersion, found);
    }
    return undefined;
  }

  /** The type that an object's apiVersion and kind name. */
  async typeOf({ apiVersion = '', kind = '' }: KubeObject): Promise<ResourceType> {
    const find = async () => (await this.#resourcesOf(apiVersion)).find((r) => r.kind === kind);
    let found = await find();
    if (!found) {
      this.#resources.clear(); // a definition that came meanwhile
      found = await find();
    }
    if (!found) throw new Error(`the API server does not serve ${apiVersion} ${kind}`);
    return typed(apiVersion, found);
  }

  /** Every type that can be listed, in one version each; groups that do not answer are left out. */
  async types(): Promise<ResourceType[]> {
    const { groups } = JSON.parse((await this.client.call('GET', '/apis')).body.toString('utf8')) as {
      groups: ApiGroup[];
    };
    const all = new Map<string, ResourceType>();
    const order = groups.flatMap((g) => [g.preferredVersion, ...g.versions]).map((v) => v.groupVersion);
    for (const groupVersion of new Set(['v1', ...order])) {
      for (const resource of (await this.#resourcesOf(groupVersion)).filter((r) =>
        r.verbs.includes('list'),
      )) {
        const type = typed(groupVersion, resource);
        if (!all.has(groupResource(type))) all.set(groupResource(type), type);
      }
    }
    return [...all.values()];
  }

  async path(ref: string): Promise<string> {
    return pathIn(await this.type(typeIn(ref)), ref);
  }

  async #answer(method: 'POST' | 'PATCH', path: string, body: object, over: object = {}): Promise<Answer> {
    const accept = [400, 403, 404, 409, 415, 422, 500, 503];
    const answer = await this.client.call(method, path, { body, accept, ...over });
    const { message = '' } = JSON.parse(answer.body.toString('utf8')) as { message?: string };
    return { status: answer.status, message };
  }

  /** Versions of a group, its preferred one first. A type need not be in that one. */
  async #versions(group: string): Promise<string[]> {
    if (group === '') return ['v1'];
    const { body, status } = await this.client.call('GET', `/apis/${group}`, { accept: [404] });
    if (status === 404) return [];
    const found = JSON.parse(body.toString('utf8')) as ApiGroup;
    return [...new Set([found.preferredVersion, ...found.versions].map((v) => v.groupVersion))];
  }

  async #resourcesOf(groupVersion: string): Promise<ApiResource[]> {
    const known = this.#resources.get(groupVersion);
    if (known) return known;
    const path = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
    const { status, body } = await this.client.call('GET', path, { accept: [404, 500, 503] });
    if (status >= 400) return [];
    const { resources } = JSON.parse(body.toString('utf8')) as { resources: ApiResource[] };
    const whole = resources.filter((r) => !r.name.includes('/'));
    this.#resources.set(groupVersion, whole);
    return whole;
  }
}

const typeIn = (ref: string): string => ref.slice(0, ref.indexOf(' '));

function typed(groupVersion: string, { name, kind, namespaced }: ApiResource): ResourceType {
  const [version = '', group = ''] = groupVersion.split('/').reverse();
  return { group, version, resource: name, kind, namespaced };
}

/** `plural[.group] namespace/name`, or `plural[.group] name`. */
export const refOf = (type: ResourceType, { metadata }: KubeObject): string =>
  `${groupResource(type)} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;

/** The path of an object: of `configmaps shop/settings`, or of `namespaces shop`. */
function pathIn(type: ResourceType, ref: string): string {
  const place = ref.slice(typeIn(ref).length + 1); // a name may have spaces
  const [namespace, name] = place.includes('/') ? place.split('/') : [undefined, place];
  return objectPath(type, name as string, namespace);
}
