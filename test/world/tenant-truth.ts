import { expect } from 'vitest';
import { COPIES } from '../../functions/contract/copies.ts';
import { FORGED_SNAPSHOT } from '../support/tenant.ts';
import { type Ended, type Farm, MEADOW, ORCHARD } from '../support/tenant-farm.ts';
import { holdfast } from './cli.ts';

/**
 * What a record says of the meadow's volume: `protected`, or the reasons why it is not. Expects that this is the truth, that
 * a snapshot which it names is in both copies with the file as it was, and that the orchard's volume is protected.
 */
export async function truthOf(farm: Farm, { record }: Ended): Promise<'protected' | string> {
  const of = (namespace: string) => record.volumes.find((v) => v.namespace === namespace);
  const has = async (namespace: string, snapshot = 'none') =>
    Promise.all(COPIES.map(async (copy) => (await farm.snapshots(copy, namespace)).includes(snapshot)));
  // A reason may name it: "restic reports the snapshot f0f0…, but the vault does not have it".
  const named = [...record.volumes, ...(record.controlPlane ?? [])].map((o) => o.snapshot);
  expect(named).not.toContain(FORGED_SNAPSHOT);
  const orchard = of(ORCHARD);
  expect([orchard?.result, await has(ORCHARD, orchard?.snapshot)]).toEqual(['protected', [true, true]]);
  const meadow = of(MEADOW);
  if (meadow?.snapshot !== undefined) {
    expect(await has(MEADOW, meadow.snapshot)).toEqual([true, true]);
    const dump = ['dump', meadow.snapshot, `/data/${MEADOW}/data/fruit`];
    expect(holdfast('restic', `${farm.cluster}/${MEADOW}`, '--', ...dump)).toBe(`fruit of ${MEADOW}\n`);
  }
  if (meadow?.result === 'protected') return 'protected';
  expect([record.phase, meadow?.result]).toEqual(['PartiallyFailed', 'failed']);
  const reasons = record.reasons.filter((reason) => reason.includes(`${MEADOW}/data`));
  expect(reasons).toHaveLength(1);
  return reasons.join();
}
