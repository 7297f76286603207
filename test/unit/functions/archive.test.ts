import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { readArchive } from '../../../functions/adapters/archive/reader.ts';
import { archiveWriter } from '../../../functions/adapters/archive/writer.ts';
import { TYPES } from '../../../functions/core/well-known.ts';

const digest = (body: Buffer) => createHash('sha256').update(body).digest('hex');

async function written(names: readonly string[]): Promise<{ body: Buffer; sha256: string }> {
  const writer = archiveWriter();
  const reading = buffer(writer.output);
  for (const name of names) {
    await writer.add(TYPES.secrets, name, 'shop', Buffer.from(JSON.stringify({ metadata: { name } })));
  }
  const { sha256 } = await writer.end();
  return { body: await reading, sha256 };
}

async function names(body: Buffer, sha256: string): Promise<string[]> {
  const found: string[] = [];
  await readArchive(Readable.from([body]), sha256, ({ at, object }) =>
    found.push(`${at.namespace}/${object.metadata.name}`),
  );
  return found;
}

describe('an archive', () => {
  it('gives every object back once, names of 200 characters too', async () => {
    const long = 'a'.repeat(200);
    const { body, sha256 } = await written(['one', long]);
    expect(await names(body, sha256)).toEqual(['shop/one', `shop/${long}`]);
  });
  it('knows its own digest', async () => {
    const { body, sha256 } = await written(['one']);
    expect(sha256).toBe(digest(body));
  });
  it('of another digest is refused', async () => {
    const { body } = await written(['one']);
    await expect(names(body, digest(Buffer.from('other')))).rejects.toMatchObject({
      name: 'RecoveryPointDamaged',
    });
  });
  it('that is cut off is refused', async () => {
    const { body } = await written(['one', 'two']);
    const half = body.subarray(0, body.length / 2);
    await expect(names(half, digest(half))).rejects.toMatchObject({ name: 'RecoveryPointDamaged' });
  });
  it('with a link in it is refused', async () => {
    const tar = pack();
    tar.entry({ name: 'resources/x', type: 'symlink', linkname: '/etc/passwd' });
    tar.finalize();
    const body = gzipSync(await buffer(tar));
    await expect(names(body, digest(body))).rejects.toThrow(/is a symlink/);
  });
});
