import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GrowingBuffer } from '../../core/bytes/growing-buffer.ts';
import type { UploadOptions } from '../../ports/vault.ts';

/** Bytes per part: the minimum of S3. With 10,000 parts the maximum object is 48 GiB. */
const PART_BYTES = 5 * 1024 * 1024;
/** S3 allows 10,000. An object of known length is split into fewer, larger parts. */
const MOST_PARTS = 9000;
/** Room for a chunk of the stream that exceeds the end of a part. */
const CHUNK_BYTES = 1024 * 1024;

const partBytes = (bytes = 0): number => Math.max(PART_BYTES, Math.ceil(bytes / MOST_PARTS));
const digestOf = (part: Buffer): string => createHash('sha256').update(part).digest('base64');

/**
 * Uploads a stream as one object, with a multipart upload if it is longer than one part. All parts share one buffer, so
 * that memory does not grow with the object. A failed upload is aborted.
 * Returns the ETag of the new version.
 */
export async function uploadParts(
  s3: S3Client,
  object: { readonly Bucket: string; readonly Key: string },
  body: Readable,
  { bytes, metadata, check }: UploadOptions = {},
): Promise<string> {
  const most = partBytes(bytes);
  const part = new GrowingBuffer(Math.min(bytes ?? most, most) + CHUNK_BYTES);
  const whole = check && createHash('sha256');
  const digest = (): { ChecksumSHA256?: string } =>
    check ? { ChecksumSHA256: digestOf(part.content()) } : {};
  const about = { ...object, ...(metadata && { Metadata: metadata }) };
  let id: string | undefined;
  const parts: { PartNumber: number; ETag: string | undefined; ChecksumSHA256?: string }[] = [];
  const send = async () => {
    const algorithm = check ? { ChecksumAlgorithm: 'SHA256' as const } : {};
    id ??= (await s3.send(new CreateMultipartUploadCommand({ ...about, ...algorithm }))).UploadId;
    const PartNumber = parts.length + 1;
    const sum = digest();
    const sent = { ...object, UploadId: id, PartNumber, Body: part.content(), ...sum };
    const { ETag } = await s3.send(new UploadPartCommand(sent));
    parts.push({ PartNumber, ETag, ...sum });
    part.clear();
  };
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      part.append(chunk);
      whole?.update(chunk);
      if (part.length >= most) await send();
    }
    check?.((whole as Hash).digest('hex'));
    if (id === undefined) {
      const put = new PutObjectCommand({ ...about, Body: part.content(), ...digest() });
      return (await s3.send(put)).ETag ?? '';
    }
    if (part.length > 0) await send();
    const all = { ...object, UploadId: id, MultipartUpload: { Parts: parts } };
    return (await s3.send(new CompleteMultipartUploadCommand(all))).ETag ?? '';
  } catch (error) {
    if (id !== undefined)
      await s3.send(new AbortMultipartUploadCommand({ ...object, UploadId: id })).catch(() => undefined);
    throw error;
  }
}
