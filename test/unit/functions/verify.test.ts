import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { putJson } from '../../../functions/adapters/s3/documents.ts';
import { COPIES, type CopyName, type PerCopy } from '../../../functions/contract/copies.ts';
import { contentHash, isReplicated } from '../../../functions/core/vault/replication.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { CheckOutcome } from '../../../functions/core/vault/verification.ts';
import type { Vault } from '../../../functions/ports/vault.ts';
import { replicate } from '../../../functions/replicate/replicate-backup/replicate.ts';
import { writeReport } from '../../../functions/verify/verify-vault/report.ts';
import { partOfRun, survey } from '../../../functions/verify/verify-vault/survey.ts';
import { verifyVault } from '../../../functions/verify/verify-vault/verify.ts';
import { keyPair } from '../../support/key-pair.ts';
import { Killed, MemoryVault } from '../../support/memory-vault.ts';
import { commitPoint } from '../../support/recovery-point.ts';

const keys = vaultKeys('paris');
const signer = keyPair();
const BACKUPS = ['daily-20260101000000', 'daily-20260102000000'];
const [OLD, NEW] = BACKUPS as [string, string];
const RUN = 'verify-20260201000000-abcdef';
const NOW = new Date('2026-02-01T00:00:00Z');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const repository = keys.restic.repository('shop');
const inRepository = (kind: string, text: string): string =>
  `${repository}/${kind === 'data' ? `data/${sha256(text).slice(0, 2)}` : kind}/${sha256(text)}`;
const PACK = inRepository('data', 'pack a');
const SNAPSHOT = inRepository('snapshots', `snapshot ${NEW}`);
const ARCHIVE = keys.velero.archive(OLD);
const RECORD = keys.records.record(OLD);

let primary: MemoryVault;
let replica: MemoryVault;
let whole: Map<string, Buffer>;

/** Both copies of two proven recovery points. */
beforeEach(async () => {
  [primary, replica] = [new MemoryVault('primary'), new MemoryVault('replica')];
  const put = (key: string, text: string) =>
    primary.objects.set(key, { body: Buffer.from(text), metadata: {} });
  put(`${repository}/config`, 'config');
  for (const [kind, text] of [
    ['keys', 'key'],
    ...['a', 'b', 'c', 'd', 'e'].map((name) => ['data', `pack ${name}`]),
    ['index', 'index'],
    ...BACKUPS.map((backup) => ['snapshots', `snapshot ${backup}`]),
  ] as [string, string][])
    put(inRepository(kind, text), text);
  for (const backup of BACKUPS) {
    const snapshot = sha256(`snapshot ${backup}`);
    const record = await commitPoint({ vault: primary, signer, cluster: 'paris' }, backup, [
      { namespace: 'shop', pvc: 'data', snapshot },
    ]);
    await replicate({ primary, replica, keys, timeLeft: () => true }, record);
    for (const vault of [primary, replica]) await putJson(vault, keys.records.replica(backup), { backup });
  }
  whole = new Map([...primary.objects].map(([key, { body }]) => [key, body]));
});

const copies = (): PerCopy<Vault> => ({ primary, replica });
const open = async (run = RUN, parts = 1) => {
  const of = await partOfRun(copies(), keys, run, parts);
  await putJson(primary, keys.records.verify.run(run), {
    run,
    ...of,
    startedAt: NOW.toISOString(),
    ...(await survey(copies(), keys, signer)),
  });
};
const goOn = (run = RUN, timeLeft = () => true) =>
  verifyVault({ copies: copies(), keys, verifier: signer, timeLeft }, run);
const verify = async (run = RUN, parts = 1) => {
  await open(run, parts);
  await goOn(run);
  return writeReport(copies(), keys, run, NOW);
};
const damage = (vault: MemoryVault, key: string) => {
  const body = Buffer.from(vault.objects.get(key)?.body as Buffer);
  body[body.length - 3] = (body[body.length - 3] as number) ^ 1;
  vault.objects.set(key, { body, metadata: {} });
};
const recordText = () => String(primary.objects.get(RECORD)?.body);
const unsignedOf = (text: string) => text.replace(/,\n {2}"signature": ".*"/, '');
/** Keys of which a copy does not have the bytes that were backed up. */
const unlike = (vault: MemoryVault) =>
  [...whole]
    .filter(([key, body]) => isReplicated(key) && !vault.objects.get(key)?.body.equals(body))
    .map(([key]) => key);

