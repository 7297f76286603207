import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../functions/adapters/s3/documents.ts';
import { COPIES } from '../../../functions/contract/copies.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { DATA } from '../../support/builders.ts';
import { keyPair } from '../../support/key-pair.ts';
import { nameOf, PrunedVault, pruneVault, RUN } from '../../support/prunes.ts';
import { resticId } from '../../support/restic-id.ts';

const keys = vaultKeys('paris');
let vault: PrunedVault;
beforeEach(() => {
  vault = new PrunedVault();
});

describe('snapshots that no record names', () => {
  it('are found in the vault and forgotten, in whichever copy they are', async () => {
    const [named, lost] = [vault.putSnapshot(nameOf(3)), vault.putSnapshot(nameOf(1))];
    const there = vault.putSnapshot(nameOf(1), { namespace: 'only-there', where: ['replica'] });
    await vault.putPoint(nameOf(3), named);
    expect(await vault.prune()).toMatchObject({ removed: 0, forget: 2 });
    expect([vault.forgotten('primary'), vault.forgotten('replica', 'only-there')]).toEqual([[lost], [there]]);
    expect(vault.plan().primary.forget).toEqual([
      { backup: nameOf(1), namespace: 'shop', snapshots: [lost] },
    ]);
    expect(vault.document(keys.records.prune.keeps(RUN, 'shop'))).toEqual({ primary: [named], replica: [] });
  });

  it('are shown by a dry run', async () => {
    const lost = vault.putSnapshot(nameOf(1));
    await vault.prune({}, {}, true);
    const { primary } = vault.document(keys.records.prune.report(RUN));
    expect(primary.forget).toEqual([{ backup: nameOf(1), namespace: 'shop', snapshots: [lost] }]);
  });

  it.each([
    ['of a person, without tags', { tags: [] }],
    ['of a person, with tags of their own', { tags: ['backup=mine'] }],
    ['of another cluster', { hostname: 'rome' }],
    ['written within the grace period', { modified: new Date('2026-01-31T00:00:00Z') }],
    ['taken within the grace period', { time: '2026-01-31T00:00:00Z' }],
  ])('are kept: %s', async (_, over) => {
    vault.putSnapshot(nameOf(1), over);
    expect(await vault.prune()).toMatchObject({ forget: 0 });
  });

  it('are kept while their backup has a record in the other copy', async () => {
    vault.putSnapshot(nameOf(3));
    await vault.putPoint(nameOf(3), resticId('other'), {}, ['replica']);
    expect(await vault.prune()).toMatchObject({ forget: 0 });
  });

  it('are not those that a record of another plan names, signed or not', async () => {
    const [a, b] = [vault.putSnapshot(nameOf(1)), vault.putSnapshot(nameOf(2))];
    await vault.putPoint(nameOf(3, 'hourly'), a, {}, ['primary']);
    await vault.putUnsigned('primary', nameOf(4, 'hourly'), {
      plan: 'hourly',
      volumes: [{ ...DATA, snapshot: b }],
    });
    expect(await vault.prune()).toMatchObject({ forget: 0 });
  });

  it('of a failed backup go with it, however young, where its work list says', async () => {
    const at = { modified: new Date('2026-02-01T01:00:00Z'), time: '2026-02-01T01:00:00Z' };
    const young = vault.putSnapshot(nameOf(4), { ...at, where: COPIES });
    const running = vault.putSnapshot(nameOf(31), at);
    await vault.putUnsigned('primary', nameOf(4), { phase: 'Failed' });
    await vault.prune();
    expect([vault.forgotten('primary'), vault.forgotten('replica')]).toEqual([[young], [young]]);
    expect(running).not.toBe(young);
  });
});

describe('beside a failed backup whose snapshots are looked for', () => {
  it('a young object stays, whatever time its snapshot says', async () => {
    vault.putSnapshot(nameOf(1), { modified: new Date('2026-02-01T01:00:00Z') });
    await vault.putUnsigned('primary', nameOf(4), { phase: 'Failed' });
    await vault.prune();
    expect(vault.forgotten('primary')).toEqual([]);
  });

  it('nothing goes because its unsigned record names it', async () => {
    const [running, foreign] = [vault.putSnapshot(nameOf(31)), vault.putSnapshot(nameOf(4), { tags: [] })];
    const volumes = [running, foreign].map((snapshot) => ({ ...DATA, snapshot }));
    await vault.putUnsigned('primary', nameOf(4), { phase: 'Failed', volumes });
    await vault.prune();
    expect(vault.forgotten('primary')).toEqual([]);
  });
});

