import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import {
  type ArchivedObject,
  CAPS,
  type Caps,
  capsFor,
  readArchive,
} from '../../../functions/adapters/archive/reader.ts';
import { archiveWriter } from '../../../functions/adapters/archive/writer.ts';
import { HoldfastError } from '../../../functions/contract/holdfast-error.ts';
import { hasArchivePath } from '../../../functions/core/backup/archive.ts';
import type { ResourceType } from '../../../functions/core/kubernetes/resources.ts';

const PODS: ResourceType = { group: '', version: 'v1', resource: 'pods', kind: 'Pod', namespaced: true };
const PATH = 'resources/pods/v1-preferredversion/namespaces/shop/web.json';
const POD = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}';
const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

interface Thing {
  readonly type: ResourceType;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly json: string;
}

async function write(things: readonly Thing[]) {
  const writer = archiveWriter();
  const bytes = buffer(writer.output);
  for (const t of things) await writer.add(t.type, t.name, t.namespace, Buffer.from(t.json));
  const end = await writer.end();
  return { bytes: await bytes, ...end };
}

async function read(bytes: Buffer, sha256 = digest(bytes)): Promise<ArchivedObject[]> {
  const seen: ArchivedObject[] = [];
  const chunks: Buffer[] = [];
  for (let i = 0; i < bytes.length; i += 1000) chunks.push(bytes.subarray(i, i + 1000));
  await readArchive(Readable.from(chunks), sha256, (entry) => seen.push(entry));
  return seen;
}

/** A tar.gz of entries that the writer would never make. */
type HeaderArgument = Parameters<ReturnType<typeof pack>['entry']>[0];

async function foreign(...entries: [HeaderArgument, string?][]): Promise<Buffer> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header, content ?? '');
  tar.finalize();
  return gzipSync(await buffer(tar));
}

const damaged = (why: RegExp) =>
  expect.objectContaining({ name: 'RecoveryPointDamaged', message: expect.stringMatching(why) });

