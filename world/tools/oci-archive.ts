import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';

/** One entry of an image's file system. */
export type ImageEntry =
  | { readonly type: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly type: 'file'; readonly path: string; readonly mode?: number; readonly content: Buffer }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string };

/** An image as people describe it; one layer. */
export interface ImageDescription {
  /** Full name with tag, as pods write it. */
  readonly name: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly entries: readonly ImageEntry[];
}

interface Blob {
  readonly content: Buffer;
  readonly digest: string;
}

/** Makes the OCI archive (a tar file) of an image, the same bytes for the same description. */
export async function ociArchive(image: ImageDescription): Promise<Buffer> {
  const layer = blob(await tar(image.entries));
  const config = jsonBlob(configOf(image, layer));
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const blobs = [layer, config, manifest].map((part): ImageEntry => {
    return { type: 'file', path: `blobs/sha256/${part.digest}`, content: part.content };
  });
  return tar([
    { type: 'file', path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
    { type: 'file', path: 'index.json', content: json(indexOf(image, manifest)) },
    ...blobs,
  ]);
}

function configOf(image: ImageDescription, layer: Blob): unknown {
  return {
    architecture: 'amd64',
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(image.entrypoint && { Entrypoint: image.entrypoint }),
      ...(image.command && { Cmd: image.command }),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer.digest}`] },
    history: [{ created_by: 'holdfast world' }],
  };
}

function indexOf(image: ImageDescription, manifest: Blob): unknown {
  const annotations = {
    'io.containerd.image.name': image.name,
    'org.opencontainers.image.ref.name': image.name.slice(image.name.lastIndexOf(':') + 1),
  };
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const platform = { architecture: 'amd64', os: 'linux' };
  return { schemaVersion: 2, manifests: [{ ...descriptor(type, manifest), platform, annotations }] };
}

async function tar(entries: readonly ImageEntry[]): Promise<Buffer> {
  const archive = pack();
  const whole = buffer(archive);
  for (const entry of entries) await add(archive, entry);
  archive.finalize();
  return whole;
}

/** Waits for the entry to be taken, because the archive holds only a little back. */
function add(archive: ReturnType<typeof pack>, entry: ImageEntry): Promise<void> {
  const header: Partial<Header> & { name: string } = {
    name: entry.path,
    type: entry.type,
    mtime: new Date(0),
    uid: 0,
    gid: 0,
  };
  if (entry.type === 'symlink') header.linkname = entry.target;
  else header.mode = entry.mode ?? (entry.type === 'directory' ? 0o755 : 0o644);
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve());
    if (entry.type === 'file') archive.entry(header, entry.content, done);
    else archive.entry(header, done);
  });
}

function descriptor(mediaType: string, part: Blob) {
  return { mediaType, digest: `sha256:${part.digest}`, size: part.content.length };
}

function jsonBlob(value: unknown): Blob {
  return blob(json(value));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function blob(content: Buffer): Blob {
  return { content, digest: createHash('sha256').update(content).digest('hex') };
}
