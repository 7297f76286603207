import { beforeEach, describe, expect, it } from 'vitest';
import { BACKUP_LABEL, RESTORE_LABEL, UPDATED_ANNOTATION } from '../../../functions/core/restore/clean.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { getApplied } from '../../../functions/restore/documents.ts';
import { REFUSALS, type Refusal } from '../../support/fake-cluster.ts';
import { KINDS, thing } from '../../support/restores.ts';
import { BACKUP, RESTORE, StageWorld, settings } from '../../support/stage-world.ts';

const keys = vaultKeys('paris');
let world: StageWorld;
beforeEach(() => {
  world = new StageWorld();
});
const config = (name = 'settings', namespace = 'shop') =>
  world.cluster.find(KINDS.configMaps, name, namespace);

describe('an object of a restore', () => {
  it('is created, with the labels of its backup and its restore', async () => {
    await world.plan([settings('red')]);
    expect(await world.apply(1)).toEqual({
      created: 1,
      updated: 0,
      unchanged: 0,
      skipped: 0,
      held: 0,
      failed: 0,
      remaining: 0,
      waitedSeconds: 0,
    });
    expect(config()).toMatchObject({
      data: { color: 'red' },
      metadata: { labels: { [BACKUP_LABEL]: BACKUP, [RESTORE_LABEL]: RESTORE } },
    });
    expect(await world.results(1)).toEqual([['settings', 'created', undefined]]);
  });

  it('is unchanged when it is there and the same', async () => {
    world.has(settings('red'));
    await world.plan([settings('red')]);
    await world.apply(1);
    expect(await world.results(1)).toEqual([['settings', 'unchanged', 'already exists, and is the same']]);
  });

  it.each([
    ['skip', 'skipped', 'already exists, and differs in data.color', 'blue'],
    ['fail', 'failed', 'already exists, and differs in data.color', 'blue'],
    ['update', 'updated', 'differed in data.color', 'red'],
  ] as const)(
    'that is there and differs, with existingResources %s, is %s',
    async (policy, result, reason, color) => {
      world.has(settings('blue'));
      await world.plan([settings('red')], { existingResources: policy });
      expect(await world.apply(1)).toMatchObject({ [result]: 1 });
      expect(await world.results(1)).toEqual([['settings', result, reason]]);
      expect(config()?.data).toEqual({ color });
    },
  );

  it('that is updated is marked as one that was there', async () => {
    world.has(settings('blue', { annotations: { note: 'theirs' } }));
    await world.plan([settings('red')], { existingResources: 'update' });
    await world.apply(1);
    expect(config()?.metadata.annotations).toEqual({ note: 'theirs', [UPDATED_ANNOTATION]: RESTORE });
  });

  it('says of many differences the first three', async () => {
    world.has(thing(KINDS.configMaps, 'many', { data: {} }));
    await world.plan([thing(KINDS.configMaps, 'many', { data: { a: '1', b: '1', c: '1', d: '1' } })]);
    await world.apply(1);
    expect((await world.results(1))[0]?.[2]).toBe(
      'already exists, and differs in data.a, data.b, data.c and 1 more',
    );
  });

  it('is skipped or held as its plan says, and nothing is written', async () => {
    const type = 'kubernetes.io/service-account-token';
    const annotations = { 'kubernetes.io/service-account.name': 'web' };
    const token = thing(KINDS.secrets, 'web-token-abcde', { type }, { annotations });
    const root = thing(KINDS.roles, 'root', { rules: [{ verbs: ['escalate'] }] });
    await world.plan([token, root]);
    expect(await world.apply(1)).toMatchObject({ skipped: 1, held: 1 });
    expect(await world.results(1)).toEqual([
      ['root', 'held', expect.stringMatching(/^it lets whoever is bound to it give rights .*\(escalate\)/)],
      ['web-token-abcde', 'skipped', 'a token of the original cluster'],
    ]);
    expect(world.cluster.calls.filter((call) => !call.startsWith('GET'))).toEqual([]);
  });

  it('gets a Namespace that the archive does not hold; one that exists is left as it is, whatever the policy', async () => {
    const labels = { team: 'a' };
    world.has(thing(KINDS.namespaces, 'shop', {}, { labels }));
    const bank = thing(KINDS.configMaps, 'settings', { data: {} }, { namespace: 'bank' });
    for (const existingResources of ['skip', 'update', 'fail'] as const) {
      await world.plan([settings('red'), bank], { existingResources }, true);
      world.vault.objects.delete(keys.restores.applied(RESTORE, 1));
      await world.apply(1);
      expect((await world.results(1)).find(([name]) => name === 'shop')?.[1]).toBe('unchanged');
      expect(world.cluster.find(KINDS.namespaces, 'shop')?.metadata.labels).toEqual(labels);
    }
    expect(world.cluster.find(KINDS.namespaces, 'bank')).toBeDefined();
    expect(world.cluster.find(KINDS.configMaps, 'settings', 'bank')).toBeDefined();
  });

  it('gets its new namespace, and its result names what it is of', async () => {
    world.cluster.addNamespaces('copy');
    await world.plan([settings('red')], { namespaceMapping: { shop: 'copy' } });
    await world.apply(1);
    expect(config('settings', 'copy')).toBeDefined();
    const [item] = await getApplied(world.vault, keys, RESTORE, 1);
    expect(item).toMatchObject({ namespace: 'copy', from: 'configmaps/v1/shop/settings' });
  });

  it('fails alone when a rule does not fit it', async () => {
    const rule = {
      conditions: { groupResource: 'configmaps' },
      patches: [{ op: 'remove' as const, path: '/data/size' }],
    };
    await world.plan([settings('red'), thing(KINDS.secrets, 'key')], { resourceModifiers: [rule] });
    expect(await world.apply(1)).toMatchObject({ created: 1, failed: 1 });
    expect((await world.results(1)).at(-1)?.[2]).toMatch(/^resourceModifiers\[0\] cannot be applied/);
  });

  it('gets its status where the restore says so, and says when it could not', async () => {
    const widgets = ['whole', 'refused'].map((name) =>
      thing(KINDS.widgets, name, { spec: {}, status: { count: 3 } }),
    );
    await world.plan(widgets, { restoreStatus: ['widgets.example.com'] });
    const path = '/apis/example.com/v1/namespaces/shop/widgets/refused/status';
    world.cluster.refuse('PATCH', path, REFUSALS.invalid);
    await world.apply(2);
    expect(world.cluster.find(KINDS.widgets, 'whole', 'shop')?.status).toEqual({ count: 3 });
    expect(await world.results(2)).toEqual([
      ['refused', 'created', `without its status: ${REFUSALS.invalid.message}`],
      ['whole', 'created', undefined],
    ]);
  });

  it('that is an existing account gets the names of its secrets in addition to those it has', async () => {
    const account = (...names: string[]) =>
      thing(KINDS.serviceAccounts, 'default', { imagePullSecrets: names.map((name) => ({ name })) });
    world.has(account('theirs'));
    await world.plan([account('ours')]);
    expect(await world.apply(1)).toMatchObject({ updated: 1 });
    expect(world.cluster.find(KINDS.serviceAccounts, 'default', 'shop')?.imagePullSecrets).toEqual([
      { name: 'theirs' },
      { name: 'ours' },
    ]);
  });
});

