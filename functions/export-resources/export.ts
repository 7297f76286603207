import { gzipSync } from 'node:zlib';
import { type ArchiveWriter, archiveWriter } from '../adapters/archive/writer.ts';
import type { KubeClient } from '../adapters/kubernetes/client.ts';
import { discover } from '../adapters/kubernetes/discovery.ts';
import {
  currentResourceVersion,
  InstantGone,
  type ListOptions,
  listPages,
  type RawObject,
} from '../adapters/kubernetes/lists.ts';
import type { Vault } from '../adapters/s3/vault.ts';
import { messageOf } from '../core/errors.ts';
import { withTypeMeta } from '../core/json-slices.ts';
import type { ResourceResult, Work } from '../core/record.ts';
import { apiVersion, groupResource, type ResourceType } from '../core/resources.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import { TYPES } from '../core/well-known.ts';

/** What the export has seen so far. */
interface Tally {
  items: number;
  bytes: number;
  readonly inexact: string[];
  readonly unreadable: string[];
  /** Velero's resource list: `apps/v1/Deployment` -> `ns/name`. */
  readonly list: Record<string, string[]>;
}

/** Exports all objects of a backup's namespaces at one resourceVersion, straight from the API server to the vault. */
export async function exportResources(
  cluster: KubeClient,
  vault: Vault,
  keys: VaultKeys,
  work: Work,
): Promise<ResourceResult> {
  const started = performance.now();
  const writer = archiveWriter();
  const uploading = vault.upload(keys.velero.archive(work.backup), writer.output);
  uploading.catch(() => undefined); // awaited below; an export that fails first must not leave it unheard
  try {
    const resourceVersion = await currentResourceVersion(cluster);
    const tally = await exportAll(cluster, writer, work, resourceVersion);
    const [{ archiveBytes, sha256 }] = await Promise.all([writer.end(), uploading]);
    await vault.put(keys.velero.resourceList(work.backup), gzipSync(JSON.stringify(tally.list)));
    const { items, bytes, inexact, unreadable } = tally;
    const consistency = inexact.length === 0 ? 'exact' : 'per-type';
    const seconds = Math.round(performance.now() - started) / 1000;
    return { items, bytes, archiveBytes, sha256, resourceVersion, consistency, inexact, unreadable, seconds };
  } catch (error) {
    writer.abort(error as Error);
    throw error;
  }
}

async function exportAll(
  cluster: KubeClient,
  writer: ArchiveWriter,
  work: Work,
  resourceVersion: string,
): Promise<Tally> {
  const { types, unreadable } = await discover(cluster);
  const tally: Tally = { items: 0, bytes: 0, inexact: [], unreadable: [...unreadable], list: {} };
  const related = { definitions: new Set<string>(), volumes: new Set<string>() };
  for (const namespace of work.namespaces) {
    await exportType(cluster, writer, TYPES.namespaces, { name: namespace, resourceVersion }, tally);
    for (const type of types.filter((t) => t.namespaced)) {
      const seen = await exportType(cluster, writer, type, { namespace, resourceVersion }, tally);
      if (seen.length > 0) related.definitions.add(groupResource(type));
      if (type.resource === 'persistentvolumeclaims')
        for (const o of seen)
          if (o.object.spec?.volumeName) related.volumes.add(o.object.spec.volumeName as string);
    }
  }
  for (const name of related.volumes)
    await exportType(cluster, writer, TYPES.persistentVolumes, { name, resourceVersion }, tally);
  for (const name of related.definitions) {
    if (name.includes('.'))
      await exportType(cluster, writer, TYPES.customResourceDefinitions, { name, resourceVersion }, tally);
  }
  return tally;
}

/** Exports one type, at the one instant if the server can, as it is now if not. A type that fails is named. */
async function exportType(
  cluster: KubeClient,
  writer: ArchiveWriter,
  type: ResourceType,
  options: ListOptions,
  tally: Tally,
): Promise<RawObject[]> {
  try {
    const objects = await readAt(cluster, type, options, tally);
    for (const { raw, object } of objects) {
      const json = object.kind ? raw : withTypeMeta(raw, apiVersion(type), type.kind);
      const { name, namespace } = object.metadata;
      await writer.add(type, name, namespace, json);
      tally.items++;
      tally.bytes += json.length;
      const kind = `${apiVersion(type)}/${type.kind}`;
      tally.list[kind] ??= [];
      tally.list[kind]?.push(namespace ? `${namespace}/${name}` : name);
    }
    return objects;
  } catch (error) {
    tally.unreadable.push(`${groupResource(type)} (${messageOf(error)})`);
    return [];
  }
}

async function readAt(
  cluster: KubeClient,
  type: ResourceType,
  options: ListOptions,
  tally: Tally,
): Promise<RawObject[]> {
  try {
    return await readAll(cluster, type, options);
  } catch (error) {
    if (!(error instanceof InstantGone)) throw error;
    const { resourceVersion: _, ...now } = options;
    tally.inexact.push(groupResource(type));
    return readAll(cluster, type, now);
  }
}

async function readAll(cluster: KubeClient, type: ResourceType, options: ListOptions): Promise<RawObject[]> {
  const all: RawObject[] = [];
  for await (const page of listPages(cluster, type, options)) all.push(...page);
  return all;
}
