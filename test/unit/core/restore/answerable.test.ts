import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { judge } from '../../../../functions/core/restore/answerable.ts';

const STARTED = '2026-02-01T02:00:00.500Z';
const [BEFORE, CREATED, LATER] = ['2026-01-01T00:00:00Z', '2026-02-01T02:01:00Z', '2026-02-01T02:05:00Z'];

/** An object whose `data.color` was written by a manager at a time. */
const writtenBy = (manager: string, time: string): KubeObject => ({
  metadata: {
    name: 'x',
    creationTimestamp: CREATED,
    managedFields: [
      { manager, operation: 'Update', time, fieldsV1: { 'f:data': { 'f:color': {}, 'f:size': {} } } },
    ],
  },
  data: { color: 'blue', size: '1' },
});

describe('a difference', () => {
  it('counts where the API server did not take the field as wanted', () => {
    const live = writtenBy('helm', BEFORE);
    expect(judge(live, ['data.color'], { differed: ['data.color'], startedAt: STARTED })).toEqual({
      counts: ['data.color'],
      later: [],
    });
  });

  it('of a field that was as wanted came later, and names who wrote it', () => {
    expect(
      judge(writtenBy('autoscaler', LATER), ['data.color'], { differed: [], startedAt: STARTED }),
    ).toEqual({
      counts: [],
      later: [{ path: 'data.color', manager: 'autoscaler' }],
    });
  });

  it('does not count when somebody else has written the field since', () => {
    const evidence = { differed: ['data.color'], startedAt: STARTED };
    expect(judge(writtenBy('autoscaler', LATER), ['data.color'], evidence).counts).toEqual([]);
    expect(judge(writtenBy('holdfast', LATER), ['data.color'], evidence).counts).toEqual(['data.color']);
  });

  it('counts when the field is of the moment of the creation, in whose name ever that was done', () => {
    const live = writtenBy('helm', CREATED);
    expect(judge(live, ['data.color'], { startedAt: STARTED }).counts).toEqual(['data.color']);
  });

  it('is judged by the managers alone when nothing was noted', () => {
    const judged = (live: KubeObject) => judge(live, ['data.color'], { startedAt: STARTED }).counts;
    expect(judged(writtenBy('autoscaler', LATER))).toEqual([]);
    expect(judged({ metadata: { name: 'x' }, data: {} })).toEqual(['data.color']);
    expect(judge({ metadata: { name: 'x' } }, ['data.color'], {}).counts).toEqual(['data.color']);
  });

  it('counts inside and around a path that was noted, and not beside it', () => {
    const live: KubeObject = { metadata: { name: 'x' } };
    const counts = (...paths: string[]) => judge(live, paths, { differed: ['spec.ports[1]'] }).counts;
    expect(counts('spec.ports', 'spec.ports[1].port')).toEqual(['spec.ports', 'spec.ports[1].port']);
    expect(counts('spec.ports[10]', 'spec.portsOfOthers', 'spec.ports[0].port')).toEqual([]);
  });

  it('either counts or came later', () => {
    const paths = fc.array(fc.constantFrom('data.color', 'data.size', 'data', 'spec'));
    const times = fc.constantFrom(BEFORE, CREATED, LATER);
    fc.assert(
      fc.property(paths, fc.option(paths, { nil: undefined }), times, (all, differed, time) => {
        const evidence = { startedAt: STARTED, ...(differed && { differed }) };
        const { counts, later } = judge(writtenBy('somebody', time), all, evidence);
        expect([...counts, ...later.map((c) => c.path)].sort()).toEqual([...all].sort());
      }),
    );
  });
});
