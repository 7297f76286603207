import {
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import type { Retention } from '../../core/retention/object-lock.ts';
import { s3Client } from './vault.ts';

/** A place in a listing of versions. */
export interface VersionMarker {
  readonly key: string;
  readonly version?: string | undefined;
}

export interface StoredVersion {
  readonly key: string;
  readonly version: string;
  /** The newest thing under its key is a delete marker, as far as this page shows. */
  readonly deleted: boolean;
}

export interface VersionPage {
  readonly versions: readonly StoredVersion[];
  /** Where the next page begins; absent on the last one. */
  readonly next: VersionMarker | undefined;
}

/** Verbs on the locks of one bucket. None of them can shorten a lock or remove anything. */
export interface LockedBucket {
  readonly bucket: string;
  /** Versions below a prefix, in S3's order, up to a thousand; `after` is where the page before ended. */
  versions(prefix: string, after: VersionMarker | undefined): Promise<VersionPage>;
  retention(version: StoredVersion): Promise<Retention | undefined>;
  extend(version: StoredVersion, to: Retention): Promise<void>;
}

export function openLocks(
  bucket: string,
  region: string,
  s3 = s3Client(region),
  pageSize = 1000,
): LockedBucket {
  const failed = (what: string) => (cause: Error) => {
    if (cause.name === 'InvalidRequest' && /missing object ?lock ?configuration/i.test(cause.message))
      throw new HoldfastError('VaultNotLocked', `bucket ${bucket} has no Object Lock: ${cause.message}`, {
        cause,
        hint: 'Deploy the vault stacks with vault.objectLock first',
      });
    throw new HoldfastError('VaultUnavailable', `${what} in bucket ${bucket}: ${messageOf(cause)}`, {
      cause,
    });
  };
  const object = ({ key, version }: StoredVersion) => ({ Bucket: bucket, Key: key, VersionId: version });

  return {
    bucket,
    async versions(prefix, after) {
      const place = {
        ...(after && { KeyMarker: after.key }),
        ...(after?.version && { VersionIdMarker: after.version }),
      };
      const page = await s3
        .send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, MaxKeys: pageSize, ...place }))
        .catch(failed(prefix));
      const deleted = new Set((page.DeleteMarkers ?? []).filter((m) => m.IsLatest).map((m) => m.Key));
      return {
        versions: (page.Versions ?? []).map((v) => ({
          key: v.Key as string,
          version: v.VersionId as string,
          deleted: deleted.has(v.Key),
        })),
        next: page.IsTruncated
          ? { key: page.NextKeyMarker as string, version: page.NextVersionIdMarker }
          : undefined,
      };
    },
    async retention(version) {
      try {
        const { Retention: found } = await s3.send(new GetObjectRetentionCommand(object(version)));
        if (!found?.Mode || !found.RetainUntilDate) return undefined;
        return { mode: found.Mode, until: found.RetainUntilDate };
      } catch (error) {
        // S3's word for a version without a lock in a bucket that has locks.
        if ((error as Error).name === 'NoSuchObjectLockConfiguration') return undefined;
        return failed(version.key)(error as Error);
      }
    },
    async extend(version, { mode, until }) {
      const Retention = { Mode: mode, RetainUntilDate: until };
      await s3
        .send(new PutObjectRetentionCommand({ ...object(version), Retention }))
        .catch(failed(version.key));
    },
  };
}
