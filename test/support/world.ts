import { readFileSync } from 'node:fs';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { type ClusterEndpoint, endpointOfKubeconfig } from '../../functions/adapters/kubernetes/access.ts';
import { kubeClient } from '../../functions/adapters/kubernetes/client.ts';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import { collectionPath, type KubeObject, type ResourceType } from '../../functions/core/resources.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import type { Vault } from '../../functions/ports/vault.ts';

/** Region of the buckets that tests and benchmarks make. */
export const REGION = 'eu-west-1';

/** Where the API server of the world that this process is in answers, and to whom. */
export const endpoint = (): ClusterEndpoint =>
  endpointOfKubeconfig(readFileSync(process.env.KUBECONFIG ?? '', 'utf8'), 'KUBECONFIG');

/** The API server of the world that this process is in. */
export const connect = (): KubeClient => kubeClient(endpoint());

/** A bucket of the world's S3; one that is there already is taken. */
export async function makeVault(bucket: string): Promise<Vault> {
  await new S3Client({ region: REGION, forcePathStyle: true })
    .send(new CreateBucketCommand({ Bucket: bucket }))
    .catch((error: Error) => {
      if (error.name !== 'BucketAlreadyOwnedByYou') throw error;
    });
  return openVault(bucket, REGION);
}

/** Creates an object; one that is there already is left as it is. */
export async function create(cluster: KubeClient, type: ResourceType, object: KubeObject): Promise<void> {
  await cluster.call('POST', collectionPath(type, object.metadata.namespace), {
    body: object,
    accept: [409],
  });
}

/** The definition of a namespaced custom resource that may hold anything. */
export function freeForm(
  { group, resource, kind }: Pick<ResourceType, 'group' | 'resource' | 'kind'>,
  version: object = {},
): KubeObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resource}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: resource, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema, ...version }],
    },
  };
}

/** Waits until the API server serves a type: a moment after its definition is established. */
export async function untilServed(cluster: KubeClient, type: ResourceType): Promise<void> {
  while ((await cluster.call('GET', collectionPath(type), { accept: [404] })).status === 404)
    await new Promise((resolve) => setTimeout(resolve, 100));
}
