import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COPIES, type CopyName } from '../../functions/contract/copies.ts';
import { RestoreOptions } from '../../functions/contract/restore-options.ts';
import { isReplicated } from '../../functions/core/vault/replication.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { replicate } from '../../functions/replicate/replicate-backup/replicate.ts';
import { findRecoveryPoint } from '../../functions/restore/plan-restore/find.ts';
import { planItems } from '../../functions/restore/plan-restore/plan.ts';
import { findingOf, heal, type Look } from '../../functions/verify/verify-vault/look.ts';
import { lookAtPoint } from '../../functions/verify/verify-vault/recovery-point.ts';
import { lookAtObject, objectsBelow } from '../../functions/verify/verify-vault/repository.ts';
import { restic } from '../../world/tools/go.ts';
import { folderOf } from '../../world/tools/provide.ts';
import { keyPair } from '../support/key-pair.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { commitPoint } from '../support/recovery-point.ts';

// A real repository, in both copies of a vault in memory, with a recovery point committed by the code that commits one.
const FLIPS = 1000;
const SEED = 20_260_101;
const CLUSTER = 'paris';
const BACKUP = 'daily-20260101000000';
const keys = vaultKeys(CLUSTER);
const root = keys.restic.repository('shop');
const signer = keyPair();
const folder = mkdtempSync(join(tmpdir(), 'holdfast-flips-'));
const repository = join(folder, 'repository');
const source = join(folder, 'source');
const copies = { primary: new MemoryVault('primary'), replica: new MemoryVault('replica') };
let whole: ReadonlyMap<string, Buffer>;

const run = (...args: string[]) =>
  spawnSync(join(folderOf(restic), 'restic'), [...args, '--json'], {
    encoding: 'utf8',
    env: {
      ...process.env,
      RESTIC_REPOSITORY: repository,
      RESTIC_PASSWORD: 'x',
      RESTIC_CACHE_DIR: join(folder, 'cache'),
    },
  });
const filesBelow = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(join(dir, file)).isFile(),
  );
const store = (copy: CopyName, key: string, body: Buffer) =>
  copies[copy].objects.set(key, { body, metadata: {} });

