import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COPIES } from '../../../../functions/contract/copies.ts';
import { checkWords } from '../../../../functions/core/restic/log.ts';
import { checkArgs } from '../../../../functions/core/restic/restic.ts';
import { vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';
import {
  type CheckOutcome,
  CopyState,
  type Finding,
  inEither,
  isRead,
  judge,
  mergeFindings,
  nextPart,
  type Part,
  partOf,
  type VerifyReportContext,
  verifyReport,
} from '../../../../functions/core/vault/verification.ts';

const keys = vaultKeys('paris');
const repository = keys.restic.repository('shop');
const id = fc.stringMatching(/^[0-9a-f]{64}$/);
const packKey = (pack: string) => `${repository}/data/${pack.slice(0, 2)}/${pack}`;
const parts = fc.integer({ min: 1, max: 256 });

/** The parts of some runs in a row, after one that may have read another number of parts. */
function consecutive(count: number, of: number, last: Part | undefined): Part[] {
  const runs: Part[] = [];
  for (let i = 0; i < count; i++) runs.push({ part: nextPart(of, runs.at(-1) ?? last), parts: of });
  return runs;
}

describe('the part of a run', () => {
  it('is such that as many runs in a row as there are parts read every pack once', () => {
    const before = fc.option(
      fc.tuple(parts, parts).map(([a, b]) => ({ part: Math.min(a, b), parts: Math.max(a, b) })),
      { nil: undefined },
    );
    fc.assert(
      fc.property(id, parts, before, (pack, t, last) => {
        const reading = consecutive(t, t, last).filter((run) => isRead(packKey(pack), run));
        expect(reading).toHaveLength(1);
      }),
    );
  });

  it('holds every index, snapshot, key and configuration, and all that is no repository', () => {
    fc.assert(
      fc.property(id, parts, parts, (name, a, b) => {
        const run = { part: Math.min(a, b), parts: Math.max(a, b) };
        const always = [
          `${repository}/config`,
          ...['index', 'snapshots', 'keys'].map((kind) => `${repository}/${kind}/${name}`),
          keys.velero.archive('daily-1'),
          keys.records.record('daily-1'),
        ];
        expect(always.filter((key) => !isRead(key, run))).toEqual([]);
      }),
    );
  });

  // Packs that restic 0.19.1 read for `--read-data-subset=n/t`: its bucket is the first byte modulo t, counted from 1.
  it.each([
    ['00', 7, 1],
    ['06', 7, 7],
    ['07', 7, 1],
    ['ff', 7, 4],
    ['ff', 256, 256],
    ['ff', 1, 1],
  ])('of a pack %s… of %i is %i, as restic chooses', (byte, t, part) => {
    expect(partOf(byte.padEnd(64, 'e'), t)).toBe(part);
    expect(checkArgs(part, t)).toContain(`--read-data-subset=${part}/${t}`);
  });
});

describe('what is done about an object', () => {
  const state = fc.constantFrom(...CopyState.options);
  it('is never to write over a copy that is good or need not be there, and never from one that is not good', () => {
    fc.assert(
      fc.property(state, state, (primary, replica) => {
        const seen = { primary, replica };
        const { heal, lost } = judge(seen);
        for (const copy of heal) {
          expect(['damaged', 'missing']).toContain(seen[copy]);
          expect(seen[copy === 'primary' ? 'replica' : 'primary']).toBe('good');
        }
        const bad = COPIES.filter((copy) => ['damaged', 'missing'].includes(seen[copy]));
        expect(lost).toBe(
          bad.length > 0 && !COPIES.some((copy) => ['good', 'unproven'].includes(seen[copy])),
        );
        if (COPIES.some((copy) => seen[copy] === 'good')) expect(heal).toEqual(bad);
      }),
    );
  });
});

it('two listings are gone through side by side, each key once, in their order', async () => {
  async function* listing(keys: readonly string[]) {
    for (const key of [...keys].sort()) yield { key, bytes: 1, etag: 'e', modified: new Date(0) };
  }
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z/]{1,4}$/));
  await fc.assert(
    fc.asyncProperty(names, names, async (primary, replica) => {
      const seen: string[] = [];
      for await (const key of inEither(listing(primary), listing(replica))) seen.push(key);
      expect(seen).toEqual([...new Set([...primary, ...replica])].sort());
    }),
  );
});

