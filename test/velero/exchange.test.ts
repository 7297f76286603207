import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArchive } from '../../functions/adapters/archive/reader.ts';
import { putJson } from '../../functions/adapters/s3/documents.ts';
import { commitBackup } from '../../functions/backup/commit-backup/commit.ts';
import { exportWhole } from '../../functions/backup/export/export.ts';
import { planExport } from '../../functions/backup/export/plan.ts';
import { lookAtCluster } from '../../functions/backup/open-backup/look.ts';
import type { Work } from '../../functions/core/backup/record.ts';
import { sourcePath } from '../../functions/core/restic/source.ts';
import { scopeOf } from '../../functions/core/restore/restore-options.ts';
import { itemKey } from '../../functions/core/restore/restore-plan.ts';
import { targetOf } from '../../functions/core/restore/transform.ts';
import { vaultKeys, veleroKeys } from '../../functions/core/vault/vault-keys.ts';
import type { VolumeOutcome } from '../../functions/core/volumes/work.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { applyItems } from '../../functions/restore/apply-resources/apply.ts';
import { findVeleroBackup } from '../../functions/restore/plan-restore/find-velero.ts';
import { planArchive } from '../../functions/restore/plan-restore/plan.ts';
import { inspect } from '../../functions/restore/verify-restore/inspect.ts';
import {
  type Application,
  compareObjects,
  destroy,
  install,
  readApplication,
  waitReady,
} from '../../world/demo/application.ts';
import { keyPair } from '../support/key-pair.ts';
import { resticId } from '../support/restic-id.ts';
import { repositoriesWith } from '../support/seen-snapshots.ts';
import { planOf, selectionOf } from '../support/selection.ts';
import { connect, makeVault } from '../support/world.ts';
import { startVelero, type Velero } from './server.ts';

const BACKUP = 'apps-20260101000000';
const keys = vaultKeys('prod');
let velero: Velero;
let vault: Vault;
let cluster: KubeClient;
let app: Application;

const kubectl = (args: readonly string[], input?: string) => velero.kubectl(args, input);

/** A backup as the machine makes it, with the outcome of a volume as a restic Job would leave it. */
async function backUp(): Promise<void> {
  const selection = selectionOf(app.namespaces);
  const seen = await lookAtCluster(cluster, planOf('apps', app.namespaces));
  const work: Work = {
    plan: 'apps',
    backup: BACKUP,
    startedAt: '2026-01-01T00:00:00.000Z',
    selection,
    ...seen,
  };
  await putJson(vault, keys.records.work(BACKUP), work);
  const plan = await planExport(cluster, work, 1_000_000);
  await putJson(
    vault,
    keys.records.resources(BACKUP),
    await exportWhole({ cluster, vault, keys }, work, plan, performance.now()),
  );
  const paths: Record<string, string> = {};
  for (const v of work.volumes) {
    const snapshot = resticId(v.id);
    paths[snapshot] = sourcePath(v);
    const outcome: VolumeOutcome = {
      ...v,
      result: 'protected',
      snapshot,
      files: 1,
      bytes: 1,
      seconds: 1,
    };
    await putJson(vault, keys.records.volume(BACKUP, v.id), outcome);
  }
  await commitBackup(
    {
      vault,
      keys,
      cluster: 'prod',
      now: new Date('2026-01-01T00:01:00Z'),
      signer: keyPair(),
      openRepository: repositoriesWith({ cluster: 'prod', backup: BACKUP, paths }),
    },
    BACKUP,
  );
}

beforeAll(async () => {
  vault = await makeVault('exchange');
  cluster = connect();
  velero = await startVelero(process.env.HOLDFAST_VELERO ?? '');
  app = readApplication(new URL('../../world/demo/sample.yaml', import.meta.url).pathname);
  await install(kubectl, app);
  await waitReady(kubectl, app);
});
afterAll(async () => {
  await velero?.stop();
  await cluster?.close();
});

async function untilListed(name: string): Promise<string> {
  for (let tries = 0; tries < 60; tries++) {
    const listed = await velero.run('backup', 'get');
    if (listed.includes(name)) return listed;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error(`${name} was not listed`);
}

describe('a backup of ours', () => {
  it('is listed by Velero from a read-only location, as Completed', async () => {
    await backUp();
    await velero.addLocation({ name: 'holdfast', bucket: 'exchange', prefix: 'velero/prod', readOnly: true });
    expect(await untilListed(BACKUP)).toMatch(new RegExp(`${BACKUP} +Completed +0 +1 `));
  });

  it('is described with its objects and the warning where the data of its volume is', async () => {
    const text = await velero.run('backup', 'describe', BACKUP, '--details');
    expect(text).toContain('v1/Secret');
    expect(text).toContain('shop/payment');
    const snapshot = resticId('shop.data-db-0');
    expect(text).toContain(`data is in restic repository restic/prod/shop, snapshot ${snapshot}`);
  });

  it('is restored by Velero after a disaster, every object, with empty volumes', async () => {
    await destroy(kubectl, app);
    const text = await velero.run('restore', 'create', 'from-holdfast', '--from-backup', BACKUP, '--wait');
    expect(text).toMatch(/Restore completed with status: Completed/);
    await waitReady(kubectl, app);
    expect(await compareObjects(kubectl, app)).toEqual([]);
  });
});

describe('a backup that Velero wrote', () => {
  it('is read whole, planned and restored by us, every object', async () => {
    await velero.addLocation({ name: 'own', bucket: 'exchange', prefix: 'own', readOnly: false });
    const made = await velero.run(
      'backup',
      'create',
      'theirs',
      '--storage-location',
      'own',
      '--include-namespaces',
      app.namespaces.join(),
      '--snapshot-volumes=false',
      '--wait',
    );
    // The sample asks for file backups of a volume, for which this Velero has no node agent: its objects are whole.
    expect(made).toMatch(/completed with status: (Completed|PartiallyFailed)/);
    await destroy(kubectl, app);
    const found = await findVeleroBackup(vault, veleroKeys('own/'), 'theirs');
    expect(found).toEqual({ backup: 'theirs', namespaces: ['shop'] });
    const archive = await buffer(await vault.stream(veleroKeys('own/').archive(found.backup)));
    const options = {};
    const { items } = await planArchive(
      Readable.from([archive]),
      undefined,
      scopeOf(options, found.namespaces),
      options,
    );
    const bodies = new Map<string, Buffer>();
    await readArchive(Readable.from([archive]), undefined, ({ at, raw }) => bodies.set(itemKey(at), raw));
    const origin = { backup: 'theirs', restore: 'restore-theirs' };
    const applied = await applyItems(cluster, items, async () => bodies, {
      ...origin,
      options,
      before: [],
      goOn: () => true,
    });
    expect(applied.filter((a) => a.result === 'failed' || a.result === 'held')).toEqual([]);
    await waitReady(kubectl, app);
    expect(await compareObjects(kubectl, app)).toEqual([]);
    const there = items.filter((i) =>
      applied.some((a) => a.result === 'created' && a.name === i.name && a.groupResource === i.groupResource),
    );
    const placed = there.map((item) => ({ item, at: targetOf(item, options) }));
    expect((await inspect(cluster, placed, bodies, { ...origin, options })).differing).toEqual([]);
  });
});
