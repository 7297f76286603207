import { describe, expect, it } from 'vitest';
import { VolumeOutcome } from '../../../functions/core/volumes/work.ts';
import { type JobResults, jobResults } from '../../../functions/runtime/jobs/job-results.ts';
import { MemoryVault } from '../../support/memory-vault.ts';

const DIR = 'records/paris/daily-1/volumes/';
const keyOf = (id: string) => `${DIR}${id}.json`;
const outcome = (id: string, result: VolumeOutcome['result']): VolumeOutcome => ({
  id,
  namespace: 'shop',
  pvc: 'data',
  result,
});

function resultsIn(vault: MemoryVault): JobResults<VolumeOutcome> {
  return jobResults({ vault, dir: DIR, keyOf, schema: VolumeOutcome, failed: (o) => o.result === 'failed' });
}

describe('the results of Jobs', () => {
  it('say which work has ended, and how much of it failed', async () => {
    const results = resultsIn(new MemoryVault('primary'));
    for (const [id, result] of [
      ['shop.a', 'protected'],
      ['shop.b', 'failed'],
      ['shop.c', 'partial'],
    ] as const)
      await results.write(id, outcome(id, result));
    expect([...(await results.finished())]).toEqual(['shop.a', 'shop.b', 'shop.c']);
    expect(await results.failures()).toBe(1);
  });

  it.each([
    ['is no JSON', Buffer.from('{"id": "shop')],
    ['is another document', Buffer.from('{"id": "shop.data"}')],
  ])(
    'that a document cannot be read is an error of the contract that names its key: it %s',
    async (_, body) => {
      const vault = new MemoryVault('primary');
      vault.objects.set(keyOf('shop.data'), { body, metadata: {} });
      await expect(resultsIn(vault).failures()).rejects.toMatchObject({
        name: 'RecoveryPointDamaged',
        message: expect.stringContaining(`${keyOf('shop.data')} is not a valid document`),
        hint: 'Remove it: its Job then runs again',
      });
    },
  );
});
