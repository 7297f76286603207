import { readFileSync } from 'node:fs';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { endpointOfKubeconfig } from '../../functions/adapters/kubernetes/access.ts';
import { type KubeClient, kubeClient } from '../../functions/adapters/kubernetes/client.ts';
import { openVault, type Vault } from '../../functions/adapters/s3/vault.ts';
import { collectionPath, type KubeObject, objectPath } from '../../functions/core/resources.ts';
import { TYPES } from '../../functions/core/well-known.ts';
import { type BenchObject, benchObject, NAMESPACES, namespaceName, WIDGET_DEFINITION } from './objects.ts';

/** The world's API server and S3, from inside its network. */
export const REGION = 'eu-west-1';
export const BUCKET = 'bench';

export function connect(): KubeClient {
  return kubeClient(endpointOfKubeconfig(readFileSync(process.env.KUBECONFIG ?? '', 'utf8'), 'KUBECONFIG'));
}

export async function makeVault(): Promise<Vault> {
  const s3 = new S3Client({ region: REGION, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET })).catch((error: Error) => {
    if (error.name !== 'BucketAlreadyOwnedByYou') throw error;
  });
  return openVault(BUCKET, REGION);
}

/** Requests at once while objects are created: more do not make the API server faster on two cores. */
export const CREATE_CONCURRENCY = 32;

/** Creates an object; one that is there already is left as it is. */
export async function create(cluster: KubeClient, { type, object }: BenchObject): Promise<void> {
  await cluster.call('POST', collectionPath(type, object.metadata.namespace), {
    body: object,
    accept: [409],
  });
}

/** Makes the benchmark's namespaces, its definition, and objects from one index up to another. */
export async function fill(
  cluster: KubeClient,
  from: number,
  to: number,
  say: (done: number) => void,
): Promise<void> {
  for (let i = 0; i < NAMESPACES; i++) {
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespaceName(i) } };
    await create(cluster, { type: TYPES.namespaces, object });
  }
  await create(cluster, { type: TYPES.customResourceDefinitions, object: WIDGET_DEFINITION });
  await untilServed(cluster);
  let done = 0;
  const indexes = Array.from({ length: to - from }, (_, i) => from + i);
  await pMap(
    indexes,
    async (index) => {
      await create(cluster, benchObject(index));
      if (++done % 5000 === 0) say(done);
    },
    { concurrency: CREATE_CONCURRENCY },
  );
}

async function untilServed(cluster: KubeClient): Promise<void> {
  for (;;) {
    const path = objectPath(TYPES.customResourceDefinitions, WIDGET_DEFINITION.metadata.name);
    const { body } = await cluster.call('GET', path);
    const { status } = JSON.parse(body.toString('utf8')) as KubeObject;
    const conditions = (status?.conditions ?? []) as { type: string; status: string }[];
    if (conditions.some((c) => c.type === 'Established' && c.status === 'True')) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await new Promise((resolve) => setTimeout(resolve, 1000)); // it is served a moment after it is established
}
