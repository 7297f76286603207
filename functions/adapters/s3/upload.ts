import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GrowingBuffer } from '../../core/growing-buffer.ts';

/** Bytes of a part: the least that S3 takes but for the last one; with its 10,000 parts 48 GiB fit. */
const PART_BYTES = 5 * 1024 * 1024;
/** Of a chunk of the stream, which may go beyond the end of a part. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Uploads a stream as one object, in parts when it is longer than one. One buffer holds part after part (a library's
 * parts are each memory of their own), so that memory does not grow with the object. After a failure nothing is left.
 */
export async function uploadParts(
  s3: S3Client,
  object: { readonly Bucket: string; readonly Key: string },
  body: Readable,
): Promise<void> {
  const part = new GrowingBuffer(PART_BYTES + CHUNK_BYTES);
  let id: string | undefined;
  const parts: { PartNumber: number; ETag: string | undefined }[] = [];
  const send = async () => {
    id ??= (await s3.send(new CreateMultipartUploadCommand(object))).UploadId;
    const PartNumber = parts.length + 1;
    const { ETag } = await s3.send(
      new UploadPartCommand({ ...object, UploadId: id, PartNumber, Body: part.content() }),
    );
    parts.push({ PartNumber, ETag });
    part.clear();
  };
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      part.append(chunk);
      if (part.length >= PART_BYTES) await send();
    }
    if (id === undefined) {
      await s3.send(new PutObjectCommand({ ...object, Body: part.content() }));
      return;
    }
    if (part.length > 0) await send();
    const all = { ...object, UploadId: id, MultipartUpload: { Parts: parts } };
    await s3.send(new CompleteMultipartUploadCommand(all));
  } catch (error) {
    if (id !== undefined)
      await s3.send(new AbortMultipartUploadCommand({ ...object, UploadId: id })).catch(() => undefined);
    throw error;
  }
}
