import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeClient } from '../../functions/adapters/kubernetes/client.ts';
import { exportWhole } from '../../functions/backup/export/export.ts';
import { planExport } from '../../functions/backup/export/plan.ts';
import type { Work } from '../../functions/core/backup/record.ts';
import type { ResourceType } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { selectionOf } from '../support/selection.ts';
import { connect, create, endpoint, makeVault } from '../support/world.ts';
import { entriesOf } from './entries.ts';
import { type Fault, faultyServer } from './faults.ts';

const keys = vaultKeys('faults');
const CONFIG_MAPS: ResourceType = { ...TYPES.secrets, resource: 'configmaps', kind: 'ConfigMap' };
/** More than one page: the first has 20. */
const ITEMS = 50;
let direct: KubeClient;
let vault: Vault;
let count = 0;

beforeAll(async () => {
  direct = connect();
  vault = await makeVault('faults');
  await create(direct, TYPES.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'faults' },
  });
  for (let i = 0; i < ITEMS; i++)
    await create(direct, CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `map-${i}`, namespace: 'faults' },
      data: { i: 'x'.repeat(1000) },
    });
});
afterAll(() => direct.close());

const isPageOfMaps = (url: URL) =>
  url.pathname.endsWith('/configmaps') && url.searchParams.get('limit') !== '1';
const isLaterPage = (url: URL) => isPageOfMaps(url) && url.searchParams.has('continue');

/** Exports the ConfigMaps past a server on which things go wrong; returns what is in the archive, and how it ended. */
async function exportPast(fault: (url: URL, token: string) => Fault | undefined) {
  const server = await faultyServer(endpoint(), fault);
  let renewals = 0;
  const at = (token: string) => ({ server: server.url, token, insecure: false });
  const cluster = kubeClient(at('old'), async () => {
    renewals++;
    return at('new');
  });
  const work: Work = {
    plan: 'faults',
    backup: `faults-20260101${String(count++).padStart(6, '0')}`,
    startedAt: '',
    namespaces: ['faults'],
    wide: false,
    selection: selectionOf(['faults'], { includedResources: ['configmaps'] }),
    volumes: [],
    excluded: [],
    unprotected: [],
    problems: [],
  };
  try {
    const plan = await planExport(cluster, work, 1_000_000);
    const result = await exportWhole({ cluster, vault, keys }, work, plan, performance.now());
    const entries = await entriesOf(await vault.stream(keys.velero.archive(work.backup)));
    const maps = [...entries.keys()].filter((p) =>
      /^resources\/configmaps\/namespaces\/faults\/map-/.test(p),
    );
    return { result, maps: maps.length, renewals };
  } finally {
    await cluster.close();
    await server.close();
  }
}

/** A fault that happens once, at the first request that is meant. */
function onceAt(meant: (url: URL) => boolean, fault: (url: URL) => Fault) {
  let happened = 0;
  return (url: URL) => (meant(url) && happened++ === 0 ? fault(url) : undefined);
}

describe('in the middle of a list, an export', () => {
  it('comes again when a busy server said to, and has every object', async () => {
    const asked: number[] = [];
    const busy = onceAt(isLaterPage, () => ({ status: 429, headers: { 'retry-after': '1' } }));
    const { result, maps } = await exportPast((url) => {
      if (isLaterPage(url)) asked.push(performance.now());
      return busy(url);
    });
    expect([maps, result.unreadable, result.consistency]).toEqual([ITEMS, [], 'exact']);
    expect((asked[1] as number) - (asked[0] as number)).toBeGreaterThanOrEqual(990);
  });

  it('asks again for a page whose connection broke, and has every object once', async () => {
    const { result, maps } = await exportPast(onceAt(isLaterPage, () => ({ cutAfter: 5000 })));
    // With their Namespace.
    expect([maps, result.items, result.consistency]).toEqual([
      ITEMS,
      (result.types.configmaps?.items ?? 0) + 1,
      'exact',
    ]);
  });

  it('takes a new token when the old one has expired', async () => {
    let expired = false;
    const { result, maps, renewals } = await exportPast((url, token) => {
      if (isLaterPage(url)) expired = true;
      return expired && token === 'old' ? { status: 401 } : undefined;
    });
    expect([maps, result.unreadable, renewals]).toEqual([ITEMS, [], 1]);
  });

  it('takes one new token for all lists that meet the expired one together', async () => {
    const server = await faultyServer(endpoint(), (_, token) =>
      token === 'old' ? { status: 401 } : undefined,
    );
    const at = (token: string) => ({ server: server.url, token, insecure: false });
    let renewals = 0;
    const cluster = kubeClient(at('old'), async () => {
      renewals++;
      await sleep(500);
      return at('new');
    });
    try {
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => cluster.call('GET', '/api/v1/namespaces')),
      );
      expect([answers.map((a) => a.status), renewals]).toEqual([[200, 200, 200, 200], 1]);
    } finally {
      await cluster.close();
      await server.close();
    }
  });

  it('ends with an error that names the denied access when the new token is refused too', async () => {
    let expired = false;
    const refused = exportPast((url) => {
      if (isLaterPage(url)) expired = true;
      return expired ? { status: 401 } : undefined;
    });
    await expect(refused).rejects.toMatchObject({ name: 'ClusterAccessDenied' });
  });

  it('goes on behind the last name when the instant was compacted away, and says of which type', async () => {
    const { result, maps } = await exportPast(onceAt(isLaterPage, compacted));
    expect([maps, result.consistency, result.inexact]).toEqual([ITEMS, 'per-type', ['configmaps']]);
  });

  it('reads a type as it is now when the instant is gone before its first page', async () => {
    const first = (url: URL) => isPageOfMaps(url) && url.searchParams.has('resourceVersion');
    const { result, maps } = await exportPast(onceAt(first, () => ({ status: 410 })));
    expect([maps, result.inexact]).toEqual([ITEMS, ['configmaps']]);
  });

  it('names a type that stays unreadable, and is not stopped by it', async () => {
    const { result } = await exportPast((url) =>
      isPageOfMaps(url) ? { status: 403, body: '{"message":"no maps for you"}' } : undefined,
    );
    expect(result.unreadable).toEqual([expect.stringMatching(/^configmaps \(.*403 no maps for you/)]);
  });
});

/** The API server's answer to a token whose instant etcd has compacted: one that goes on at a newer instant. */
function compacted(url: URL): Fault {
  const token = JSON.parse(Buffer.from(url.searchParams.get('continue') ?? '', 'base64url').toString());
  const next = Buffer.from(JSON.stringify({ ...token, rv: -1 })).toString('base64url');
  return { status: 410, body: JSON.stringify({ reason: 'Expired', metadata: { continue: next } }) };
}
