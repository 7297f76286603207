import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tally } from '../../../functions/backup/export/tally.ts';

const POD = { groupResource: 'pods', kind: 'v1/Pod' };

const note = (tally: Tally, name: string) =>
  tally.note(POD, { namespace: 'shop', name, raw: Buffer.from(`{"of":"${name}"}`) });
const tallyOf = (names: readonly string[]) => {
  const tally = new Tally();
  for (const name of names) note(tally, name);
  return tally;
};
const listOf = (tally: Tally) => gunzipSync(tally.resourceList()).toString();
const names = fc.uniqueArray(fc.stringMatching(/^[a-z"é]{1,8}$/), { minLength: 2, maxLength: 20 });

describe('the tally of an export', () => {
  it('has one digest for the same objects, in whichever order they came', () => {
    fc.assert(
      fc.property(names, (all) => {
        expect(tallyOf([...all].reverse()).digests()).toEqual(tallyOf(all).digests());
      }),
    );
  });

  it('has another digest when one object has other bytes', () => {
    const changed = tallyOf(['a']);
    changed.note(POD, { namespace: 'shop', name: 'b', raw: Buffer.from('{"of":"else"}') });
    expect(changed.digests()[0]?.digest).not.toBe(tallyOf(['a', 'b']).digests()[0]?.digest);
  });

  it('of all shards together equals that of one export', () => {
    fc.assert(
      fc.property(names, fc.nat(20), (all, cut) => {
        const joined = new Tally();
        for (const part of [all.slice(0, cut), all.slice(cut)])
          joined.add(JSON.parse(JSON.stringify(tallyOf(part).toDocument())));
        expect([joined.items, joined.digests(), listOf(joined)]).toEqual([
          all.length,
          tallyOf(all).digests(),
          listOf(tallyOf(all)),
        ]);
      }),
    );
  });

  it('lists its objects by kind as Velero does', () => {
    const tally = tallyOf(['a', 'b']);
    tally.note(
      { groupResource: 'nodes', kind: 'v1/Node' },
      { namespace: undefined, name: 'n1', raw: Buffer.from('{}') },
    );
    expect(JSON.parse(listOf(tally))).toEqual({
      'v1/Pod': ['shop/a', 'shop/b'],
      'v1/Node': ['n1'],
    });
    expect(listOf(new Tally())).toBe('{}');
  });

  it('keeps every name in its order, however many there are', () => {
    const all = Array.from({ length: 9000 }, (_, i) => `pod-${i}`);
    expect(JSON.parse(listOf(tallyOf(all)))).toEqual({ 'v1/Pod': all.map((name) => `shop/${name}`) });
  });
});
