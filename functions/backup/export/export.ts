import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { type ArchivePart, type ArchiveWriter, archiveWriter } from '../../adapters/archive/writer.ts';
import type { ResourceResult, Work } from '../../core/backup/record.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Vault } from '../../ports/vault.ts';
import { getTally, putFingerprints, putTally } from './documents.ts';
import type { ExportContext } from './list.ts';
import type { ExportPlan } from './plan.ts';
import { problemsOf } from './problems.ts';
import { exportRelated } from './related.ts';
import { Tally } from './tally.ts';
import { exportUnits } from './units.ts';

/** What an export reads from and writes to. */
export interface ExportPorts {
  readonly cluster: KubeClient;
  readonly vault: Vault;
  readonly keys: VaultKeys;
  /** Milliseconds between two attempts to read a list; 1000 unless given. */
  readonly pauseMs?: number;
}

/** One export: what it reads and writes, and what it has seen. */
interface RunContext {
  readonly ports: ExportPorts;
  readonly work: Work;
  readonly plan: ExportPlan;
  readonly tally: Tally;
}

/** Exports a plan that has one shard: streams from the API server into the archive. */
export async function exportWhole(
  ports: ExportPorts,
  work: Work,
  plan: ExportPlan,
  started: number,
): Promise<ResourceResult> {
  const tally = new Tally();
  const key = ports.keys.velero.archive(work.backup);
  const archive = await writeArchive(ports, key, { first: true, last: true }, async (writer) => {
    const context = contextOf({ ports, work, plan, tally }, writer);
    await exportUnits(context, plan.shards[0] ?? []);
    await exportRelated(context, plan.related);
  });
  return conclude({ ports, work, plan, tally }, archive, started);
}

/** Exports one shard into a part of its own and writes its tally next to it. */
export async function exportShard(
  ports: ExportPorts,
  work: Work,
  plan: ExportPlan,
  shard: number,
): Promise<Tally> {
  const tally = new Tally();
  const { exports: at } = ports.keys;
  await writeArchive(ports, at.part(work.backup, shard), { first: shard === 0, last: false }, (writer) =>
    exportUnits(contextOf({ ports, work, plan, tally }, writer), plan.shards[shard] ?? []),
  );
  await putTally(ports.vault, at.tally(work.backup, shard), tally.toDocument());
  return tally;
}

/** Exports related objects and concatenates the parts of all shards, which are gzip members, into one archive. */
export async function joinShards(
  ports: ExportPorts,
  work: Work,
  plan: ExportPlan,
  started: number,
): Promise<ResourceResult> {
  const { vault, keys } = ports;
  const { exports: at } = keys;
  const tally = new Tally();
  const shards = plan.shards.map((_, shard) => shard);
  for (const shard of shards) tally.add(await getTally(vault, at.tally(work.backup, shard)));
  const tail = shards.length;
  await writeArchive(ports, at.part(work.backup, tail), { first: false, last: true }, (writer) =>
    exportRelated(contextOf({ ports, work, plan, tally }, writer), plan.related),
  );
  const parts = [...shards, tail].map((shard) => at.part(work.backup, shard));
  const archive = await concatenate(vault, parts, keys.velero.archive(work.backup));
  return conclude({ ports, work, plan, tally }, archive, started);
}

function contextOf({ ports, work, plan, tally }: RunContext, writer: ArchiveWriter): ExportContext {
  const { cluster } = ports;
  const { labelSelector, orLabelSelectors } = work.selection;
  const selectors = labelSelector ? [labelSelector] : orLabelSelectors;
  const { resourceVersion } = plan;
  const namespaces = new Set(work.namespaces);
  return {
    cluster,
    writer,
    tally,
    resourceVersion,
    namespaces,
    selectors,
    spare: [],
    failed: new Set(),
    silent: new Set(),
    slow: new Set(),
    pauseMs: ports.pauseMs ?? PAUSE_MS,
  };
}

/** Between two attempts to read a list: about as long as an API server needs to serve another version. */
const PAUSE_MS = 1000;

interface WrittenArchive {
  readonly archiveBytes: number;
  readonly sha256: string;
}

async function writeArchive(
  { vault }: ExportPorts,
  key: string,
  part: ArchivePart,
  fill: (writer: ArchiveWriter) => Promise<void>,
): Promise<WrittenArchive> {
  const writer = archiveWriter(part);
  return uploadWhile(
    vault.upload(key, writer.output),
    async () => {
      await fill(writer);
      return writer.end();
    },
    writer.abort,
  );
}

async function concatenate(vault: Vault, parts: readonly string[], key: string): Promise<WrittenArchive> {
  const hash = createHash('sha256');
  const output = new PassThrough();
  let archiveBytes = 0;
  const copy = async () => {
    for (const part of parts) {
      for await (const chunk of (await vault.stream(part)) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        archiveBytes += chunk.length;
        if (!output.write(chunk)) await once(output, 'drain');
      }
    }
    output.end();
    return { archiveBytes, sha256: hash.digest('hex') };
  };
  return uploadWhile(vault.upload(key, output), copy, (error) => output.destroy(error));
}

/** Writes into a stream while it is uploaded. If either fails, aborts the other and throws the first error. */
async function uploadWhile<T>(
  uploading: Promise<unknown>,
  write: () => Promise<T>,
  abort: (error: Error) => void,
): Promise<T> {
  let uploadError: Error | undefined;
  uploading.catch((error: Error) => {
    uploadError = error;
    abort(error);
  });
  try {
    const [written] = await Promise.all([write(), uploading]);
    return written;
  } catch (error) {
    const cause = uploadError ?? (error as Error);
    abort(cause);
    await uploading.catch(() => undefined);
    throw cause;
  }
}

/** Writes the resource list and the fingerprints of an archive; returns the result of the export. */
async function conclude(
  { ports, work, plan, tally }: RunContext,
  { archiveBytes, sha256 }: WrittenArchive,
  started: number,
): Promise<ResourceResult> {
  const { vault, keys } = ports;
  await vault.put(keys.velero.resourceList(work.backup), tally.resourceList());
  const digests = tally.digests();
  await putFingerprints(vault, keys.records.fingerprints(work.backup), digests);
  const inexact = [...tally.inexact].sort();
  const { problems, notes } = problemsOf(work, plan, tally);
  return {
    items: tally.items,
    bytes: tally.bytes,
    archiveBytes,
    sha256,
    resourceVersion: plan.resourceVersion,
    consistency: inexact.length === 0 ? 'exact' : 'per-type',
    inexact,
    unreadable: [...plan.unreadable, ...tally.unreadable].sort(),
    ...(problems.length > 0 && { problems }),
    ...(notes.length > 0 && { notes }),
    types: Object.fromEntries(digests.map(({ type, items, digest }) => [type, { items, digest }])),
    shards: plan.shards.length,
    seconds: Math.round(performance.now() - started) / 1000,
  };
}
