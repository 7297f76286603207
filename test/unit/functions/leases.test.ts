import { beforeEach, describe, expect, it } from 'vitest';
import { EXECUTION_TIMEOUT_SECONDS } from '../../../functions/contract/execution-timeout.ts';
import type { Holder } from '../../../functions/core/vault/lease.ts';
import { holderIsGone, leaseHolder, releaseLease, takeLease } from '../../../functions/runtime/leases.ts';
import { Killed, MemoryVault } from '../../support/memory-vault.ts';

const NOW = new Date('2026-01-31T02:00:00Z');
const KEY = 'leases/paris/backup/daily.json';
let vault: MemoryVault;
beforeEach(() => {
  vault = new MemoryVault('vault');
});

const by = (work: string, execution = `arn:aws:states:::execution:${work}`): Holder => ({ work, execution });
const DEAD = by('dead');
const leases = (isGone = async (_: Holder) => false, now = NOW) => ({ vault, now, isGone });
const isDead = async ({ work }: Holder) => work === 'dead';
const take = (work: string, isGone?: (holder: Holder) => Promise<boolean>, now?: Date) =>
  takeLease(leases(isGone, now), KEY, by(work));
const tenTimes = (isGone?: (holder: Holder) => Promise<boolean>, now?: Date) =>
  Promise.all(Array.from({ length: 10 }, (_, i) => take(`b-${i}`, isGone, now)));
const expired = new Date(NOW.getTime() + EXECUTION_TIMEOUT_SECONDS * 1000);
const store = (body: unknown) =>
  vault.put(KEY, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

/** Of ten who were told, exactly one has it, and the others know that. */
function expectOneWinner(told: readonly (Holder | undefined)[]): void {
  const winner = told.indexOf(undefined);
  expect(told.filter((other) => other === undefined)).toHaveLength(1);
  for (const other of told) if (other) expect(other).toEqual(by(`b-${winner}`));
}

describe('a lease in the vault', () => {
  it('is had by one of ten who want it at once, and the others are told who', async () => {
    expectOneWinner(await tenTimes());
  });

  it('is taken again by its holder, who was killed and runs again', async () => {
    await take('b-1');
    expect(await take('b-1')).toBeUndefined();
    expect(await take('b-2')).toEqual(by('b-1'));
  });

  it('is had by the next who tries, wherever the one before was killed', async () => {
    await takeLease(leases(isDead), KEY, DEAD);
    vault.calls = 0;
    await take('b-1', isDead);
    const { calls } = vault;
    expect(calls).toBeGreaterThan(1);
    for (let at = 0; at < calls; at++) {
      vault = new MemoryVault('vault');
      await takeLease(leases(isDead), KEY, DEAD);
      vault.callsLeft = at;
      await expect(take('b-1', isDead)).rejects.toBeInstanceOf(Killed);
      vault.callsLeft = Number.POSITIVE_INFINITY;
      expect([at, await take('b-1', isDead), await take('b-2', isDead)]).toEqual([at, undefined, by('b-1')]);
    }
  });

  it('is not taken from one who took it while another asked about the holder before', async () => {
    await takeLease(leases(), KEY, DEAD);
    const slowly = async (holder: Holder) => {
      await take('b-2', isDead);
      return isDead(holder);
    };
    expect(await take('b-1', slowly)).toEqual(by('b-2'));
    expect(await leaseHolder(leases(), KEY)).toEqual(by('b-2'));
  });

  it('is taken from a holder whose execution has ended, by one of ten', async () => {
    await takeLease(leases(), KEY, DEAD);
    expectOneWinner(await tenTimes(isDead));
  });

  it('stays with a running holder until it expires, and then goes to one of ten', async () => {
    await take('at-work');
    expect(await take('b-2')).toEqual(by('at-work'));
    expectOneWinner(await tenTimes(undefined, expired));
  });

  it('has no holder when its holder has ended, or it has expired', async () => {
    await takeLease(leases(), KEY, DEAD);
    expect(await leaseHolder(leases(), KEY)).toEqual(DEAD);
    expect(await leaseHolder(leases(isDead), KEY)).toBeUndefined();
    expect(await leaseHolder(leases(undefined, expired), KEY)).toBeUndefined();
  });

  it('is given back by its work, by its execution, and by no other', async () => {
    const gone = async (work: string, execution?: string) => {
      await take('b-1');
      await releaseLease(vault, KEY, work, execution);
      return !vault.objects.has(KEY);
    };
    expect([await gone('b-2'), await gone('b'), await gone('b-1', 'other')]).toEqual([false, false, false]);
    expect([await gone('b-1'), await gone('b-1', by('b-1').execution)]).toEqual([true, true]);
  });

  it('of an earlier release keeps its holder, and is given back by it', async () => {
    const { work, execution } = by('b-1');
    const before = { holder: `${work}/${execution}`, expiresAt: expired.toISOString() };
    await store(before);
    expect([await take('b-2'), await leaseHolder(leases(), KEY)]).toEqual([by('b-1'), by('b-1')]);
    expect(await take('b-1')).toBeUndefined();
    await store(before);
    await releaseLease(vault, KEY, work);
    expect(vault.objects.has(KEY)).toBe(false);
  });

  it('of an earlier release is taken from a holder that has ended', async () => {
    await store({ holder: `dead/${DEAD.execution}`, expiresAt: expired.toISOString() });
    expectOneWinner(await tenTimes(isDead));
  });

  it.each(['', '{"holder":', '{"holder":{"kind":"of a later release"}}'])(
    'that cannot be read is nobody’s to take, and the error says what to do: %s',
    async (text) => {
      await store(text);
      const error = { name: 'LeaseUnreadable', message: expect.stringMatching(`${KEY} .*remove the object`) };
      await expect(take('b-1')).rejects.toMatchObject(error);
      await expect(leaseHolder(leases(), KEY)).rejects.toMatchObject(error);
      await releaseLease(vault, KEY, 'b-1');
      expect(vault.objects.get(KEY)?.body.toString()).toBe(text);
    },
  );

  it('of a holder that names no execution is believed until it expires', async () => {
    expect(await holderIsGone(by('b-1', 'some-name'))).toBe(false);
    expect(await holderIsGone(by('b-1', ''))).toBe(false);
  });
});