describe('an archive', () => {
  const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
  const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,230}[a-z0-9])?$/);
  const thing = fc.record({
    type: fc.constantFrom(PODS, { ...PODS, group: 'apps', resource: 'deployments', kind: 'Deployment' }),
    name,
    namespace: fc.option(label, { nil: undefined }),
    json: fc
      .record({ note: fc.string({ unit: 'binary', maxLength: 3000 }), n: fc.integer() })
      .map((o) => JSON.stringify({ metadata: {}, ...o })),
  });

  it('gives back every object once, in order, as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(thing, { maxLength: 12, selector: (t) => `${t.type.group}/${t.namespace}/${t.name}` }),
        async (things) => {
          const { bytes } = await write(things);
          const seen = await read(bytes);
          expect(seen.map((s) => [s.at.name, s.at.namespace, s.raw.toString('utf8')])).toEqual(
            things.map((t) => [t.name, t.namespace, t.json]),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([99, 100, 101, 253])('keeps a name of %i characters', async (length) => {
    const long = 'n'.repeat(length);
    const { bytes } = await write([{ type: PODS, name: long, namespace: 'shop', json: POD }]);
    expect((await read(bytes)).map((s) => s.at.name)).toEqual([long]);
  });

  it('knows its own size and digest', async () => {
    const { bytes, sha256, archiveBytes } = await write([
      { type: PODS, name: 'web', namespace: 'shop', json: POD },
    ]);
    expect({ sha256, archiveBytes }).toEqual({ sha256: digest(bytes), archiveBytes: bytes.length });
  });

  it('begins with its format version and holds each object twice, byte for byte', async () => {
    const { bytes } = await write([{ type: PODS, name: 'web', namespace: 'shop', json: POD }]);
    const tar = gunzipSync(bytes).toString('latin1');
    expect(tar.startsWith('metadata/version\0')).toBe(true);
    expect(tar.split(POD)).toHaveLength(3);
  });

  it('fails its reader when the writing is aborted', async () => {
    const writer = archiveWriter();
    const reading = buffer(writer.output);
    await writer.add(PODS, 'web', 'shop', Buffer.from(POD));
    writer.abort(new Error('the cluster is gone'));
    await expect(reading).rejects.toThrow('the cluster is gone');
  });
});

describe('an archive that is aborted before its first byte was read', () => {
  it('leaves no rejection that nobody hears', async () => {
    const unheard: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', (e) => unheard.push(e));
    try {
      const writer = archiveWriter();
      writer.output.on('error', () => undefined);
      writer.abort(new Error('the cluster is gone'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
    expect(unheard).toEqual([]);
  });
});

describe('a damaged archive', () => {
  it('is refused when its digest is not the one of its record', async () => {
    const { bytes } = await write([{ type: PODS, name: 'web', namespace: 'shop', json: POD }]);
    await expect(read(bytes, digest(Buffer.from('other')))).rejects.toEqual(damaged(/but its record has/));
  });

  it('is refused when bytes follow its end', async () => {
    const { bytes, sha256 } = await write([{ type: PODS, name: 'web', namespace: 'shop', json: POD }]);
    await expect(read(Buffer.concat([bytes, Buffer.alloc(5000)]), sha256)).rejects.toEqual(damaged(/sha256/));
  });

  it('is refused wherever it is cut off', async () => {
    const { bytes, sha256 } = await write([{ type: PODS, name: 'web', namespace: 'shop', json: POD }]);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
        await expect(read(bytes.subarray(0, length), sha256)).rejects.toEqual(damaged(/./));
      }),
      { numRuns: 50 },
    );
  });

  it('is refused with its own digest when its compression is cut off', async () => {
    const { bytes } = await write([{ type: PODS, name: 'web', namespace: 'shop', json: POD }]);
    await expect(read(bytes.subarray(0, -20))).rejects.toEqual(damaged(/cannot be read/));
  });

  it.each(['symlink', 'link'] as const)('is refused for a %s', async (type) => {
    const bytes = await foreign([{ name: PATH, type, linkname: '/etc/passwd' }]);
    await expect(read(bytes)).rejects.toEqual(damaged(new RegExp(`is a ${type}, not a file`)));
  });

  it('is refused for a link even where no object would be read', async () => {
    const bytes = await foreign([{ name: 'metadata/version', type: 'symlink', linkname: '/etc/passwd' }]);
    await expect(read(bytes)).rejects.toEqual(damaged(/is a symlink/));
  });

  const capped = async (bytes: Buffer, caps: Partial<Caps>) => {
    let objects = 0;
    await readArchive(Readable.from([bytes]), undefined, () => objects++, { ...CAPS, ...caps });
    return objects;
  };
  it('is refused for an entry, a number of entries or a size beyond its caps', async () => {
    const two = await foreign([{ name: PATH }, POD], [{ name: PATH.replace('web', 'db') }, POD]);
    await expect(capped(two, { entryBytes: POD.length - 1 })).rejects.toEqual(
      damaged(/has 58 bytes, more than 57/),
    );
    await expect(capped(two, { entries: 1 })).rejects.toEqual(damaged(/more than 1 entries/));
    await expect(capped(two, { totalBytes: 1000 })).rejects.toEqual(damaged(/more than 1000 bytes/));
    expect(await capped(two, { entryBytes: POD.length, entries: 2 })).toBe(2);
  });

  it('is refused when it is a bomb', async () => {
    const zeros = gzipSync(Buffer.alloc(80 * 1024 * 1024));
    const bomb = Buffer.concat([zeros, zeros]);
    await expect(capped(bomb, {})).rejects.toEqual(damaged(/is a decompression bomb|cannot be read/));
  });

  it('is refused when an object is there twice', async () => {
    await expect(read(await foreign([{ name: PATH }, POD], [{ name: PATH }, POD]))).rejects.toEqual(
      damaged(/occurs twice/),
    );
  });

  it.each([0, 20])(
    'whose source fails after %d bytes is no damaged one: the error is the source’s',
    async (at) => {
      const { bytes } = await write([{ type: PODS, name: 'web', namespace: 'shop', json: POD }]);
      const failure = new HoldfastError('VaultUnavailable', 'connection reset');
      const torn = Readable.from(
        (async function* () {
          yield bytes.subarray(0, at);
          throw failure;
        })(),
      );
      await expect(readArchive(torn, undefined, () => undefined)).rejects.toBe(failure);
    },
  );

  it('lets through what its visitor throws', async () => {
    const { bytes } = await write([{ type: PODS, name: 'web', namespace: 'shop', json: POD }]);
    const mine = new TypeError('mine');
    await expect(
      readArchive(Readable.from([bytes]), undefined, () => {
        throw mine;
      }),
    ).rejects.toBe(mine);
  });

  it('of two gzip members is one archive', async () => {
    const first = archiveWriter({ first: true, last: false });
    const last = archiveWriter({ first: false, last: true });
    const parts = [buffer(first.output), buffer(last.output)];
    await first.add(PODS, 'a', 'shop', Buffer.from(POD));
    await last.add(PODS, 'b', 'shop', Buffer.from(POD));
    await Promise.all([first.end(), last.end()]);
    expect((await read(Buffer.concat(await Promise.all(parts)))).map((s) => s.at.name)).toEqual(['a', 'b']);
  });

  it('is refused when it is no archive at all', async () => {
    await expect(read(Buffer.from('not gzip'))).rejects.toEqual(damaged(/cannot be read/));
  });

  it('tells where a whole copy may be', async () => {
    await expect(read(Buffer.from('not gzip'))).rejects.toThrow('"from": "replica"');
  });
});

describe('an archive of our own whose objects compress well', () => {
  const MIB = 1024 * 1024;
  const blob = (i: number) => `{"metadata":{"name":"b${i}"},"data":{"x":"${'x'.repeat(MIB)}"}}`;
  const things = Array.from({ length: 40 }, (_, i) => ({
    type: PODS,
    name: `b${i}`,
    namespace: 'shop',
    json: blob(i),
  }));
  const size = { items: 40, bytes: things.reduce((sum, t) => sum + t.json.length, 0) };
  const readWith = async (bytes: Buffer, known: typeof size | undefined) => {
    let objects = 0;
    await readArchive(Readable.from([bytes]), undefined, () => objects++, capsFor(known));
    return objects;
  };

  it('is read by the sizes of its record, and refused without a record', async () => {
    const { bytes } = await write(things);
    expect(await readWith(bytes, size)).toBe(40);
    await expect(readWith(bytes, undefined)).rejects.toEqual(damaged(/bomb/));
  });

  it('is refused as soon as it is larger than its record says', async () => {
    const { bytes } = await write(things);
    await expect(readWith(bytes, { ...size, items: 39 })).rejects.toEqual(damaged(/more than 79 entries/));
    await expect(readWith(bytes, { ...size, bytes: 39 * MIB })).rejects.toEqual(
      damaged(/more than \d+ bytes/),
    );
  });

  it('is within the sizes of its record, whatever names and objects it has', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 500 }), { maxLength: 8 }),
        fc.string(),
        async (names, text) => {
          const all = names
            .filter((n) => hasArchivePath(PODS, n, 'shop'))
            .map((n) => ({ type: PODS, name: n, namespace: 'shop', json: JSON.stringify(text) }));
          const { bytes } = await write(all);
          const bytesOf = all.reduce((sum, t) => sum + Buffer.byteLength(t.json), 0);
          expect(await readWith(bytes, { items: all.length, bytes: bytesOf })).toBe(all.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("an archive of Velero's format 1, which has each object once", () => {
  const OLD = 'resources/deployments.apps/namespaces/shop/web.json';
  const body = '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"}}';
  const version = (text: string): [HeaderArgument, string] => [{ name: 'metadata/version' }, text];
  const web = { groupResource: 'deployments.apps', version: 'v1', namespace: 'shop', name: 'web' };

  it.each([[[version('1\n')]], [[]]])('is read at the version that each object says: %j', async (first) => {
    const seen = await read(await foreign(...first, [{ name: OLD }, body]));
    expect(seen.map((s) => [s.at, s.raw.toString()])).toEqual([[web, body]]);
  });

  it.each(['{}', '[', 'null', '{"apiVersion":7}', '{"apiVersion":"apps/"}'])(
    'is refused when an object is %s and says no version',
    async (text) => {
      await expect(read(await foreign(version('1'), [{ name: OLD }, text]))).rejects.toEqual(
        damaged(/has no apiVersion/),
      );
    },
  );

  it('is refused when it says to be of a later format: nothing may be passed over', async () => {
    await expect(read(await foreign(version('1.1.0'), [{ name: OLD }, body]))).rejects.toEqual(
      damaged(/1 of its objects are not stored at a preferred version/),
    );
  });
});

describe('an entry of a foreign archive', () => {
  it.each([
    'resources/pods/v1-preferredversion/namespaces/../web.json',
    '../etc/passwd',
    '/etc/passwd',
    'resources/pods/web.json',
    'resources/pods/a/b/c/cluster/web.json',
  ])('with an entry %s refuses it all', async (outside) => {
    await expect(read(await foreign([{ name: outside }, POD]))).rejects.toEqual(
      damaged(/is not the path of an object/),
    );
  });
});