describe('a verification of the vault', () => {
  it('reads everything in both copies and finds nothing in an intact vault', async () => {
    const report = await verify();
    const promised = [...whole.keys()].filter(
      (key) => contentHash(key) || /config$|^velero|record\.json$/.test(key),
    );
    const bytes = promised.reduce((sum, key) => sum + 2 * (whole.get(key)?.length ?? 0), 0);
    expect(report).toMatchObject({
      phase: 'Completed',
      reasons: [],
      findings: [],
      lost: 0,
      recoveryPoints: 2,
    });
    expect([report.objects, report.bytes]).toEqual([promised.length, bytes]);
  });

  it.each([
    ['a pack', PACK],
    ['an index', inRepository('index', 'index')],
    ['a key', inRepository('keys', 'key')],
    ['a snapshot', SNAPSHOT],
    ['an archive', ARCHIVE],
    ['a document', keys.velero.results(OLD)],
    ['a record', RECORD],
  ])('heals %s that is damaged in one copy from the other', async (_, key) => {
    for (const [i, vault] of [primary, replica].entries()) {
      damage(vault, key);
      expect(await verify(`verify-2026020100000${i}-d`)).toMatchObject({
        phase: 'Completed',
        healed: 1,
        findings: [{ key, outcome: 'healed', [vault.bucket]: 'damaged' }],
      });
      expect(unlike(vault)).toEqual([]);
    }
  });

  it.each([
    ['a snapshot', 'replica', SNAPSHOT],
    ['a snapshot', 'primary', SNAPSHOT],
    ['an archive', 'replica', ARCHIVE],
    ['a document', 'primary', keys.velero.results(OLD)],
    ['a record', 'replica', RECORD],
  ] as const)('heals %s that a record promises and that is missing in the %s', async (_, copy, key) => {
    const vault = copies()[copy] as MemoryVault;
    vault.objects.delete(key);
    expect(await verify()).toMatchObject({
      phase: 'Completed',
      healed: 1,
      findings: [{ key, outcome: 'healed', [copy]: 'missing' }],
    });
    expect(unlike(vault)).toEqual([]);
  });

  it('heals packs that restic misses in a copy, and finds those lost that both miss', async () => {
    const OTHER = inRepository('data', 'pack b');
    primary.objects.delete(PACK);
    for (const vault of [primary, replica]) vault.objects.delete(OTHER);
    await open();
    await goOn();
    const id = (key: string) => key.split('/').at(-1) as string;
    const check = (copy: CopyName, missing: string[]): CheckOutcome => ({
      namespace: 'shop',
      copy,
      ok: false,
      message: '',
      missing,
      seconds: 1,
    });
    for (const c of [check('primary', [id(PACK), id(OTHER)]), check('replica', [id(OTHER)])])
      await putJson(primary, keys.records.verify.job(RUN, `shop.${c.copy}`), c);
    const report = await writeReport(copies(), keys, RUN, NOW);
    expect(report).toMatchObject({ phase: 'Failed', healed: 1, lost: 1 });
    const found = Object.fromEntries(report.findings.map((f) => [f.key, [f.outcome, f.primary, f.replica]]));
    expect(found).toEqual({ [PACK]: ['healed', 'missing', 'good'], [OTHER]: ['lost', 'missing', 'missing'] });
    expect(unlike(primary)).toEqual([OTHER]);
  });

  it('takes packs and indexes that only one copy has for what they are after a prune: no loss', async () => {
    for (const key of [PACK, inRepository('index', 'index')]) primary.objects.delete(key);
    for (const key of [inRepository('data', 'pack b')]) replica.objects.delete(key);
    expect(await verify()).toMatchObject({ phase: 'Completed', damaged: 0 });
    expect([primary.objects.has(PACK), replica.objects.has(inRepository('data', 'pack b'))]).toEqual([
      false,
      false,
    ]);
  });

  it('names what is damaged in both copies as lost, with the recovery point or the repository, and writes nothing', async () => {
    for (const vault of [primary, replica]) for (const key of [PACK, ARCHIVE, SNAPSHOT]) damage(vault, key);
    const before = [new Map(primary.objects), new Map(replica.objects)];
    const report = await verify();
    expect(report).toMatchObject({ phase: 'Failed', lost: 3, healed: 0 });
    const named = Object.fromEntries(report.findings.map((f) => [f.key, f.recoveryPoints]));
    expect(named).toEqual({ [PACK]: [], [ARCHIVE]: [OLD], [SNAPSHOT]: [NEW] });
    expect(report.findings.find((f) => f.key === PACK)).toMatchObject({ repository, outcome: 'lost' });
    for (const [i, vault] of [primary, replica].entries())
      for (const [key, { body }] of before[i] as Map<string, { body: Buffer }>)
        expect([key, vault.objects.get(key)?.body.equals(body)]).toEqual([key, true]);
  });

  it('finds a snapshot lost that neither copy has any more', async () => {
    for (const vault of [primary, replica]) vault.objects.delete(SNAPSHOT);
    const [finding] = (await verify()).findings;
    expect(finding).toMatchObject({
      key: SNAPSHOT,
      outcome: 'lost',
      recoveryPoints: [NEW],
      primary: 'missing',
    });
  });

  it('takes a record without its signature, or in place of another, for damaged', async () => {
    const text = recordText();
    primary.objects.set(RECORD, {
      body: Buffer.from(unsignedOf(text)),
      metadata: {},
    });
    replica.objects.set(keys.records.record(NEW), { body: Buffer.from(text), metadata: {} });
    expect(await verify()).toMatchObject({ phase: 'Completed', healed: 2 });
    expect([unlike(primary), unlike(replica)]).toEqual([[], []]);
  });

  it('trusts no copy if neither record is signed: differences are reported and not written', async () => {
    const unsigned = unsignedOf(recordText());
    for (const vault of [primary, replica])
      vault.objects.set(RECORD, { body: Buffer.from(unsigned), metadata: {} });
    damage(replica, ARCHIVE);
    const spoilt = replica.objects.get(ARCHIVE)?.body;
    const report = await verify();
    expect(report).toMatchObject({ phase: 'PartiallyFailed', healed: 0, lost: 0 });
    expect(
      Object.fromEntries(report.findings.map((f) => [f.key, [f.outcome, f.primary, f.replica]])),
    ).toEqual({
      [ARCHIVE]: ['unproven', 'good', 'damaged'],
      [RECORD]: ['unproven', 'unproven', 'unproven'],
    });
    expect(replica.objects.get(ARCHIVE)?.body).toBe(spoilt);
  });

  it.each(['damaged', 'missing'])(
    'heals a configuration that is %s on the word of restic alone',
    async (how) => {
      const config = `${repository}/config`;
      const spoil = () => (how === 'missing' ? replica.objects.delete(config) : damage(replica, config));
      spoil();
      expect(await verify()).toMatchObject({
        phase: 'PartiallyFailed',
        findings: [{ key: config, outcome: 'unproven' }],
      });
      const check = (copy: CopyName, ok: boolean): CheckOutcome => ({
        namespace: 'shop',
        copy,
        ok,
        message: 'words',
        missing: [],
        seconds: 1,
      });
      const after = async (run: string, primaryOpens: boolean, replicaOpens: boolean) => {
        await open(run);
        await goOn(run);
        for (const c of [check('primary', primaryOpens), check('replica', replicaOpens)])
          await putJson(primary, keys.records.verify.job(run, `shop.${c.copy}`), c);
        return (await writeReport(copies(), keys, run, NOW)).findings.map((f) => f.outcome);
      };
      expect(await after('verify-20260202000000-a', false, false)).toEqual(['unproven']);
      expect(await after('verify-20260203000000-a', true, true)).toEqual(['unproven']);
      expect(await after('verify-20260204000000-a', true, false)).toEqual(['healed']);
      expect([unlike(primary), unlike(replica)]).toEqual([[], []]);
      // A function that was killed after it had healed and before it had reported.
      const last = 'verify-20260205000000-a';
      spoil();
      await open(last);
      await goOn(last);
      replica.objects.set(config, { body: whole.get(config) as Buffer, metadata: {} });
      const { findings } = await writeReport(copies(), keys, last, NOW);
      expect(findings.map((f) => f.outcome)).toEqual(['healed']);
    },
  );

  it('asks of the replica only what is proven: what is still on its way is no loss', async () => {
    for (const vault of [primary, replica]) vault.objects.delete(keys.records.replica(NEW));
    for (const key of [...replica.objects.keys()].filter((k) => k.includes(NEW))) replica.objects.delete(key);
    for (const key of [PACK, SNAPSHOT]) replica.objects.delete(key);
    expect(await verify()).toMatchObject({ phase: 'Completed', damaged: 0 });
    expect([replica.objects.has(PACK), replica.objects.has(SNAPSHOT)]).toEqual([false, false]);
  });

  it('brings nothing back that the primary has pruned and the replica keeps, and still verifies it there', async () => {
    for (const key of [...primary.objects.keys()].filter((k) => k.includes(OLD))) primary.objects.delete(key);
    primary.objects.delete(PACK);
    primary.objects.delete(inRepository('snapshots', `snapshot ${OLD}`));
    expect(await verify()).toMatchObject({ phase: 'Completed', damaged: 0, recoveryPoints: 2 });
    damage(replica, ARCHIVE);
    expect(await verify('verify-20260202000000-abcdef')).toMatchObject({
      lost: 1,
      findings: [{ key: ARCHIVE, primary: 'absent' }],
    });
    expect(primary.objects.has(ARCHIVE)).toBe(false);
  });

  it.each(['before it looks', 'while it looks'])('counts nothing as lost that is pruned %s', async (when) => {
    await open();
    const prune = () => {
      for (const vault of [primary, replica])
        for (const key of [...vault.objects.keys()])
          if (key.includes(OLD) || key === inRepository('snapshots', `snapshot ${OLD}`))
            vault.objects.delete(key);
    };
    if (when === 'before it looks') prune();
    else
      primary.stream = (key) => {
        if (key === ARCHIVE) prune();
        return MemoryVault.prototype.stream.call(primary, key);
      };
    await goOn();
    expect(primary.objects.has(ARCHIVE)).toBe(false);
    expect(await writeReport(copies(), keys, RUN, NOW)).toMatchObject({ phase: 'Completed', damaged: 0 });
  });

  it('writes nothing over with bytes that have changed since they were found good', async () => {
    damage(primary, PACK);
    const spoilt = primary.objects.get(PACK)?.body;
    let reads = 0;
    replica.stream = (key) => {
      if (key === PACK && ++reads === 2) damage(replica, PACK);
      return MemoryVault.prototype.stream.call(replica, key);
    };
    await expect(verify()).rejects.toMatchObject({ name: 'VaultUnavailable' });
    expect(primary.objects.get(PACK)?.body).toBe(spoilt);
  });

  it('reads each pack in one of as many runs as there are parts, and begins again after them', async () => {
    const read: number[] = [];
    const runs = ['1', '2', '3', '4'].map((n) => `verify-2026020${n}000000-abcdef`);
    for (const run of runs) read.push((await verify(run, 3)).objects);
    const others = read.reduce((sum, n) => sum + n, 0) - (read[3] as number);
    const packs = [...whole.keys()].filter((key) => key.includes('/data/')).length;
    const everything = (await verify('verify-20260209000000-abcdef', 1)).objects;
    expect(others).toBe(3 * (everything - packs) + packs);
    expect(read[3]).toBe(read[0]);
  });

  it('reads a part again whose run did not come to its end', async () => {
    const part = async (run: string) => (await partOfRun(copies(), keys, run, 3)).part;
    await verify('verify-20260201000000-a', 3);
    await open('verify-20260202000000-b', 3);
    expect([await part('verify-20260203000000-c'), await part('verify-20260201000000-b')]).toEqual([2, 2]);
    await verify('verify-20260203000000-c', 3);
    await verify('verify-20260204000000-by-hand', 1);
    expect(await part('verify-20260205000000-d')).toBe(3);
  });

  it('stops when its time is over, also between packs, and resumes there', async () => {
    const packs = Array.from({ length: 100 }, (_, i) => `more ${i}`);
    for (const text of packs)
      for (const vault of [primary, replica])
        vault.objects.set(inRepository('data', text), { body: Buffer.from(text), metadata: {} });
    const spoilt = inRepository('data', 'more 50');
    damage(primary, spoilt);
    const expected = await verify('verify-20260131000000-abcdef');
    expect(expected).toMatchObject({ healed: 1 });
    damage(primary, spoilt);
    await open();
    const remaining: number[] = [];
    do remaining.push((await goOn(RUN, () => false)).remaining);
    while (remaining.at(-1) !== 0 && remaining.length < 50);
    const steps = 6 + BACKUPS.length; // five kinds of objects and the promised snapshots; 105 packs are four batches
    expect(remaining.length).toBe(steps + 3);
    const { objects, bytes, findings } = await writeReport(copies(), keys, RUN, NOW);
    expect({ objects, bytes, findings }).toEqual({
      objects: expected.objects,
      bytes: expected.bytes,
      findings: expected.findings,
    });
  });

  it('has restic’s words of each copy in its report', async () => {
    await open();
    await goOn();
    const check: CheckOutcome = {
      namespace: 'shop',
      copy: 'replica',
      ok: false,
      message: 'pack 1: broken',
      missing: [],
      seconds: 3,
    };
    await putJson(primary, keys.records.verify.job(RUN, 'shop.replica'), check);
    expect(await writeReport(copies(), keys, RUN, NOW)).toMatchObject({
      phase: 'PartiallyFailed',
      checks: [check],
    });
  });
});

