import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import type { InventoryObject } from '../../core/vault/replication.ts';
import { type UploadOptions, uploadParts } from './upload.ts';

/** Verbs on one bucket of the vault. */
export interface Vault {
  readonly bucket: string;
  readonly region: string;
  get(key: string): Promise<Buffer>;
  find(key: string): Promise<{ body: Buffer; etag: string } | undefined>;
  stream(key: string): Promise<Readable>;
  exists(key: string): Promise<boolean>;
  metadata(key: string): Promise<Record<string, string>>;
  about(key: string): Promise<ObjectFacts>;
  put(key: string, body: Buffer, options?: PutOptions): Promise<void>;
  /** Writes only if the condition holds; false when another was first. `undefined`: only if nothing is there. */
  putIf(key: string, body: Buffer, etag: string | undefined): Promise<boolean>;
  /** The ETag of what it wrote. */
  upload(key: string, body: Readable, options?: UploadOptions): Promise<string>;
  /** In the order of keys; those after a key, when it is given. */
  list(prefix: string, after?: string): AsyncGenerator<InventoryObject>;
  /** Names of the folders right below a prefix. */
  folders(prefix: string): Promise<string[]>;
  remove(keys: readonly string[]): Promise<void>;
}

/** What S3 says of an object beside its listing. */
export interface ObjectFacts {
  readonly metadata: Record<string, string>;
  /** Hex, of all bytes; only where S3 computed it when it took the object. */
  readonly sha256?: string;
  /** Whether S3's own replication wrote it, with its origin's metadata. */
  readonly byReplication: boolean;
  /** Whether S3's replication is still to copy it elsewhere. */
  readonly underWay: boolean;
}

export interface PutOptions {
  readonly metadata?: Record<string, string>;
  /** Hex; S3 refuses the object when the bytes it received have another one. */
  readonly sha256?: string;
}

const missing = (error: unknown) => ['NoSuchKey', 'NotFound'].includes((error as Error).name);
const lost = (error: unknown) =>
  ['PreconditionFailed', 'ConditionalRequestConflict'].includes((error as Error).name);

/** A client of S3 where the environment says that it is: a world's S3 knows no host names of buckets. */
export const s3Client = (region: string): S3Client =>
  new S3Client({ region, forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined });

export function openVault(bucket: string, region: string, s3 = s3Client(region)): Vault {
  async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (missing(cause))
        throw new HoldfastError('VaultObjectMissing', `${what}: not in bucket ${bucket}`, { cause });
      if (lost(cause) || cause instanceof HoldfastError) throw cause;
      throw new HoldfastError('VaultUnavailable', `${what} in bucket ${bucket}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
  const object = (key: string) => ({ Bucket: bucket, Key: key });
  const fetch = (key: string) => attempt(key, () => s3.send(new GetObjectCommand(object(key))));

  async function find(key: string) {
    try {
      const got = await fetch(key);
      return { body: Buffer.from((await got.Body?.transformToByteArray()) ?? []), etag: got.ETag ?? '' };
    } catch (error) {
      if ((error as Error).name === 'VaultObjectMissing') return undefined;
      throw error;
    }
  }
  const head = (key: string) => attempt(key, () => s3.send(new HeadObjectCommand(object(key))));

  return {
    bucket,
    region,
    find,
    async get(key) {
      const got = await fetch(key);
      return Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    },
    stream: async (key) => (await fetch(key)).Body as Readable,
    async exists(key) {
      try {
        await head(key);
        return true;
      } catch (error) {
        if ((error as Error).name === 'VaultObjectMissing') return false;
        throw error;
      }
    },
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
        // That of an object in parts is one of the parts' checksums.
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
      let token: string | undefined;
      do {
        const page = await attempt(prefix, () =>
          s3.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              ...(token ? { ContinuationToken: token } : after && { StartAfter: after }),
            }),
          ),
        );
        for (const o of page.Contents ?? [])
          yield {
            key: o.Key as string,
            bytes: o.Size ?? 0,
            etag: o.ETag ?? '',
            modified: o.LastModified ?? new Date(0),
          };
        token = page.NextContinuationToken;
      } while (token);
    },
    async folders(prefix) {
      const names: string[] = [];
      let token: string | undefined;
      do {
        const page = await attempt(prefix, () =>
          s3.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              Delimiter: '/',
              ...(token && { ContinuationToken: token }),
            }),
          ),
        );
        for (const p of page.CommonPrefixes ?? []) names.push((p.Prefix as string).slice(prefix.length, -1));
        token = page.NextContinuationToken;
      } while (token);
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
