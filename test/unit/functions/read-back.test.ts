import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readBack } from '../../../functions/backup/commit-backup/read-back.ts';
import { resourcesOf } from '../../support/builders.ts';
import { archiveOf, KINDS, thing } from '../../support/restores.ts';

const MAPS = [thing(KINDS.configMaps, 'a'), thing(KINDS.configMaps, 'b')] as const;
const bytesOf = JSON.stringify(MAPS[0][1]).length + JSON.stringify(MAPS[1][1]).length;

const checked = async (body: Buffer, over: object = {}) => {
  const sha256 = createHash('sha256').update(body).digest('hex');
  const result = resourcesOf({ items: 2, bytes: bytesOf, archiveBytes: body.length, sha256, ...over });
  return readBack(Readable.from([body]), result);
};
const damaged = (why: RegExp) => ({ name: 'RecoveryPointDamaged', message: expect.stringMatching(why) });

it('an archive that can be restored is accepted', async () => {
  const { body } = await archiveOf(...MAPS);
  await expect(checked(body)).resolves.toBeUndefined();
});

it('an archive with one name twice gets no record', async () => {
  const { body } = await archiveOf(MAPS[0], MAPS[0]);
  await expect(checked(body)).rejects.toMatchObject(
    damaged(
      /^the archive of this backup cannot be restored: entry .*a\.json occurs twice. Start the backup again/,
    ),
  );
});

it('an archive that lacks an object gets no record', async () => {
  const { body } = await archiveOf(MAPS[0]);
  await expect(checked(body)).rejects.toMatchObject(damaged(/it holds 1 objects, the export wrote 2/));
});

it.each([
  ['other bytes', (body: Buffer) => ({ body, over: { sha256: 'f'.repeat(64) } }), /has sha256/],
  ['no end', (body: Buffer) => ({ body: body.subarray(0, -9), over: {} }), /cannot be restored/],
  ['no archive', () => ({ body: gzipSync('nothing'), over: {} }), /cannot be restored/],
])('an archive with %s gets no record', async (_, change, why) => {
  const { body, over } = change((await archiveOf(...MAPS)).body);
  await expect(checked(body, over)).rejects.toMatchObject(damaged(why));
});