describe('what cannot be read', () => {
  it('is a damaged snapshot: it is kept and named, and the others are decided', async () => {
    const [lost, damaged] = [vault.putSnapshot(nameOf(1)), vault.putSnapshot(nameOf(2))];
    const key = `${keys.restic.repository('shop')}/snapshots/${damaged}`;
    vault.copies.primary.objects.set(key, { body: Buffer.from('x'), metadata: {}, modified: new Date(0) });
    await vault.prune();
    expect(vault.forgotten('primary')).toEqual([lost]);
    expect(vault.plan().primary.unread).toEqual([expect.stringContaining(key)]);
  });

  it('is any number of objects that a namespace wrote: few are named, and other repositories are decided', async () => {
    const other = vault.putSnapshot(nameOf(1), { namespace: 'other' });
    vault.putSnapshot(nameOf(1));
    for (let i = 0; i < 1100; i++) {
      const key = `${keys.restic.repository('shop')}/snapshots/${resticId(String(i))}`;
      vault.copies.primary.objects.set(key, { body: Buffer.from('x'), metadata: {}, modified: new Date(0) });
    }
    await vault.prune();
    expect(vault.forgotten('primary', 'other')).toEqual([other]);
    expect(vault.plan().primary.unread).toEqual([
      expect.stringMatching(/restic\/paris\/shop has more snapshots .* than a run reads/),
      ...Array.from({ length: 3 }, () => expect.stringContaining('does not have the bytes of its name')),
      expect.stringMatching(/^9\d\d more snapshots of restic\/paris\/shop cannot be read$/),
    ]);
  });

  it('is a repository with a foreign password: it is kept and named, and the others are decided', async () => {
    vault.putSnapshot(nameOf(1));
    const other = vault.putSnapshot(nameOf(1), { namespace: 'other' });
    const { open } = pruneVault(vault.copies, keyPair());
    const foreign = keys.restic.repository('shop');
    await vault.prune({}, { open: (copy, at) => open(copy, at === foreign ? 'restic/paris/x' : at) });
    expect([vault.forgotten('primary'), vault.forgotten('primary', 'other')]).toEqual([[], [other]]);
    expect(vault.plan().primary.unread).toHaveLength(1);
  });

  it('is a record: nothing goes that no other record names, for it may name anything', async () => {
    const [old, , a, b] = [1, 2, 3, 4].map((day) => vault.putSnapshot(nameOf(day))) as [
      string,
      string,
      string,
      string,
    ];
    await vault.putPoint(nameOf(1), old);
    await vault.putPoint(nameOf(3), a);
    await vault.putPoint(nameOf(4), b);
    await vault.copies.primary.put(keys.records.record(nameOf(5, 'hourly')), Buffer.from('damaged'));
    await vault.prune();
    expect(vault.forgotten('primary')).toEqual([old]);
    expect(vault.plan().primary.unread).toEqual([expect.stringContaining(nameOf(5, 'hourly'))]);
  });

  it('is an error of the vault: the run fails and decides nothing', async () => {
    vault.putSnapshot(nameOf(1));
    const open = async () => {
      throw Object.assign(new Error('slow down'), { name: 'VaultUnavailable' });
    };
    await expect(vault.prune({}, { open })).rejects.toMatchObject({ name: 'VaultUnavailable' });
    expect(vault.copies.primary.objects.has(keys.records.prune.plan(RUN))).toBe(false);
  });

  it('is left to the next run when there is no time', async () => {
    vault.putSnapshot(nameOf(1));
    await vault.prune({}, { timeLeft: () => false }, true);
    expect(vault.document(keys.records.prune.report(RUN)).primary).toMatchObject({
      forget: [],
      unread: ['restic/paris/shop is looked at by the next run'],
    });
  });
});

