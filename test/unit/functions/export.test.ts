import { beforeEach, describe, expect, it } from 'vitest';
import { readArchive } from '../../../functions/adapters/archive/reader.ts';
import { exportShard, exportWhole, joinShards } from '../../../functions/backup/export/export.ts';
import { planExport } from '../../../functions/backup/export/plan.ts';
import type { Selection } from '../../../functions/contract/settings.ts';
import { decidePhase, type ResourceResult } from '../../../functions/core/backup/record.ts';
import { TYPES } from '../../../functions/core/kubernetes/well-known.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { workOf } from '../../support/builders.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { selectionOf } from '../../support/selection.ts';
import { list, ServedCluster, status, typeOf } from '../../support/served-cluster.ts';

const keys = vaultKeys('paris');
const MAPS = typeOf('configmaps', { kind: 'ConfigMap' });
const THINGS = typeOf('things.bad.example.com');
const LIST = '/apis/bad.example.com/v1/things';

let cluster: ServedCluster;
beforeEach(() => {
  cluster = new ServedCluster(MAPS, THINGS);
  cluster.add(TYPES.namespaces, 'shop');
  cluster.add(MAPS, 'settings', 'shop');
  cluster.add(THINGS, 'one', 'shop');
});

/** One export of the namespace `shop`, and what a restore reads from its archive. */
async function exported(over: Partial<Selection> = {}, between: () => void = () => undefined) {
  const vault = new MemoryVault('primary');
  const work = workOf({ namespaces: ['shop'], wide: true, selection: selectionOf(['shop'], over) });
  const plan = await planExport(cluster, work, 1_000_000);
  between();
  const result = await exportWhole({ cluster, vault, keys, pauseMs: 0 }, work, plan, 0);
  const names: string[] = [];
  const archive = await vault.stream(keys.velero.archive(work.backup));
  await readArchive(archive, result.sha256, ({ at }) =>
    names.push(`${at.groupResource}/${at.version}/${at.name}`),
  );
  return { result, names: names.sort(), ...phaseOf(result, work) };
}
const phaseOf = (resources: ResourceResult, work: ReturnType<typeof workOf>) =>
  decidePhase(work, { resources, volumes: [] });

const REST = ['configmaps/v1/settings', 'namespaces/v1/shop'];
const ALL = [...REST, 'things.bad.example.com/v1/one'].sort();

describe('an export of a type whose list', () => {
  it.each([400, 403, 404, 405, 409, 410, 429, 500, 503, 504])(
    'answers %i brings everything else, and says so in the words of the API server',
    async (code) => {
      cluster.answer(LIST, status(code, 'conversion webhook is down'));
      const { names, phase, reasons } = await exported();
      expect(names).toEqual(REST);
      expect(phase).toBe('PartiallyFailed');
      expect(reasons).toEqual([
        expect.stringMatching(
          /^things\.bad\.example\.com \(.*conversion webhook is down.*\) could not be read$/,
        ),
      ]);
    },
  );

  it('gives no response brings everything else, and is not asked for again', async () => {
    cluster.answer(LIST, 'silent');
    const { names, reasons } = await exported();
    expect(names).toEqual(REST);
    expect(reasons).toEqual([expect.stringMatching(/no complete response within 30 s\) could not be read/)]);
    expect(cluster.calls.filter((c) => c === `GET ${LIST}`)).toHaveLength(2);
  });

  it.each(['', 'null', '[]', '{"items":[null]}', '{"items":["x"]}', '<html>', '{"items":[{"metadata"'])(
    'is %s instead of a list brings everything else',
    async (body) => {
      cluster.answer(LIST, [200, body]);
      const { names, phase } = await exported();
      expect([names, phase]).toEqual([REST, 'PartiallyFailed']);
    },
  );

  it('continues at the same place for ever brings everything else', async () => {
    cluster.answer(LIST, list([], 'again'));
    expect(await exported()).toMatchObject({ names: REST, phase: 'PartiallyFailed' });
  });

  it.each([404, 410, 500])('answers %i once is read again, each object once', async (code) => {
    const page = list([{ metadata: { name: 'one', namespace: 'shop' } }], 'more');
    const rest = list([{ metadata: { name: 'two', namespace: 'shop' } }]);
    cluster.answer(LIST, page, page, status(code, 'no'), page, rest);
    const { names, phase } = await exported();
    expect([names, phase]).toEqual([[...ALL, 'things.bad.example.com/v1/two'].sort(), 'Completed']);
  });
});

