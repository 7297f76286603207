import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../functions/core/errors.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { makeVault, REGION } from '../support/world.ts';

const MIB = 1024 * 1024;
let vault: Vault;

beforeAll(async () => {
  vault = await makeVault('uploads');
});

/** A stream of these bytes in chunks that do not divide a part. */
const streamOf = (bytes: Buffer, failAfter = Number.POSITIVE_INFINITY): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 700_001) {
        if (at >= failAfter) throw new Error('the reader broke');
        yield bytes.subarray(at, at + 700_001);
      }
    })(),
  );

describe('an upload', () => {
  it.each([0, 1, 3 * MIB, 8 * MIB, 20 * MIB])('of %i bytes is the very bytes of its stream', async (size) => {
    const bytes = randomBytes(size);
    await vault.upload(`of-${size}`, streamOf(bytes));
    expect((await vault.get(`of-${size}`)).equals(bytes)).toBe(true);
  });

  it.each([3 * MIB, 20 * MIB])(
    'of %i bytes is checked as a whole, and keeps what is said of it',
    async (size) => {
      const bytes = randomBytes(size);
      const sums: string[] = [];
      const options = {
        bytes: size,
        metadata: { of: 'a test' },
        check: (sha256: string) => void sums.push(sha256),
      };
      await vault.upload(`checked-${size}`, streamOf(bytes), options);
      expect(sums).toEqual([createHash('sha256').update(bytes).digest('hex')]);
      expect((await vault.get(`checked-${size}`)).equals(bytes)).toBe(true);
      expect(await vault.metadata(`checked-${size}`)).toEqual({ of: 'a test' });
    },
  );

  it.each([3 * MIB, 20 * MIB])('of %i bytes that is not what was promised leaves no object', async (size) => {
    const refused = vault.upload(`refused-${size}`, streamOf(randomBytes(size)), {
      check: () => {
        throw new HoldfastError('RecoveryPointDamaged', 'not what was promised');
      },
    });
    await expect(refused).rejects.toMatchObject({ name: 'RecoveryPointDamaged' });
    expect(await vault.exists(`refused-${size}`)).toBe(false);
  });

  it('whose stream fails in a later part leaves no object and no parts', async () => {
    const failing = vault.upload('broken', streamOf(randomBytes(20 * MIB), 12 * MIB));
    await expect(failing).rejects.toThrow('the reader broke');
    expect(await vault.exists('broken')).toBe(false);
    const s3 = new S3Client({ region: REGION, forcePathStyle: true });
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'uploads' }));
    expect(Uploads).toEqual([]);
  });
});
