import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutObjectTaggingCommand,
  type S3Client,
  type ObjectVersion as S3Version,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { compareKeys } from '../../core/vault/key-order.ts';
import type { ObjectVersion } from '../../core/vault/rewind.ts';
import { type OldVersionRule, shortestDays } from '../../core/vault/rewind-reach.ts';
import type { VersionedBucket } from '../../ports/versioned-bucket.ts';
import { unavailable } from './unavailable.ts';
import { s3Client } from './vault.ts';

/** Maximum size of a single CopyObject; larger objects are copied in parts. */
const MOST_BYTES = 5 * 1024 ** 3;
const PART_BYTES = 512 * 1024 ** 2;
/** S3 allows 10,000. */
const MOST_PARTS = 9000;
/**
 * Tag with the version id of a copy's origin. A tag instead of metadata, because writing it needs a permission that no
 * Holdfast role has. So an attacker who can only write objects cannot make an object look like a copy.
 */
const COPY_OF = 'holdfast-copy-of';

export function openVersions(
  bucket: string,
  region: string,
  s3 = s3Client(region),
  pieceBytes = MOST_BYTES,
): VersionedBucket {
  async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw unavailable(what, bucket, cause);
    }
  }
  return {
    bucket,
    kept: (prefixes) =>
      attempt('its lifecycle', async () => {
        const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket: bucket }));
        const days = shortestDays(await oldVersionRules(s3, bucket), prefixes);
        return { versioned: Status === 'Enabled', ...(days !== undefined && { days }) };
      }),
    async *versions(prefix) {
      let open = new Map<string, ObjectVersion[]>();
      let page: ListObjectVersionsCommandOutput | undefined;
      do {
        const from = page && { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
        page = await attempt(prefix, () =>
          s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...from })),
        );
        for (const v of inOrder(page)) open.set(v.key, [...(open.get(v.key) ?? []), v]);
        const unfinished = page.IsTruncated ? page.NextKeyMarker : undefined; // its versions may go on
        for (const [key, versions] of open) if (key !== unfinished) yield versions as [ObjectVersion];
        open = new Map([...open].filter(([key]) => key === unfinished));
      } while (page.IsTruncated);
    },
    async withOrigin(version) {
      const { TagSet = [] } = await attempt(version.key, () =>
        s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: version.key, VersionId: version.id })),
      );
      const copyOf = TagSet.find((tag) => tag.Key === COPY_OF)?.Value;
      return copyOf === undefined ? version : { ...version, copyOf };
    },
    bringBack: (version) =>
      attempt(version.key, () =>
        version.bytes > pieceBytes
          ? copyParts(s3, bucket, version, pieceBytes)
          : copyWhole(s3, bucket, version),
      ),
  };
}

/** The rules of a bucket's lifecycle that remove earlier versions. */
async function oldVersionRules(s3: S3Client, bucket: string): Promise<OldVersionRule[]> {
  const rules = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })).then(
    ({ Rules = [] }) => Rules,
    (error: Error) => {
      if (error.name !== 'NoSuchLifecycleConfiguration') throw error;
      return [];
    },
  );
  return rules.flatMap(({ Status, Filter, Prefix, NoncurrentVersionExpiration }) => {
    const days = NoncurrentVersionExpiration?.NoncurrentDays;
    if (Status !== 'Enabled' || days === undefined) return [];
    return [{ prefix: Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? '', days }];
  });
}

/**
 * A page's versions and delete markers as one list, by key and newest first. S3 returns two lists with timestamps in whole
 * seconds. If a version and a delete marker have the same second, the version counts as newer, unless S3 marks the latest.
 */
function inOrder({ Versions = [], DeleteMarkers = [] }: ListObjectVersionsCommandOutput): ObjectVersion[] {
  const version = (deleted: boolean) => (v: Listed) => ({
    latest: v.IsLatest === true,
    version: {
      key: v.Key as string,
      id: v.VersionId ?? 'null',
      at: v.LastModified ?? new Date(0),
      deleted,
      bytes: v.Size ?? 0,
    },
  });
  return [...Versions.map(version(false)), ...DeleteMarkers.map(version(true))]
    .sort(
      (a, b) =>
        compareKeys(a.version.key, b.version.key) ||
        Number(b.latest) - Number(a.latest) ||
        b.version.at.getTime() - a.version.at.getTime(),
    )
    .map(({ version }) => version);
}

/** Fields that versions and delete markers have in common. */
type Listed = Pick<S3Version, 'Key' | 'VersionId' | 'LastModified' | 'IsLatest' | 'Size'>;

const source = (bucket: string, { key, id }: ObjectVersion): string =>
  `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}?versionId=${encodeURIComponent(id)}`;

async function copyWhole(s3: S3Client, Bucket: string, version: ObjectVersion): Promise<void> {
  await s3.send(
    new CopyObjectCommand({
      Bucket,
      Key: version.key,
      CopySource: source(Bucket, version),
      TaggingDirective: 'REPLACE',
      Tagging: new URLSearchParams({ [COPY_OF]: version.id }).toString(),
    }),
  );
}

/** Copies an object in parts. The copy is created at the end; a failed upload is aborted. */
async function copyParts(
  s3: S3Client,
  Bucket: string,
  version: ObjectVersion,
  pieceBytes: number,
): Promise<void> {
  const object = { Bucket, Key: version.key };
  const head = await s3.send(new HeadObjectCommand({ ...object, VersionId: version.id }));
  const { Metadata, ContentType, ContentEncoding } = head;
  const about = { Metadata, ContentType, ContentEncoding };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...object, ...about }));
  const upload = { ...object, UploadId };
  const size = Math.max(Math.min(pieceBytes, PART_BYTES), Math.ceil(version.bytes / MOST_PARTS));
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  try {
    for (let at = 0; at < version.bytes; at += size) {
      const PartNumber = Parts.length + 1;
      const range = `bytes=${at}-${Math.min(at + size, version.bytes) - 1}`;
      const part = { ...upload, PartNumber, CopySource: source(Bucket, version), CopySourceRange: range };
      const { CopyPartResult } = await s3.send(new UploadPartCopyCommand(part));
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    const whole = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
    const { VersionId } = await s3.send(whole);
    const Tagging = { TagSet: [{ Key: COPY_OF, Value: version.id }] };
    await s3.send(new PutObjectTaggingCommand({ ...object, VersionId, Tagging }));
  } catch (error) {
    await s3.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}