describe('an export of a type whose version', () => {
  const beta = { ...THINGS, version: 'v1beta1' };
  it('is no longer served reads the version that is', async () => {
    cluster.types.push(beta);
    const { names, phase } = await exported({}, () => {
      cluster.types = cluster.types.filter((t) => t !== THINGS);
    });
    expect(names).toEqual([...REST, 'things.bad.example.com/v1beta1/one'].sort());
    expect(phase).toBe('Completed');
  });

  it('goes away on the second page brings the rest in the other version, each object once', async () => {
    cluster.types.push(beta);
    cluster.add(THINGS, 'two', 'shop');
    const page = list([{ metadata: { name: 'one', namespace: 'shop' } }], 'more');
    cluster.answer(LIST, page, page, status(404, 'page not found'));
    const { names, phase } = await exported({}, () => {
      cluster.types = cluster.types.filter((t) => t !== THINGS);
    });
    expect(names).toEqual(
      [...REST, 'things.bad.example.com/v1/one', 'things.bad.example.com/v1beta1/two'].sort(),
    );
    expect(phase).toBe('Completed');
  });

  it('is gone with its type is named', async () => {
    const { names, reasons } = await exported({}, () => {
      cluster.types = cluster.types.filter((t) => t !== THINGS);
    });
    expect(names).toEqual(REST);
    expect(reasons).toEqual(['things.bad.example.com (it is no longer served) could not be read']);
  });
});

describe('an export while the API server itself does not answer', () => {
  it.each(['refused', 'silent'] as const)('(%s) fails, and is tried again', async (trouble) => {
    const failing = exported({}, () => {
      cluster.answer(LIST, trouble);
      cluster.answer('/api/v1/namespaces', trouble);
    });
    await expect(failing).rejects.toMatchObject({ name: 'ClusterUnreachable', retryable: true });
  });
});

describe('an object that a reader of the archive would refuse is left out and named:', () => {
  const named = (name: unknown, more: object = {}) => ({ metadata: { name, namespace: 'shop', ...more } });
  it.each([
    ['two of one name', [named('a'), named('a')], /another object of the list has the same name \(shop\/a\)/],
    ['no name', [named('')], /it has no name/],
    ['a name that is no text', [named(7)], /it has no name/],
    ['no namespace', [{ metadata: { name: 'a' } }], /it has no namespace/],
    ['a slash', [named('a/b')], /cannot be the name of an object/],
    ['the folder above', [named('..')], /cannot be the name of an object/],
    ['a zero byte', [named('a\0b')], /cannot be the name of an object/],
    ['half a character', [named('\ud800')], /cannot be the name of an object/],
    ['a name without end', [named('n'.repeat(5000))], /cannot be the name of an object/],
    ['more than any API server takes', [{ ...named('a'), x: 'x'.repeat(5e6) }], /larger than any API server/],
  ])('%s', async (_, items, why) => {
    cluster.answer(LIST, list([...items, named('one')]));
    const { names, phase, reasons } = await exported();
    expect(names).toEqual(expect.arrayContaining(ALL));
    expect(reasons).toEqual([expect.stringMatching(why)]);
    expect(phase).toBe('PartiallyFailed');
  });

  it('what is not JSON', async () => {
    cluster.answer(LIST, [
      200,
      '{"metadata":{},"items":[{"metadata":{"name":"x","namespace":"shop"},"a":nul},{"metadata":{"name":"one","namespace":"shop"}}]}',
    ]);
    const { names, reasons } = await exported();
    expect([names, reasons]).toEqual([ALL, [expect.stringMatching(/1 object was left out: it is not JSON/)]]);
  });

  it('of a type that nobody can create, without making the backup incomplete', async () => {
    cluster.verbs.set('things.bad.example.com', ['get', 'list']);
    cluster.answer(LIST, list([named('one'), named('one')]));
    const { phase, result } = await exported();
    expect(phase).toBe('Completed');
    expect(result.notes).toEqual([expect.stringMatching(/1 object was left out: another object/)]);
  });

  it('but what two selectors match is there once, and whole', async () => {
    const selectors = { orLabelSelectors: ['a=1', 'b=1'] };
    expect(await exported(selectors)).toMatchObject({ names: ALL, phase: 'Completed' });
  });
});

