import {
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { LockedBucket, StoredVersion } from '../../ports/locked-bucket.ts';
import { unavailable } from './unavailable.ts';
import { s3Client } from './vault.ts';

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
    throw unavailable(what, bucket, cause);
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
        // The version has no lock, but the bucket has Object Lock.
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
