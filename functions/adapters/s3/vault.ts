import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { digestOf } from '../../core/bytes/digest.ts';
import type { Vault } from '../../ports/vault.ts';
import { unavailable } from './unavailable.ts';
import { uploadParts } from './upload.ts';

const missing = (error: unknown) => ['NoSuchKey', 'NotFound'].includes((error as Error).name);
const lost = (error: unknown) =>
  ['PreconditionFailed', 'ConditionalRequestConflict'].includes((error as Error).name);

/** An S3 client. With AWS_ENDPOINT_URL (the local test environment) it uses path-style URLs. */
export const s3Client = (region: string): S3Client =>
  new S3Client({ region, forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined });

/** A body whose errors are mapped by `failure`. Destroying it closes the connection. */
function reading(body: Readable, failure: (cause: unknown) => Error): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      yield* body as AsyncIterable<Buffer>;
    } catch (cause) {
      throw failure(cause);
    }
  }
  body.on('error', () => undefined); // the first read throws an earlier error
  return Readable.from(chunks(), { objectMode: false }).once('close', () => body.destroy());
}

/** The result of a read; undefined if the object does not exist. */
async function orMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if ((error as Error).name === 'VaultObjectMissing') return undefined;
    throw error;
  }
}

export function openVault(bucket: string, region: string, s3 = s3Client(region)): Vault {
  async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (missing(cause))
        throw new HoldfastError('VaultObjectMissing', `${what} does not exist in bucket ${bucket}`, {
          cause,
        });
      if (lost(cause) || cause instanceof HoldfastError) throw cause;
      throw unavailable(what, bucket, cause);
    }
  }
  const object = (key: string) => ({ Bucket: bucket, Key: key });
  const fetch = (key: string) => s3.send(new GetObjectCommand(object(key)));
  /** Includes reading the body, which can fail too. */
  const fetchWhole = (key: string) =>
    attempt(key, async () => {
      const got = await fetch(key);
      return { body: Buffer.from((await got.Body?.transformToByteArray()) ?? []), etag: got.ETag ?? '' };
    });
  const stream = async (key: string): Promise<Readable> => {
    const { Body } = await attempt(key, () => fetch(key));
    return reading(Body as Readable, (cause) => unavailable(`interrupted read of ${key}`, bucket, cause));
  };
  const head = (key: string) => attempt(key, () => s3.send(new HeadObjectCommand(object(key))));
  /** Pages of a listing below a prefix. Later requests omit StartAfter: they have a continuation token. */
  async function* pages(
    prefix: string,
    first: Pick<ListObjectsV2CommandInput, 'StartAfter' | 'Delimiter'>,
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    const { Delimiter } = first;
    let token: string | undefined;
    do {
      const place = token ? { Delimiter, ContinuationToken: token } : first;
      const query = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...place });
      const page = await attempt(prefix, () => s3.send(query));
      yield page;
      token = page.NextContinuationToken;
    } while (token);
  }

  return {
    bucket,
    region,
    find: (key) => orMissing(() => fetchWhole(key)),
    get: async (key) => (await fetchWhole(key)).body,
    stream,
    digest: (key) => orMissing(async () => digestOf(await stream(key))),
    exists: async (key) => (await orMissing(() => head(key))) !== undefined,
    metadata: async (key) => (await head(key)).Metadata ?? {},
    async about(key) {
      const command = new HeadObjectCommand({ ...object(key), ChecksumMode: 'ENABLED' });
      const { Metadata, ChecksumSHA256, ChecksumType, ReplicationStatus } = await attempt(key, () =>
        s3.send(command),
      );
      return {
        metadata: Metadata ?? {},
        byReplication: ReplicationStatus === 'REPLICA',
        underWay: ReplicationStatus === 'PENDING',
        // The checksum of a multipart object is a checksum of the parts' checksums.
        ...(ChecksumSHA256 &&
          ChecksumType === 'FULL_OBJECT' && {
            sha256: Buffer.from(ChecksumSHA256, 'base64').toString('hex'),
          }),
      };
    },
    async put(key, body, { metadata, sha256: hex } = {}) {
      const checksum = hex
        ? Buffer.from(hex, 'hex').toString('base64')
        : createHash('sha256').update(body).digest('base64');
      await attempt(key, () =>
        s3.send(
          new PutObjectCommand({
            ...object(key),
            Body: body,
            ChecksumSHA256: checksum,
            ...(metadata && { Metadata: metadata }),
          }),
        ),
      );
    },
    async putIf(key, body, etag) {
      try {
        const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
        await attempt(key, () => s3.send(new PutObjectCommand({ ...object(key), Body: body, ...condition })));
        return true;
      } catch (error) {
        if (lost(error) || (etag !== undefined && (error as Error).name === 'VaultObjectMissing'))
          return false;
        throw error;
      }
    },
    upload: (key, body, options) => attempt(key, () => uploadParts(s3, object(key), body, options)),
    async *list(prefix, after) {
      for await (const { Contents = [] } of pages(prefix, after ? { StartAfter: after } : {}))
        for (const o of Contents)
          yield {
            key: o.Key as string,
            bytes: o.Size ?? 0,
            etag: o.ETag ?? '',
            modified: o.LastModified ?? new Date(0),
          };
    },
    async folders(prefix) {
      const names: string[] = [];
      for await (const { CommonPrefixes = [] } of pages(prefix, { Delimiter: '/' }))
        names.push(...CommonPrefixes.map((p) => (p.Prefix as string).slice(prefix.length, -1)));
      return names;
    },
    async remove(keys) {
      for (let i = 0; i < keys.length; i += 1000) {
        const Objects = keys.slice(i, i + 1000).map((Key) => ({ Key }));
        const result = await attempt('removal', () =>
          s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } })),
        );
        const bad = result.Errors?.[0];
        if (bad) throw new HoldfastError('VaultUnavailable', `${bad.Key} cannot be removed: ${bad.Message}`);
      }
    },
  };
}