describe('a report', () => {
  const run = {
    run: 'v',
    part: 2,
    parts: 7,
    startedAt: '2026-01-01T00:00:00.000Z',
    backups: ['b'],
    repositories: [],
  };
  const place = { step: 3, objects: 10, bytes: 100 };
  const finding = (key: string, outcome: Finding['outcome']): Finding => ({
    key,
    primary: 'damaged',
    replica: 'good',
    outcome,
    recoveryPoints: ['b'],
  });
  const check = (ok: boolean): CheckOutcome => ({
    namespace: 'shop',
    copy: 'replica',
    ok,
    message: 'pack 1: broken',
    missing: [],
    seconds: 1,
  });
  const report = (findings: VerifyReportContext['findings'], checks: VerifyReportContext['checks'] = []) =>
    verifyReport(run, { cursor: place, findings, checks, endedAt: new Date('2026-01-01T00:01:00Z') });

  it('is Completed when all that was damaged is healed', () => {
    expect(report([finding('a', 'healed')], [check(true)])).toMatchObject({
      phase: 'Completed',
      reasons: [],
      damaged: 1,
      healed: 1,
      lost: 0,
      seconds: 60,
    });
  });
  it('is PartiallyFailed when restic found something or nobody knows which copy is right, and says it', () => {
    expect(report([], [check(false)])).toMatchObject({
      phase: 'PartiallyFailed',
      reasons: ['restic check of shop in the replica: pack 1: broken'],
    });
    expect(report([finding('a', 'unproven')]).phase).toBe('PartiallyFailed');
  });
  it('is Failed when something is lost, and names it and the recovery points that need it', () => {
    expect(report([finding('a', 'lost'), finding('b', 'healed')])).toMatchObject({
      phase: 'Failed',
      lost: 1,
      reasons: ['a of b: damaged in the primary, good in the replica: lost'],
    });
  });
  it('says of a lost object of a repository in which copy restic finds that whole', () => {
    const lost: Finding = { ...finding('a', 'lost'), replica: 'absent', repository: 'restic/paris/shop' };
    expect(report([lost], [check(true)]).reasons[0]).toContain(
      'lost, but restic finds the repository complete in the replica',
    );
    expect(report([lost], [check(false)]).reasons[0]).not.toContain('whole');
  });
  it('keeps what was found of an object before a function was killed, until it is found in another state', () => {
    const [a, b, again] = [finding('a', 'healed'), finding('b', 'healed'), finding('b', 'lost')];
    expect(mergeFindings([a, b], [])).toEqual([a, b]);
    expect(mergeFindings([a, b], [again])).toEqual([a, again]);
  });
});

describe('the words of a check', () => {
  const end = (lines: object[]) => ({
    exitCode: 1,
    log: lines.map((l) => `${JSON.stringify(l)}\n`).join(''),
    reports: {},
    message: undefined,
    seconds: 1,
  });
  const error = (message: string) => ({ message_type: 'error', message });

  it('are what restic found, without its advice', () => {
    expect(
      checkWords(
        end([
          error('pack f68d29e8: does not exist\n'),
          error(
            '\nThe repository is damaged and must be repaired. Please follow the troubleshooting guide\n',
          ),
          { message_type: 'exit_error', code: 1, message: 'Fatal: repository contains errors' },
        ]),
      ),
    ).toBe('restic exited with code 1: Fatal: repository contains errors: pack f68d29e8: does not exist');
  });
  it('are the first of many, and how many more there are', () => {
    const words = checkWords(end(Array.from({ length: 9 }, (_, i) => error(`pack ${i}: does not exist`))));
    expect(words).toMatch(/pack 4: does not exist; and 4 more$/);
  });
});
