import { createCipheriv, createHash, randomBytes, scryptSync } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { poly1305 } from '@noble/ciphers/_poly1305.js';
import type { MemoryVault } from './memory-vault.ts';
import { resticId } from './restic-id.ts';

/** Writes repositories as restic does, but with a key that costs nothing to derive, for tests of what reads them. */

interface Key {
  readonly encrypt: Buffer;
  readonly k: Buffer;
  readonly r: Buffer;
}

/** Where a repository is written: without a call, so that a test that counts the calls of a function counts none of these. */
type Place = Pick<MemoryVault, 'objects'>;

/** Cost of the key: the least that scrypt knows. */
export const CHEAP = { N: 2, r: 1, p: 1 } as const;

const sha256 = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

function sealed({ encrypt, k, r }: Key, text: Buffer): Buffer {
  const iv = randomBytes(16);
  const body = createCipheriv('aes-256-ctr', encrypt, iv).update(text);
  const pad = createCipheriv('aes-128-ecb', k, null).update(iv);
  return Buffer.concat([iv, body, poly1305(body, Buffer.concat([r, pad]))]);
}

/** A snapshot as restic stores it. What a test does not say is that of the volume shop/data of the backup daily-1. */
export interface SnapshotText {
  readonly time?: unknown;
  readonly tree?: unknown;
  readonly hostname?: unknown;
  readonly paths?: unknown;
  readonly tags?: unknown;
  readonly summary?: unknown;
}

export const SNAPSHOT = {
  time: '2026-01-31T02:00:10.123456789+01:00',
  tree: resticId('tree'),
  hostname: 'paris',
  paths: ['/data/shop/data'],
  tags: ['backup=daily-1', 'plan=daily', 'pvc=data'],
  username: 'root',
  program_version: 'restic 0.19.1',
  summary: { total_files_processed: 3, total_bytes_processed: 40, files_new: 3 },
};

/** A repository, of which each method writes an object. */
export class ResticWriter {
  private readonly key: Key = { encrypt: randomBytes(32), k: randomBytes(16), r: randomBytes(16) };
  private readonly place: Place;
  private readonly repository: string;

  constructor(place: Place, repository: string) {
    this.place = place;
    this.repository = repository;
  }

  /** A repository with a key for a password, and its config. */
  static create(place: Place, repository: string, password: string): ResticWriter {
    const writer = new ResticWriter(place, repository);
    writer.addKey(password);
    writer.putConfig({ version: 2, id: resticId(repository), chunker_polynomial: '25b468838dcb75' });
    return writer;
  }

  private put(path: string, body: Buffer): void {
    this.place.objects.set(`${this.repository}/${path}`, { body, metadata: {} });
  }

  putConfig(config: unknown): void {
    this.put('config', sealed(this.key, Buffer.from(JSON.stringify(config))));
  }

  /** Adds a key file, and returns its id. `over`: what is different in it. */
  addKey(password: string, over: Record<string, unknown> = {}): string {
    const salt = randomBytes(64);
    const derived = scryptSync(password, salt, 64, CHEAP);
    const { encrypt, k, r } = this.key;
    const master = { mac: { k: b64(k), r: b64(r) }, encrypt: b64(encrypt) };
    const user = {
      encrypt: derived.subarray(0, 32),
      k: derived.subarray(32, 48),
      r: derived.subarray(48),
    };
    const data = b64(sealed(user, Buffer.from(JSON.stringify(master))));
    const file = { created: '2026-01-31T02:00:00Z', kdf: 'scrypt', ...CHEAP, salt: b64(salt), data, ...over };
    return this.named('keys', Buffer.from(JSON.stringify(file)));
  }

  /** Writes a snapshot, and returns its id. */
  snapshot(over: SnapshotText = {}): string {
    const text = Buffer.from(JSON.stringify({ ...SNAPSHOT, ...over }));
    return this.document(Buffer.concat([Buffer.of(2), zstdCompressSync(text)]));
  }

  /** Writes any plaintext as a snapshot. */
  document(text: Buffer): string {
    return this.named('snapshots', sealed(this.key, text));
  }

  /** Writes bytes under their name. */
  named(folder: string, body: Buffer): string {
    const id = sha256(body);
    this.put(`${folder}/${id}`, body);
    return id;
  }
}

const b64 = (bytes: Buffer): string => bytes.toString('base64');