describe('an object that the API server refuses', () => {
  const CREATE = '/api/v1/namespaces/shop/configmaps';
  const refuse = (refusal: Refusal, times?: number) => world.cluster.refuse('POST', CREATE, refusal, times);

  it.each([
    ['for good: it is invalid', REFUSALS.invalid],
    ['for good: it is forbidden', REFUSALS.forbidden],
    ['for good: a webhook denies it', REFUSALS.denied],
  ])('%s, is failed with the server’s words, and the others are created', async (_, refusal) => {
    refuse(refusal);
    await world.plan([settings('red'), thing(KINDS.secrets, 'key')]);
    expect(await world.apply(1)).toMatchObject({ created: 1, failed: 1, remaining: 0 });
    expect(await world.results(1)).toContainEqual(['settings', 'failed', refusal.message]);
    expect(world.waits).toEqual([]);
  });

  it.each([
    ['its quota is exceeded', REFUSALS.quota],
    ['a webhook does not answer', REFUSALS.webhook],
    ['the server is busy', REFUSALS.busy],
    ['the server is shutting down', REFUSALS.unavailable],
  ])('while %s, is tried again until it passes', async (_, refusal) => {
    refuse(refusal, 2);
    await world.plan([settings('red')]);
    expect(await world.apply(1)).toMatchObject({ created: 1, failed: 0 });
    expect(world.waits).toEqual([1000, 2000]);
    expect(await world.results(1)).toEqual([['settings', 'created', undefined]]);
  });

  it('is failed when it does not pass in half a minute', async () => {
    refuse(REFUSALS.quota);
    await world.plan([settings('red')]);
    expect(await world.apply(1)).toMatchObject({ failed: 1, remaining: 0 });
    expect(world.waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(await world.results(1)).toEqual([['settings', 'failed', REFUSALS.quota.message]]);
  });

  it('because its namespace is being terminated, is failed with that', async () => {
    world.cluster.add(KINDS.namespaces, { metadata: { name: 'shop', deletionTimestamp: '2026-01-01' } });
    await world.plan([settings('red')]);
    await world.apply(1);
    expect(await world.results(1)).toEqual([
      ['settings', 'failed', expect.stringMatching(/namespace shop because it is being terminated/)],
    ]);
  });

  it('because it has no namespace yet, comes when that does', async () => {
    const inBank = settings('red', { namespace: 'bank' });
    await world.plan([inBank]);
    const sleep = async () => world.cluster.addNamespaces('bank');
    await world.apply(1, { sleep });
    expect(await world.results(1)).toEqual([['settings', 'created', undefined]]);
  });

  it('as an update, because another changed it meanwhile, is tried again', async () => {
    world.has(settings('blue'));
    world.cluster.refuse('PATCH', `${CREATE}/settings`, REFUSALS.modified, 1);
    await world.plan([settings('red')], { existingResources: 'update' });
    expect(await world.apply(1)).toMatchObject({ updated: 1 });
    expect(world.waits).toEqual([1000]);
  });

  it('is failed if the existing object is being deleted and that does not end', async () => {
    world.has(settings('blue', { deletionTimestamp: '2026-01-01' }));
    await world.plan([settings('red')]);
    await world.apply(1);
    expect(await world.results(1)).toEqual([
      ['settings', 'failed', 'the existing object is still being deleted'],
    ]);
    expect(world.waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(580_000);
    expect(world.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(600_000);
  });

  it('is tried again if it exists, and is deleted before it is read', async () => {
    refuse({ status: 409, message: 'configmaps "settings" already exists' }, 1);
    await world.plan([settings('red')]);
    expect(await world.apply(1)).toMatchObject({ created: 1 });
    expect(world.waits).toEqual([1000]);
  });
});
