import {
  collectionPath,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../core/kubernetes/resources.ts';
import { RUN_LABEL } from '../../core/kubernetes/run-labels.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { statusMessage } from './client.ts';
import { listLabelled } from './jobs.ts';

/** Every VolumeSnapshot of a run, or of all runs, in all namespaces. Empty if the cluster does not have this type. */
export const listSnapshots = (client: KubeClient, run?: string): Promise<KubeObject[]> =>
  listMade(client, TYPES.volumeSnapshots, run);

/** The temporary claims of a run, or of all runs. */
export const listTemporaryClaims = (client: KubeClient, run?: string): Promise<KubeObject[]> =>
  listMade(client, TYPES.persistentVolumeClaims, run);

const listMade = (client: KubeClient, type: ResourceType, run: string | undefined) =>
  listLabelled(
    client,
    type,
    run ? `${RUN_LABEL}=${run}` : `app.kubernetes.io/managed-by=holdfast,${RUN_LABEL}`,
    [404],
  );

/** Statuses with which the API server permanently rejects an object. */
const REFUSED = [400, 403, 404, 422];

/** Creates a snapshot or a temporary claim. Idempotent. Returns a readable message if the API server rejects it. */
export async function makeOnce(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
): Promise<string | undefined> {
  const path = collectionPath(type, object.metadata.namespace);
  const { status, body } = await client.call('POST', path, { body: object, accept: [409, ...REFUSED] });
  if (!REFUSED.includes(status)) return undefined;
  const hint = status === 403 ? '; apply the output of `holdfast rbac --snapshots` to the cluster' : '';
  return `the cluster rejects its ${type.kind}: ${statusMessage(body) ?? status}${hint}`;
}

/** Deletes a snapshot or a temporary claim with its dependents. Idempotent. */
export async function removeMade(
  client: KubeClient,
  type: ResourceType,
  { metadata }: KubeObject,
): Promise<void> {
  await client.call('DELETE', objectPath(type, metadata.name, metadata.namespace), { accept: [404] });
}