beforeAll(async () => {
  mkdirSync(source);
  for (let i = 0; i < 40; i++) writeFileSync(join(source, `file-${i}`), randomBytes(10_000 + 1000 * i));
  expect(run('init').status).toBe(0);
  const { stdout } = run('backup', source, '--no-scan');
  const { snapshot_id: snapshot } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
    snapshot_id: string;
  };
  for (const file of filesBelow(repository))
    store('primary', `${root}/${file}`, readFileSync(join(repository, file)));
  const record = await commitPoint({ vault: copies.primary, signer, cluster: CLUSTER }, BACKUP, [
    { namespace: 'shop', pvc: 'data', snapshot },
  ]);
  await replicate({ primary: copies.primary, replica: copies.replica, keys, timeLeft: () => true }, record);
  for (const copy of COPIES) store(copy, keys.records.replica(BACKUP), Buffer.from('{}'));
  whole = new Map([...copies.primary.objects].map(([key, { body }]) => [key, body]));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KINDS: Record<string, (key: string) => boolean> = {
  archive: (key) => key === keys.velero.archive(BACKUP),
  document: (key) => key.startsWith('velero/') && key !== keys.velero.archive(BACKUP),
  record: (key) => key === keys.records.record(BACKUP),
  pack: (key) => key.startsWith(`${root}/data/`),
  index: (key) => key.startsWith(`${root}/index/`),
  snapshot: (key) => key.startsWith(`${root}/snapshots/`),
  key: (key) => key.startsWith(`${root}/keys/`),
};

interface Flip {
  readonly kind: string;
  readonly copy: CopyName;
  /** Which of the kind, and where in it: from 0 to 1. */
  readonly object: number;
  readonly place: number;
  readonly bit: number;
}
const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const flips = fc.record<Flip>({
  kind: fc.constantFrom(...Object.keys(KINDS)),
  copy: fc.constantFrom(...COPIES),
  object: unit,
  place: unit,
  bit: fc.nat(7),
});

/** Flips a bit of a copy's object; returns its key. */
function flip({ kind, copy, object, place, bit }: Flip): string {
  const candidates = [...whole.keys()].filter((key) => isReplicated(key) && KINDS[kind]?.(key)).sort();
  const key = candidates[Math.floor(object * candidates.length)] as string;
  const body = Buffer.from(whole.get(key) as Buffer);
  const at = Math.floor(place * body.length);
  body[at] = (body[at] as number) ^ (1 << bit);
  store(copy, key, body);
  return key;
}

/** What verify-vault makes of the step that holds an object. */
async function looksAt(key: string): Promise<Look[]> {
  if (!key.startsWith(root)) return lookAtPoint(copies, keys, BACKUP, signer);
  const repository = { namespace: 'shop', neededIn: [], snapshots: [] };
  const looks: Look[] = [];
  for await (const found of objectsBelow(copies, key, undefined, { part: 1, parts: 1 })) {
    const look = await lookAtObject(copies, found, repository, root);
    if (look) looks.push(look);
  }
  return looks;
}

/** Whether plan-restore, which writes nothing into the cluster, lets a restore of this copy go on. */
async function restoreGoesOn(copy: CopyName): Promise<boolean> {
  try {
    const { record, signed } = await findRecoveryPoint(
      { vault: copies[copy], keys, verifier: signer },
      BACKUP,
      undefined,
    );
    if (!signed) return false; // refused: RecordUnsigned
    await planItems({ vault: copies[copy], keys }, record, {
      namespaces: ['shop'],
      options: RestoreOptions.parse({}),
    });
    return true;
  } catch (error) {
    expect(['RecordForged', 'RecoveryPointDamaged']).toContain((error as Error).name);
    return false;
  }
}

describe('a single bit that is flipped anywhere in a recovery point', () => {
  it(`is found, in each of ${FLIPS} random places, before a restore writes anything, and healed byte for byte`, async () => {
    expect(await restoreGoesOn('primary')).toBe(true);
    expect(await restoreGoesOn('replica')).toBe(true);
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(flips, async (f) => {
        const key = flip(f);
        seen.add(f.kind);
        if (!key.startsWith(root)) expect([key, await restoreGoesOn(f.copy)]).toEqual([key, false]);
        const wrong = (await looksAt(key)).filter((look) => findingOf(look));
        expect(wrong.map((look) => [findingOf(look)?.outcome, look.key, look.seen[f.copy]])).toEqual([
          ['healed', key, 'damaged'],
        ]);
        for (const look of wrong) await heal(copies, look);
        for (const copy of COPIES)
          expect(copies[copy].objects.get(key)?.body.equals(whole.get(key) as Buffer)).toBe(true);
      }),
      { numRuns: FLIPS, seed: SEED, endOnFailure: true },
    );
    expect([...seen].sort()).toEqual(Object.keys(KINDS).sort());
  }, 60_000);

  it('never comes out of restic as a restore that says it went well and is not what was backed up', () => {
    const places = fc.sample(
      flips.filter(({ kind }) => ['pack', 'index', 'snapshot'].includes(kind)),
      { numRuns: 12, seed: SEED },
    );
    const refused = places.map((f) => {
      const key = flip(f);
      const file = join(repository, relative(root, key));
      const target = mkdtempSync(join(folder, 'target-'));
      chmodSync(file, 0o600);
      writeFileSync(file, copies[f.copy].objects.get(key)?.body as Buffer);
      rmSync(join(folder, 'cache'), { recursive: true, force: true });
      const { status } = run('restore', 'latest', '--target', target, '--verify');
      writeFileSync(file, whole.get(key) as Buffer);
      store(f.copy, key, whole.get(key) as Buffer);
      if (status !== 0) return true;
      for (const name of readdirSync(source))
        expect(readFileSync(join(target, source, name)).equals(readFileSync(join(source, name)))).toBe(true);
      return false;
    });
    expect(refused).toContain(true);
    expect(run('check', '--read-data').status).toBe(0);
  }, 60_000);
});
