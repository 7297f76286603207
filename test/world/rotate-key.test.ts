import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryKeys } from '../../cli/repository-keys.ts';
import { type RepositoryKeys, rotateKey } from '../../cli/rotate-key.ts';
import { putJson } from '../../functions/adapters/s3/documents.ts';
import { openSecret, type VersionedSecret } from '../../functions/adapters/secrets/versions.ts';
import { masterSecretName } from '../../functions/contract/names.ts';
import { repositoryPassword, repositoryUrl } from '../../functions/core/restic/repository.ts';
import { leaseFor } from '../../functions/core/vault/lease.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { restic } from '../../world/tools/go.ts';
import { folderOf } from '../../world/tools/provide.ts';
import { makeOwnVault } from '../support/own-vault.ts';
import { REGION } from '../support/world.ts';
import { holdfastWith } from './cli.ts';

// Real repositories, a real restic and a secret with versions; nothing is deployed.
const CLUSTER = 'rotation';
const keys = vaultKeys(CLUSTER);
const repository = keys.restic.repository('shop');
const secret = openSecret(masterSecretName(CLUSTER), REGION);
const endpoint = process.env.AWS_ENDPOINT_URL ?? '';
const folder = mkdtempSync(join(tmpdir(), 'rotation-data-'));
let copies: Vault[] = [];
let holdfast: (...args: string[]) => string;

const current = async () => (await secret.read()).current.value;
const masters: string[] = [];