describe('a verification that is killed', () => {
  const SPOILT: readonly (readonly [CopyName, string])[] = [
    ['primary', PACK],
    ['primary', RECORD],
    ['replica', ARCHIVE],
    ['replica', inRepository('index', 'index')],
  ];
  const spoil = () => {
    for (const [copy, key] of SPOILT) damage({ primary, replica }[copy], key);
    for (const vault of [primary, replica]) damage(vault, inRepository('data', 'pack b'));
    replica.objects.delete(SNAPSHOT);
    const lacking = inRepository('data', 'pack c');
    replica.objects.delete(lacking);
    const check: CheckOutcome = {
      namespace: 'shop',
      copy: 'replica',
      ok: false,
      message: 'words',
      missing: [lacking.split('/').at(-1) as string],
      seconds: 1,
    };
    const body = Buffer.from(JSON.stringify(check)); // as the Job left it
    primary.objects.set(keys.records.verify.job(RUN, 'shop.replica'), { body, metadata: {} });
  };
  /** Every object is as it was backed up, or still as it was spoilt: nothing in between. */
  const snapshotOf = (vault: MemoryVault) =>
    new Map([...vault.objects].map(([key, { body }]) => [key, body]));

  it('at any call of either copy ends with the same report, and nothing is half healed', async () => {
    spoil();
    const spoilt = { primary: new Map(primary.objects), replica: new Map(replica.objects) };
    const expected = await verify();
    expect(expected).toMatchObject({ phase: 'Failed', healed: 6, lost: 1 });
    const healed = { primary: snapshotOf(primary), replica: snapshotOf(replica) };
    const calls = { primary: primary.calls, replica: replica.calls };
    for (const copy of COPIES)
      for (let at = 0; at < calls[copy]; at++) {
        [primary, replica] = [new MemoryVault('primary'), new MemoryVault('replica')];
        for (const [name, vault] of Object.entries({ primary, replica }))
          for (const [key, stored] of spoilt[name as 'primary']) vault.objects.set(key, stored);
        const victim = { primary, replica }[copy];
        victim.callsLeft = at;
        const killed = await verify().catch((error: unknown) => error);
        await new Promise((resolve) => setImmediate(resolve)); // what was under way ends
        if (killed instanceof Killed)
          for (const [key, body] of snapshotOf(victim)) {
            if (key.includes('/_verify/')) continue;
            const possible = [spoilt[copy].get(key)?.body, healed[copy].get(key)];
            expect([copy, at, key, possible.some((b) => b?.equals(body))]).toEqual([copy, at, key, true]);
          }
        victim.callsLeft = Number.POSITIVE_INFINITY;
        expect([copy, at, await verify()]).toEqual([copy, at, expected]);
        expect([unlike(primary), unlike(replica)]).toEqual([
          [inRepository('data', 'pack b')],
          [inRepository('data', 'pack b')],
        ]);
      }
  }, 120_000);
});
