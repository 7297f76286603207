import { Agent, request } from 'undici';
import {
  collectionPath,
  type KubeObject,
  type ResourceType,
} from '../../functions/core/kubernetes/resources.ts';
import { endpoint } from './world.ts';

/** A watch of the API server: it misses nothing, however short an object lives. */
export interface Watch {
  /** Every object that was created since the watch began, as it was then. */
  readonly added: readonly KubeObject[];
  /** Calls back for each that is created from now on. Returns what ends that. */
  onAdded(listener: (object: KubeObject) => void): () => void;
  stop(): Promise<void>;
}

/** Watches all objects of a type, of all namespaces, from now on. */
export async function watchAll(type: ResourceType): Promise<Watch> {
  const { server, ca, cert, key } = endpoint();
  const dispatcher = new Agent({
    connect: { ca, cert, key } as Agent.Options['connect'] & object,
    bodyTimeout: 0,
  });
  const url = new URL(collectionPath(type), server);
  const list = await request(url, { dispatcher, query: { limit: '1' } });
  const { metadata } = (await list.body.json()) as { metadata: { resourceVersion: string } };
  const abort = new AbortController();
  const query = { watch: '1', resourceVersion: metadata.resourceVersion };
  const { body } = await request(url, { dispatcher, query, signal: abort.signal });
  const added: KubeObject[] = [];
  const listeners = new Set<(object: KubeObject) => void>();
  let broken: unknown;
  const seen = (line: string): void => {
    const event = JSON.parse(line) as { type: string; object: KubeObject };
    if (event.type === 'ERROR') broken = event.object;
    if (event.type !== 'ADDED') return;
    added.push(event.object);
    for (const listener of listeners) listener(event.object);
  };
  const reading = (async () => {
    let rest = '';
    for await (const chunk of body.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() as string;
      lines.forEach(seen);
    }
  })().catch((error: unknown) => {
    if (!abort.signal.aborted) broken = error;
  });
  return {
    added,
    onAdded(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async stop() {
      abort.abort();
      await reading;
      await dispatcher.close();
      if (broken) throw new Error('the watch was interrupted', { cause: broken });
    },
  };
}