describe('a snapshot that a record names which stays', () => {
  it('is not forgotten because a signed record that goes names it, too', async () => {
    const shared = vault.putSnapshot(nameOf(3));
    await vault.putPoint(nameOf(1), shared);
    for (const day of [3, 4]) await vault.putPoint(nameOf(day), shared);
    expect(await vault.prune()).toMatchObject({ removed: 1, forget: 0 });
  });

  it('is not forgotten because an interrupted run says so', async () => {
    const shared = vault.putSnapshot(nameOf(3));
    await vault.putPoint(nameOf(3), shared);
    const forget = [{ backup: nameOf(1), namespace: 'shop', snapshots: [shared] }];
    const gone = { decisions: [{ backup: nameOf(1), keep: false, reasons: ['x'] }], orphans: [], begun: [] };
    const earlier = {
      version: 2,
      plan: 'daily',
      prune: 'daily-20260131020000',
      decidedAt: 'x',
      finishes: [],
    };
    const nothing = { decisions: [], orphans: [], begun: [], forget: [] };
    await vault.copies.primary.put(
      keys.records.prune.plan(earlier.prune),
      encode({ ...earlier, search: ['shop'], primary: { ...gone, forget }, replica: nothing }),
    );
    expect(await vault.prune()).toMatchObject({ forget: 0 });
    expect(vault.plan().finishes).toEqual([earlier.prune]);
  });

  it('is told apart from what an interrupted run of the release before had begun to remove', async () => {
    const [begun, kept] = [vault.putSnapshot(nameOf(1)), vault.putSnapshot(nameOf(3))];
    await vault.putPoint(nameOf(3), kept);
    await vault.putPoint(nameOf(1), begun, {}, ['replica']);
    const forget = [{ backup: nameOf(1), namespace: 'shop', snapshots: [begun, kept] }];
    const nothing = { decisions: [], orphans: [], begun: [], forget: [] };
    const gone = { ...nothing, decisions: [{ backup: nameOf(1), keep: false, reasons: ['x'] }] };
    const earlier = {
      version: 2,
      plan: 'daily',
      prune: 'daily-20260131020000',
      decidedAt: 'x',
      finishes: [],
    };
    await vault.copies.primary.put(
      keys.records.prune.plan(earlier.prune),
      encode({ ...earlier, search: [], primary: { ...gone, forget }, replica: nothing }),
    );
    await vault.prune();
    expect(vault.forgotten('primary')).toEqual([begun]);
  });

  it('stays in its copy, whatever records, tags and times there are', async () => {
    const kind = fc.constantFrom('signed', 'unsigned', 'none', 'damaged');
    const one = fc.record({
      day: fc.integer({ min: 1, max: 6 }),
      plan: fc.constantFrom('daily', 'hourly'),
      names: fc.nat(5),
      primary: kind,
      replica: kind,
      phase: fc.constantFrom('Completed' as const, 'PartiallyFailed' as const, 'Failed' as const),
    });
    const tags = fc.array(fc.record({ day: fc.integer({ min: 1, max: 8 }), own: fc.boolean() }), {
      minLength: 6,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 6 }), tags, async (backups, tagged) => {
        vault = new PrunedVault();
        const ids = tagged.map(({ day, own }) =>
          vault.putSnapshot(nameOf(day), { where: COPIES, ...(own && { tags: [] }) }),
        );
        for (const { day, plan: of, names, phase, ...kinds } of backups)
          for (const copy of COPIES) {
            const backup = nameOf(day, of);
            const snapshot = ids[names] as string;
            if (kinds[copy] === 'signed') await vault.putPoint(backup, snapshot, { phase }, [copy]);
            if (kinds[copy] === 'unsigned')
              await vault.putUnsigned(copy, backup, { plan: of, phase, volumes: [{ ...DATA, snapshot }] });
            if (kinds[copy] === 'damaged')
              await vault.copies[copy].put(keys.records.record(backup), Buffer.from('?'));
          }
        await vault.prune({ retention: { keepLast: 1 }, replicaRetention: { keepLast: 1, ttl: '1d' } });
        for (const copy of COPIES) {
          const named = [...vault.copies[copy].objects].flatMap(([key, { body }]) =>
            key.endsWith('/record.json') && body.length > 1
              ? (JSON.parse(body.toString()).volumes as { snapshot: string }[]).map((v) => v.snapshot)
              : [],
          );
          expect(vault.forgotten(copy).filter((id) => named.includes(id))).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
