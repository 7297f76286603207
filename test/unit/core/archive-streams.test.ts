import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { type ArchivedObject, readArchive } from '../../../functions/adapters/archive/reader.ts';
import { archiveWriter } from '../../../functions/adapters/archive/writer.ts';
import type { ResourceType } from '../../../functions/core/resources.ts';

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
      fc.asyncProperty(fc.array(thing, { maxLength: 12 }), async (things) => {
        const { bytes } = await write(things);
        const seen = await read(bytes);
        expect(seen.map((s) => [s.at.name, s.at.namespace, s.object])).toEqual(
          things.map((t) => [t.name, t.namespace, JSON.parse(t.json)]),
        );
      }),
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
    await expect(read(bytes, digest(Buffer.from('other')))).rejects.toEqual(damaged(/its record says/));
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

  it('is refused for an object of more than 8 MiB', async () => {
    const bytes = await foreign([{ name: PATH }, `"${'x'.repeat(8 * 1024 * 1024)}"`]);
    await expect(read(bytes)).rejects.toEqual(damaged(/has 8388610 bytes/));
  });

  it('is not refused for an object of 8 MiB', async () => {
    const bytes = await foreign([{ name: PATH }, `"${'x'.repeat(8 * 1024 * 1024 - 2)}"`]);
    expect(await read(bytes)).toHaveLength(1);
  });

  it('is refused for an entry that is not JSON', async () => {
    await expect(read(await foreign([{ name: PATH }, '{"kind":']))).rejects.toEqual(
      damaged(/cannot be read/),
    );
  });

  it('is refused when it is no archive at all', async () => {
    await expect(read(Buffer.from('not gzip'))).rejects.toEqual(damaged(/cannot be read/));
  });

  it('tells where a whole copy may be', async () => {
    await expect(read(Buffer.from('not gzip'))).rejects.toThrow('"from": "replica"');
  });
});

describe('an entry of a foreign archive', () => {
  it('that leads out of its folder is passed over', async () => {
    const outside = 'resources/pods/v1-preferredversion/namespaces/../web.json';
    const bytes = await foreign([{ name: outside }, POD], [{ name: PATH }, POD]);
    expect((await read(bytes)).map((s) => s.at.namespace)).toEqual(['shop']);
  });
});
