import { expect, it } from 'vitest';
import { listSnapshots } from '../../../functions/prune/listed-snapshots.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { resticId } from '../../support/restic-id.ts';

const vault = new MemoryVault('primary');
const at = new Date('2026-01-01T00:00:00Z');
const names = [
  ...[1, 2, 3].map((n) => resticId(String(n))),
  'x',
  `${resticId('4')}/y`,
  resticId('5').toUpperCase(),
];
for (const name of names)
  vault.objects.set(`restic/paris/shop/snapshots/${name}`, {
    body: Buffer.from(''),
    metadata: {},
    modified: at,
  });

it('the snapshots of a repository are the objects that have an id as a name', async () => {
  const { written, complete } = await listSnapshots(vault, 'restic/paris/shop');
  expect([[...written.keys()].sort(), complete]).toEqual([names.slice(0, 3).sort(), true]);
  expect([...written.values()]).toEqual([at, at, at]);
});

it('are listed up to a limit, and it is told that there are more', async () => {
  const { written, complete } = await listSnapshots(vault, 'restic/paris/shop', 2);
  expect([written.size <= 2, complete]).toEqual([true, false]);
});
