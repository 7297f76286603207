import { Agent, request } from 'undici';
import { parse } from 'yaml';
import { z } from 'zod';

const kubeconfig = z.object({
  clusters: z.tuple([
    z.object({ cluster: z.object({ server: z.string(), 'certificate-authority-data': z.string() }) }),
  ]),
  users: z.tuple([
    z.object({ user: z.object({ 'client-certificate-data': z.string(), 'client-key-data': z.string() }) }),
  ]),
});

/** The three verbs the storage driver needs, with a world's own kubeconfig. */
export class KubeApi {
  readonly #server: string;
  readonly #agent: Agent;

  constructor(configText: string) {
    const { clusters, users } = kubeconfig.parse(parse(configText));
    const decoded = (text: string) => Buffer.from(text, 'base64').toString();
    this.#server = clusters[0].cluster.server;
    this.#agent = new Agent({
      connect: {
        ca: decoded(clusters[0].cluster['certificate-authority-data']),
        cert: decoded(users[0].user['client-certificate-data']),
        key: decoded(users[0].user['client-key-data']),
      },
    });
  }

  /** Reads an object or a list. */
  get(path: string): Promise<unknown> {
    return this.#call('GET', path);
  }

  /** Creates an object; one that is there already is good, too. */
  async create(path: string, object: unknown): Promise<void> {
    await this.#call('POST', path, object, 409);
  }

  /** Deletes an object; one that is gone already is good, too. */
  async remove(path: string): Promise<void> {
    await this.#call('DELETE', path, undefined, 404);
  }

  async #call(method: 'GET' | 'POST' | 'DELETE', path: string, object?: unknown, fine = 0): Promise<unknown> {
    const { statusCode, body } = await request(`${this.#server}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { 'content-type': 'application/json' },
      ...(object === undefined ? {} : { body: JSON.stringify(object) }),
    });
    const answer = await body.json();
    if (statusCode < 300 || statusCode === fine) return answer;
    throw new Error(`${method} ${path}: ${statusCode} ${JSON.stringify(answer)}`);
  }
}