/** restic on one copy with the password that a master secret gives; its exit code and what it said. */
function resticIn(vault: Vault, master: string, ...args: string[]) {
  const env = {
    ...process.env,
    RESTIC_REPOSITORY: repositoryUrl(endpoint, vault.bucket, repository),
    RESTIC_PASSWORD: repositoryPassword(master, repository),
    AWS_DEFAULT_REGION: vault.region,
  };
  const { status, stdout, stderr } = spawnSync('restic', [...args, '--no-cache'], { env, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}
/** Codes of restic on both copies: 0 opens, 12 is a wrong password. */
const codes = (master: string) => copies.map((vault) => resticIn(vault, master, 'cat', 'config').status);
const keyNames = async (vault: Vault) => {
  const names: string[] = [];
  for await (const { key } of vault.list(`${repository}/keys/`)) names.push(key);
  return names;
};

beforeAll(async () => {
  process.env.PATH = `${folderOf(restic)}:${process.env.PATH}`;
  const own = await makeOwnVault(CLUSTER, 'the first master secret');
  copies = [own.primary, own.replica];
  holdfast = holdfastWith(own.config);
  masters.push(await current());
  writeFileSync(join(folder, 'file'), 'what must not be lost\n');
  expect(resticIn(own.primary, await current(), 'init').status).toBe(0);
  expect(resticIn(own.primary, await current(), 'backup', folder).status).toBe(0);
  for await (const { key } of own.primary.list(`${repository}/`)) // as replication does
    if (!key.includes('/locks/')) await own.replica.put(key, await own.primary.get(key));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** After a rotation: the new password opens both copies, and neither of the two before it does. */
async function isRotated(): Promise<void> {
  const now = await current();
  expect(codes(now)).toEqual([0, 0]);
  for (const old of masters.slice(-2)) expect(codes(old)).toEqual([12, 12]);
  masters.push(now);
  expect(await secret.read()).toEqual({
    current: { id: expect.any(String), value: now },
    previous: { id: expect.any(String), value: masters.at(-2) },
  });
  for (const vault of copies) {
    expect(await keyNames(vault)).toHaveLength(1);
    expect(resticIn(vault, now, 'dump', 'latest', join(folder, 'file')).said).toContain('must not be lost');
  }
}

describe('holdfast vault rotate-key', () => {
  it('keeps the old password for who is at work, and says so', async () => {
    const holder = 'nightly-1';
    await putJson(
      copies[0] as Vault,
      keys.leases.backup('nightly'),
      leaseFor({ work: holder, execution: '' }, new Date()),
    );
    expect(() => holdfast('vault', 'rotate-key')).toThrow(
      `the old passwords are kept: ${holder} holds ${keys.leases.backup('nightly')}`,
    );
    expect(codes(masters[0] as string)).toEqual([0, 0]);
    expect(codes(await current())).toEqual([0, 0]);
    expect(() => holdfast('vault', 'verify-keys')).toThrow('the previous password also opens it');
    await (copies[0] as Vault).remove([keys.leases.backup('nightly')]);
  });

  it('goes on from there: the new password opens both copies, the old one neither', async () => {
    expect(holdfast('vault', 'rotate-key')).toContain('resuming the rotation');
    expect(holdfast('vault', 'verify-keys').match(/: in order\n/g)).toHaveLength(2);
    await isRotated();
  });

  it('can be done again, and the data is whole', async () => {
    holdfast('vault', 'rotate-key');
    await isRotated();
    for (const vault of copies)
      expect(resticIn(vault, await current(), 'check', '--read-data').said).toContain('no errors were found');
  });

  it('leaves a repository that it is told to', () => {
    const before = codes(masters.at(-1) as string);
    holdfast('vault', 'rotate-key', '--except', 'shop');
    expect(codes(masters.at(-1) as string)).toEqual(before);
  });

  it('mends that with the next rotation: the password of the secret before opens it', async () => {
    holdfast('vault', 'rotate-key');
    await isRotatedAfterExcept();
  });
});

/** The secret of the rotation that left the repository out was never a password of it. */
async function isRotatedAfterExcept(): Promise<void> {
  masters.push((await secret.read()).previous?.value as string);
  await isRotated();
}

/** Verbs that end the caller right after one of them has had its effect. */
function stoppingAfter(verb: string): {
  secret: VersionedSecret;
  of: (keys: RepositoryKeys) => RepositoryKeys;
} {
  const stop =
    <A extends unknown[]>(name: string, work: (...args: A) => Promise<void>) =>
    async (...args: A): Promise<void> => {
      await work(...args);
      if (name === verb) throw new Error('stopped');
    };
  return {
    secret: {
      ...secret,
      propose: stop('propose', secret.propose),
      promote: stop('promote', secret.promote),
      settle: stop('settle', secret.settle),
    },
    of: (k) => ({ ...k, add: stop('add', k.add), remove: stop('remove', k.remove) }),
  };
}

describe('a rotation that was stopped', () => {
  it.each(['propose', 'add', 'promote', 'remove'])(
    'after it did %s goes on, and ends with one new secret',
    async (verb) => {
      const before = await current();
      const stopping = stoppingAfter(verb);
      const places = copies.map((v) => ({ bucket: v.bucket, region: v.region }));
      const repositories = places.map(({ bucket, region }) =>
        stopping.of(
          repositoryKeys({ repository, bucket, region, url: repositoryUrl(endpoint, bucket, repository) }),
        ),
      );
      const secretsMade: string[] = [];
      const newSecret = () => secretsMade[secretsMade.push(`secret after ${verb}`) - 1] as string;
      const parts = { repositories: [repositories], newSecret, atWork: async () => [], say: () => undefined };
      await expect(rotateKey({ ...parts, secret: stopping.secret })).rejects.toThrow('stopped');
      expect(codes(await current())).toEqual([0, 0]); // whatever runs now finds its repositories open
      holdfast('vault', 'rotate-key');
      expect(await current()).toBe(`secret after ${verb}`);
      expect(await current()).not.toBe(before);
      await isRotated();
    },
  );
});

describe('after a leak', () => {
  it('a new repository with a new data key takes the place of the old, as docs/security.md says', async () => {
    const master = await current();
    const [primary] = copies as [Vault];
    const leaked = repository.replace('restic/', 'leaked/');
    const urlOf = (key: string) => repositoryUrl(endpoint, primary.bucket, key);
    const snapshots = (key = repository) =>
      JSON.parse(resticIn(primary, master, 'snapshots', '--json', '-r', urlOf(key)).said);
    const [{ id: before }] = snapshots();
    const { id: oldRepository } = JSON.parse(resticIn(primary, master, 'cat', 'config').said);
    for await (const { key } of primary.list(`${repository}/`)) {
      if (!key.includes('/locks/'))
        await primary.put(key.replace(repository, leaked), await primary.get(key));
      await primary.remove([key]);
    }
    const from = ['--from-repo', urlOf(leaked)];
    process.env.RESTIC_FROM_PASSWORD = repositoryPassword(master, repository);
    for (const step of [
      ['init', '--copy-chunker-params', ...from],
      ['copy', ...from],
      ['check', '--read-data'],
    ])
      expect(resticIn(primary, master, ...step)).toMatchObject({ status: 0 });
    expect(JSON.parse(resticIn(primary, master, 'cat', 'config').said).id).not.toBe(oldRepository);
    expect(snapshots()).toEqual([expect.objectContaining({ original: before })]);
    expect(snapshots()[0].id).not.toBe(before);
    expect(resticIn(primary, master, 'dump', 'latest', join(folder, 'file')).said).toContain(
      'must not be lost',
    );
    const [{ id: kept }] = snapshots(leaked);
    expect(kept).toBe(before);
  });
});
