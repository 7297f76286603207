import { beforeEach, describe, expect, it } from 'vitest';
import { leaseHolder, releaseLease, takeLease } from '../../../functions/adapters/s3/documents.ts';
import { holderIsGone, holderName } from '../../../functions/runtime/leases.ts';
import { MemoryVault } from '../../support/memory-vault.ts';

const NOW = new Date('2026-01-31T02:00:00Z');
const KEY = 'leases/paris/backup/daily.json';
let vault: MemoryVault;
beforeEach(() => {
  vault = new MemoryVault('vault');
});

const atWork = async () => false;
const take = (holder: string, isGone: (holder: string) => Promise<boolean> = atWork, at = NOW) =>
  takeLease(vault, KEY, holder, at, 60, isGone);

describe('a lease in the vault', () => {
  it('is had by one of ten who want it at once, and the others are told who', async () => {
    const told = await Promise.all(Array.from({ length: 10 }, (_, i) => take(`b-${i}`)));
    const winner = told.indexOf(undefined);
    expect(told.filter((other) => other === undefined)).toHaveLength(1);
    expect(new Set(told.filter(Boolean))).toEqual(new Set([`b-${winner}`]));
  });

  it('is taken again by its holder, who was killed and runs again', async () => {
    await take('b-1');
    expect(await take('b-1')).toBeUndefined();
  });

  it('is taken from a holder that has ended, by one of ten', async () => {
    await take('dead');
    const isGone = async (holder: string) => holder === 'dead';
    const told = await Promise.all(Array.from({ length: 10 }, (_, i) => take(`b-${i}`, isGone)));
    expect(told.filter((other) => other === undefined)).toHaveLength(1);
    expect(told).not.toContain('dead');
  });

  it('stays with a holder that is at work until it expires', async () => {
    await take('b-1');
    expect(await take('b-2')).toBe('b-1');
    expect(await take('b-2', atWork, new Date(NOW.getTime() + 60_000))).toBeUndefined();
  });

  it('is held by nobody when its holder has ended', async () => {
    await take('dead');
    expect(await leaseHolder(vault, KEY, NOW, atWork)).toBe('dead');
    expect(await leaseHolder(vault, KEY, NOW, async () => true)).toBeUndefined();
  });

  it('is given back by the work of an execution, and by no other', async () => {
    await take(holderName('b-1', 'arn:aws:states:::execution'));
    await releaseLease(vault, KEY, 'b-2');
    expect(vault.objects.has(KEY)).toBe(true);
    await releaseLease(vault, KEY, 'b-1');
    expect(vault.objects.has(KEY)).toBe(false);
  });

  it('of a holder that names no execution is believed until it expires', async () => {
    expect(await holderIsGone('b-1/some-name')).toBe(false);
  });
});
