import { beforeEach, describe, expect, it } from 'vitest';
import { KINDS, thing } from '../../support/restores.ts';
import { VerifyWorld } from '../../support/verify-world.ts';

const web = thing(KINDS.deployments, 'web', { spec: { replicas: 2 } }, { generation: 1 });
const settings = (color: string, metadata: object = {}) =>
  thing(KINDS.configMaps, 'settings', { data: { color } }, metadata);

let world: VerifyWorld;
beforeEach(() => {
  world = new VerifyWorld();
});
const restored: VerifyWorld['restored'] = (...args) => world.restored(...args);
const there: VerifyWorld['there'] = (...things) => world.there(...things);
const verify = (seconds?: number) => world.verify(seconds);
const report = () => world.report();

describe('an object that differs now and was as wanted when it was written', () => {
  const STAMP = '2026-02-01T02:30:00Z';
  const byOther = {
    managedFields: [
      { manager: 'autoscaler', operation: 'Update', time: STAMP, fieldsV1: { 'f:data': { 'f:color': {} } } },
    ],
  };

  it('is Completed, and the report says what was changed and by whom', async () => {
    await restored([settings('red')]);
    there(settings('blue', byOther));
    expect(await verify()).toMatchObject({ phase: 'Completed', differing: 0, changedSince: 1 });
    expect(report()?.changedSince).toEqual([
      { object: 'configmaps shop/settings', path: 'data.color', manager: 'autoscaler' },
    ]);
  });

  it('is Completed too when somebody else has written a field that the API server had not taken', async () => {
    await restored([settings('red')], { differs: { settings: ['data.color'] } });
    there(settings('blue', byOther));
    expect(await verify()).toMatchObject({ phase: 'Completed', differing: 0, changedSince: 1 });
  });

  it('is Completed too when nobody can be named', async () => {
    await restored([settings('red')]);
    there(settings('blue'));
    expect(await verify()).toMatchObject({ phase: 'Completed', differing: 0, changedSince: 1 });
    expect(report()?.changedSince).toEqual([{ object: 'configmaps shop/settings', path: 'data.color' }]);
  });

  it('is Completed when it is as wanted by now', async () => {
    await restored([settings('red')], { differs: { settings: ['data.color'] } });
    there(settings('red'));
    expect(await verify()).toMatchObject({ phase: 'Completed', differing: 0, changedSince: 0 });
  });

  it('keeps long numbers apart', async () => {
    const widget = (n: string) => {
      const [type, object] = thing(KINDS.widgets, 'w', { spec: { n } });
      return [type, object] as const;
    };
    await restored([widget('9007199254740993')]);
    there(widget('9007199254740993'));
    expect(await verify()).toMatchObject({ changedSince: 0 });
  });
});

describe('what a restore lacks', () => {
  it('is a status that could not be written', async () => {
    await restored([settings('red')], { differs: { settings: ['status'] } });
    there(settings('red'));
    expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', differing: 1 });
    expect(report()?.differing).toEqual(['configmaps shop/settings: status']);
  });

  it('is an object that could not be updated', async () => {
    const results = { settings: 'skipped' } as const;
    await restored([settings('red')], { results, differs: { settings: ['data.color'] } });
    there(settings('blue'));
    expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', skipped: 1, differing: 1 });
  });

  it('is an object that is being deleted', async () => {
    await restored([settings('red')]);
    there(settings('red', { deletionTimestamp: '2026-02-01T02:00:30Z' }));
    await verify();
    expect(report()?.differing).toEqual(['configmaps shop/settings: is being deleted']);
  });

  it('is a type that cannot be listed, while all others are compared', async () => {
    await restored([settings('red'), thing(KINDS.widgets, 'w')]);
    there(settings('red'), thing(KINDS.widgets, 'w'));
    const refusal = { status: 500, message: 'conversion webhook for example.com failed' };
    world.cluster.refuse('GET', '/apis/example.com/v1/namespaces/shop/widgets', refusal);
    expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', differing: 1 });
    expect(report()?.differing).toEqual([
      expect.stringMatching(/^widgets\.example\.com shop\/w: cannot be compared: .*conversion webhook/),
    ]);
  });

  it.each(['failed', 'held'] as const)(
    'is what the controller of an object makes that was %s',
    async (result) => {
      const pod = thing(KINDS.pods, 'web-1');
      const set = thing(KINDS.replicaSets, 'web-a');
      await restored([web, set, pod], {
        results: { web: result, 'web-a': 'skipped', 'web-1': 'skipped' },
        items: (items) =>
          items.map((i) => {
            const madeBy =
              i.name === 'web-1' ? 'replicasets.apps/v1/shop/web-a' : 'deployments.apps/v1/shop/web';
            return i.name === 'web' ? i : { ...i, action: 'skip', madeBy };
          }),
      });
      const how = result === 'held' ? 'is held' : 'failed';
      expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', skipped: 0 });
      expect(report()?.items).toContainEqual(
        expect.objectContaining({
          name: 'web-1',
          result: 'failed',
          reason: `not restored: deployments.apps shop/web, which makes it, ${how}`,
        }),
      );
    },
  );
});

describe('a Namespace that the archive does not hold', () => {
  it('is only looked for', async () => {
    const home = { groupResource: 'namespaces', version: 'v1', namespace: undefined, name: 'shop' };
    const item = { ...home, stage: 1, order: 1, action: 'create', bytes: 0 } as const;
    await restored([], { items: () => [item] });
    expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', differing: 1 });
    world.cluster.addNamespaces('shop');
    expect(await verify()).toMatchObject({ phase: 'Completed' });
  });
});

describe('the objects of a large restore', () => {
  const homes = Array.from({ length: 30 }, (_, i) => `n${i}`);
  const many = Array.from({ length: 30 }, (_, i) =>
    thing(KINDS.configMaps, `c${i}`, { data: { i: `${i}` } }, { namespace: `n${i}` }),
  );

  it('are found in one list of the cluster when a type is in many namespaces', async () => {
    await restored(many, { plan: { namespaces: homes } });
    there(...many);
    await verify();
    expect(world.cluster.calls.filter((c) => c.includes('configmaps'))).toEqual(['GET /api/v1/configmaps']);
  });

  it('are the same in windows of any size', async () => {
    const differs = Object.fromEntries(many.map(([, { metadata }]) => [metadata.name, ['data.i']]));
    await restored(many, { plan: { namespaces: homes }, differs });
    there(...many.slice(0, 20));
    const others = many.slice(20, 25).map(([type, o]) => [type, { ...o, data: { i: 'x' } }] as const);
    there(...others);
    const summaries = [];
    for (const windowBytes of [1, 100, 1000, 1_000_000])
      summaries.push([await world.verify(60, { windowBytes }), report()?.differing]);
    expect(summaries[0]?.[0]).toMatchObject({ phase: 'PartiallyFailed', differing: 10 });
    for (const summary of summaries) expect(summary).toEqual(summaries[0]);
  });
});