describe('a backup takes the Namespace', () => {
  it('along with the types that were asked for', async () => {
    expect((await exported({ includedResources: ['configmaps'] })).names).toEqual(REST);
  });
  it('but not if it is excluded', async () => {
    const over = { includedResources: ['configmaps'], excludedResources: ['namespaces'] };
    expect((await exported(over)).names).toEqual(['configmaps/v1/settings']);
  });
  it.each([
    { metadata: { name: 'shop', deletionTimestamp: '2026-01-01T00:00:00Z' } },
    { status: { phase: 'Terminating' } },
  ])('as it is being deleted (%j), and is then not complete', async (over) => {
    cluster.objects.shift();
    cluster.add(TYPES.namespaces, 'shop', undefined, over);
    expect(await exported()).toMatchObject({
      names: ALL,
      phase: 'PartiallyFailed',
      reasons: ['namespace shop is being deleted'],
    });
  });
  it('or says that it was deleted meanwhile', async () => {
    cluster.objects.shift();
    expect((await exported()).reasons).toEqual(['namespace shop was deleted during the backup']);
  });
});

describe('a plan that asks for what the cluster does not have is not complete:', () => {
  it('a type in the singular', async () => {
    const { reasons } = await exported({ includedResources: ['configmap', 'things'] });
    expect(reasons).toEqual(['includedResources: the cluster has no type configmap: write configmaps']);
  });
  it('a label selector that nothing matches', async () => {
    cluster.answer('/api/v1/configmaps', list([]));
    cluster.answer(LIST, list([]));
    cluster.answer('/api/v1/namespaces/shop/configmaps', list([]));
    const { reasons } = await exported({ labelSelector: 'app=shpo' });
    expect(reasons).toEqual(['no object matches app=shpo']);
  });
  it('no object at all', async () => {
    const over = { includedResources: ['things'], excludedResources: ['namespaces'] };
    cluster.objects.pop();
    expect((await exported(over)).reasons).toContain('the backup holds no object');
  });
});

it('an export in shards says the same of dirty objects, namespaces and selectors as one export', async () => {
  const page = [{ metadata: { name: 'a', namespace: 'shop' } }, { metadata: { namespace: 'shop' } }];
  cluster.answer(LIST, list([...page, ...page]));
  cluster.answer(LIST.replace('/things', '/namespaces/shop/things'), list([...page, ...page]));
  cluster.objects.shift();
  cluster.add(TYPES.namespaces, 'shop', undefined, { status: { phase: 'Terminating' } });
  for (let i = 0; i < 5; i++) cluster.add(MAPS, `map-${i}`, 'shop');
  const over = { labelSelector: 'a=1' };
  const whole = await exported(over);
  const vault = new MemoryVault('primary');
  const selection = selectionOf(['shop', 'gone'], over);
  const work = workOf({ namespaces: ['shop', 'gone'], wide: true, selection });
  const ports = { cluster, vault, keys, pauseMs: 0 };
  const plan = await planExport(cluster, work, 2);
  expect(plan.shards.length).toBeGreaterThan(2);
  for (const shard of plan.shards.keys()) await exportShard(ports, work, plan, shard);
  const result = await joinShards(ports, work, plan, 0);
  expect(result.items).toBe(whole.result.items);
  expect(result.problems).toEqual([
    ...(whole.result.problems ?? []),
    'namespace gone was deleted during the backup',
  ]);
  expect(whole.result.problems).toHaveLength(3);
});

describe('an API that is down', () => {
  it.each([true, false])('is named, if the plan may take of it (one document: %s)', async (aggregated) => {
    cluster.aggregated = aggregated;
    cluster.stale.add('bad.example.com');
    const { names, reasons } = await exported();
    expect(names).toEqual(REST);
    expect(reasons).toEqual([expect.stringMatching(/^bad\.example\.com\/v1 \(.*503 service unavailable\)/)]);
  });

  it.each([
    { includedResources: ['configmaps'] },
    { includedResources: ['configmaps', 'widgets.other.example.com'], group: true },
    { excludedResources: ['*.bad.example.com'] },
  ])(
    'leaves a backup alone whose filters leave its group out: %j',
    async ({ group, ...over }: Partial<Selection> & { group?: boolean }) => {
      if (group) cluster.types.push(typeOf('widgets.other.example.com'));
      cluster.stale.add('bad.example.com');
      expect(await exported(over)).toMatchObject({ names: REST, phase: 'Completed' });
      expect(cluster.calls.filter((c) => c.includes('bad.example.com'))).toEqual([]);
    },
  );

  it.each(['metrics.k8s.io', 'custom.metrics.k8s.io', 'external.metrics.k8s.io'])(
    'of %s leaves every backup alone',
    async (group) => {
      cluster.types.push(typeOf(`pods.${group}`));
      cluster.stale.add(group);
      expect(await exported()).toMatchObject({ names: ALL, phase: 'Completed' });
      expect(cluster.calls.filter((c) => c.includes(group))).toEqual([]);
    },
  );
});
