import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseSummary } from '../../functions/core/restic/log.ts';
import {
  dumpArgs,
  forgetArgs,
  initArgs,
  restoreArgs,
  restoreFilesArgs,
  snapshotArgs,
} from '../../functions/core/restic/restic.ts';
import { openRepository } from '../../functions/runtime/repositories.ts';
import { restic } from '../../world/tools/go.ts';
import { folderOf } from '../../world/tools/provide.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { resticId } from '../support/restic-id.ts';
import { ResticWriter } from '../support/restic-writer.ts';

// The real restic, with repositories in a folder that is copied into a vault in memory. Nothing of a world is needed.
const REPOSITORY = 'restic/paris/shop';
const context = { cluster: 'paris', run: { backup: 'daily-1', plan: 'daily' } };
let folder: string;
let count = 0;
/** The repository of a test, and the data that it backs up, which begins like an option. */
let repository: string;
let data: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-reader-'));
  data = join(folder, '-data', '--host=rome');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'file'), 'must not be lost');
  writeFileSync(join(data, '--other'), 'nor this');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  repository = join(folder, `repository-${count++}`);
});

function run(args: readonly string[], password = 'password', input = '') {
  const env = {
    PATH: `${folderOf(restic)}:${process.env.PATH}`,
    HOME: folder,
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: password,
  };
  const { status, stdout, stderr } = spawnSync('restic', [...args, '--no-cache'].toSorted(cacheFirst), {
    env,
    encoding: 'utf8',
    input,
    cwd: folder,
  });
  return { status, log: stdout + stderr };
}
/** A global option goes before the operands. */
const cacheFirst = (a: string, b: string) => Number(b === '--no-cache') - Number(a === '--no-cache');

function backUp(args: readonly string[] = snapshotArgs(context, [data], ['pvc=data'])): string {
  const { status, log } = run(args);
  expect([status, log]).toEqual([0, expect.anything()]);
  return parseSummary(log)?.snapshot as string;
}

/** What the folder holds now, as a vault. */
function vaultOf(): MemoryVault {
  const vault = new MemoryVault('primary');
  for (const path of readdirSync(repository, { recursive: true, withFileTypes: true }))
    if (path.isFile()) {
      const file = join(path.parentPath, path.name);
      const key = file.replace(repository, REPOSITORY);
      vault.objects.set(key, { body: readFileSync(file), metadata: {} });
    }
  return vault;
}
const open = (password = 'password') => openRepository(vaultOf(), REPOSITORY, password);

describe('a snapshot of restic', () => {
  it.each(['1', '2'])('is read from a repository of format %s', async (version) => {
    run([...initArgs(), '--repository-version', version]);
    const id = backUp();
    expect(await (await open()).snapshot(id)).toEqual({
      id,
      time: expect.any(Date),
      hostname: 'paris',
      paths: [data],
      tags: ['backup=daily-1', 'plan=daily', 'pvc=data'],
      files: 2,
      bytes: 24,
    });
  });

  it('of a command has the path of its file', async () => {
    run(initArgs());
    const dump = { namespace: 'shop', dump: { workload: 'db', file: 'dump.sql' } };
    const options = { excludes: [], excludeIfPresent: [], compression: 'auto' as const };
    const id = backUp(dumpArgs(context, dump, ['echo', '--host', 'rome'], options));
    expect(await (await open()).snapshot(id)).toMatchObject({
      hostname: 'paris',
      paths: ['/dumps/shop/db/dump.sql'],
      files: 1,
      bytes: '--host rome\n'.length,
    });
  });

  it('is read with a new password, and with the old one until its key is gone', async () => {
    run(initArgs());
    const id = backUp();
    const file = join(folder, 'new-password');
    writeFileSync(file, 'new');
    expect(run(['key', 'add', '--new-password-file', file]).status).toBe(0);
    for (const password of ['password', 'new'])
      expect(await (await open(password)).snapshot(id)).toMatchObject({ id });
    const keys = JSON.parse(run(['key', 'list', '--json'], 'new').log) as { id: string; current: boolean }[];
    const old = keys.find((k) => !k.current)?.id as string;
    expect(run(['key', 'remove', old], 'new').status).toBe(0);
    expect(await (await open('new')).snapshot(id)).toMatchObject({ id });
    await expect(open()).rejects.toMatchObject({ name: 'RecoveryPointDamaged' });
  });

  it('is read and forgotten like the one that tests write', async () => {
    const vault = new MemoryVault('primary');
    const id = ResticWriter.create(vault, REPOSITORY, 'password').snapshot();
    for (const [key, { body }] of vault.objects) {
      const file = join(repository, key.slice(REPOSITORY.length));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, body);
    }
    for (const name of ['data', 'index', 'locks']) mkdirSync(join(repository, name));
    const [seen] = JSON.parse(run(['snapshots', '--json']).log) as [{ id: string; tags: string[] }];
    expect([seen.id, seen.tags]).toEqual([id, ['backup=daily-1', 'plan=daily', 'pvc=data']]);
  });
});

describe('the arguments of restic', () => {
  it('restore what begins like an option, all of it and some of it', () => {
    run(initArgs());
    const id = backUp();
    const [all, some] = [join(folder, 'all'), join(folder, 'some')];
    const restored = run(restoreArgs(id, data, all));
    expect([restored.status, parseSummary(restored.log)?.files]).toEqual([0, 2]);
    expect(readFileSync(join(all, '--other'), 'utf8')).toBe('nor this');
    expect(run(restoreFilesArgs(id, data, some, ['/--other'])).status).toBe(0);
    expect(readdirSync(some)).toEqual(['--other']);
  });

  it('forget by id, and ignore one that is not there', async () => {
    run(initArgs());
    const [gone, kept] = [backUp(), backUp()];
    expect(run(forgetArgs([gone, resticId('none')])).status).toBe(0);
    const repositoryNow = await open();
    expect(await repositoryNow.snapshot(gone)).toBeUndefined();
    expect(await repositoryNow.snapshot(kept)).toMatchObject({ id: kept });
  });
});

it('key files that are to cost an hour cost seconds, and the repository of others nothing', async () => {
  run(initArgs());
  const vault = vaultOf();
  const writer = new ResticWriter(vault, REPOSITORY);
  for (const key of vault.objects.keys()) if (key.includes('/keys/')) vault.objects.delete(key);
  for (let i = 0; i < 40; i++) writer.addKey('other', { N: 2 ** 15, r: 8, p: 31 });
  const started = performance.now();
  await expect(openRepository(vault, REPOSITORY, 'password')).rejects.toThrow('has no key that');
  expect(performance.now() - started).toBeLessThan(60_000);
});
