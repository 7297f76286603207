import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, it } from 'vitest';
import { getJson } from '../../functions/adapters/s3/documents.ts';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import { COPIES, type CopyName } from '../../functions/contract/copies.ts';
import { newestFirst } from '../../functions/core/backup/backup-name.ts';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { VerifyReport } from '../../functions/core/vault/verification.ts';
import {
  type Application,
  compareFiles,
  compareObjects,
  destroy,
  fingerprintFiles,
  install,
  readApplication,
  waitReady,
} from '../../world/demo/application.ts';
import { awsOf, readJson } from '../../world/demo/aws.ts';
import { demo, demoCopies } from '../../world/demo/config.ts';
import { type Kubectl, kubectlWith } from '../../world/demo/kubectl.ts';
import { finishBackup, runRestore } from '../../world/demo/stages.ts';
import { deployWorld, grantAccess } from '../../world/demo/world-setup.ts';
import { findWorld } from '../../world/world.ts';
import { recordOf, workOf } from '../support/builders.ts';
import { holdfast, startHoldfast } from './cli.ts';

const keys = vaultKeys(demo.cluster);
const aws = awsOf(demo.region, demo.cluster);
let kubectl: Kubectl;
let app: Application;

/** A backup of the plan as a schedule would have started it at that second. */
const backUp = async (scheduledTime: string, more = {}) =>
  finishBackup(aws, await aws.start('backup', { plan: demo.plan, scheduledTime, ...more }), () => undefined);

// Our own backups have Velero's layout: read as a Velero's they are a source like any other.
const veleroSources = [
  {
    name: 'as-velero',
    bucket: demoCopies.primary.bucket,
    region: demo.region,
    prefix: `velero/${demo.cluster}`,
  },
];

beforeAll(async () => {
  const world = findWorld(process.env.HOLDFAST_WORLD ?? '');
  if (!world) throw new Error('HOLDFAST_WORLD names no world that is up');
  kubectl = kubectlWith(world.env);
  app = readApplication(fileURLToPath(new URL('../../world/demo/sample.yaml', import.meta.url)));
  await install(kubectl, app);
  await waitReady(kubectl, app);
  await grantAccess(world, kubectl, aws);
  // A schedule that does not fire here: these tests name the instants themselves.
  await deployWorld(
    world,
    {
      namespaces: app.namespaces,
      schedule: '0 3 1 1 *',
      keepLast: 2,
      shardItems: 15,
      veleroSources,
      controlPlane: true,
    },
    () => undefined,
  );
});

describe('the pipeline, deployed by cdk', () => {
  it('makes one backup of ten starts for the same instant', async () => {
    const scheduledTime = '2026-01-01T00:00:00Z';
    const arns = await Promise.all(
      Array.from({ length: 10 }, () => aws.start('backup', { plan: demo.plan, scheduledTime })),
    );
    const ended = await Promise.all(arns.map((arn) => aws.wait(arn)));
    expect(ended.map((e) => e.problem).filter(Boolean)).toEqual([]);
    expect(new Set(ended.map((e) => e.output.backup))).toEqual(new Set(['apps-20260101000000']));
  });

  it('backs up at one instant, protects the volume that opted in, and proves the replica', async () => {
    const { record, replica } = await backUp('2026-01-01T01:00:00Z', { tags: ['before-upgrade'] });
    expect(holdfast('get', 'backups')).toMatch(/^apps-20260101010000 .* before-upgrade$/m);
    expect(record).toMatchObject({
      phase: 'Completed',
      reasons: [],
      resources: { consistency: 'exact', unreadable: [] },
    });
    // So small are the shards here that a Distributed Map reads them.
    expect(record.resources?.shards).toBeGreaterThan(2);
    expect(record.changes).toMatchObject({ since: 'apps-20260101000000', removed: 0 });
    expect(record.volumes).toMatchObject([{ id: 'shop.data-db-0', result: 'protected' }]);
    expect(record.hooks).toMatchObject([
      { pod: 'shop/db-0', hook: 'pre', ok: true, output: '9 tables are on disk\n' },
    ]);
    expect(record.controlPlane).toMatchObject([
      { id: 'etcd', result: 'protected', endpoint: 'https://10.201.0.1:2379' },
      { id: 'etcd-scratch', result: 'protected' },
      { id: 'files.node1', result: 'protected' },
    ]);
    expect(replica).toMatchObject({ region: demo.replicaRegion, bucket: demoCopies.replica.bucket });
  });

  it('leaves no Job and no Secret of its own in the application’s namespace', async () => {
    const own = await kubectl([
      'get',
      'jobs,secrets,pods',
      '-n',
      'shop',
      '-l',
      'app.kubernetes.io/managed-by=holdfast',
      '-o',
      'name',
    ]);
    expect(own).toBe('');
  });

  it('removes what keep-last no longer keeps from both copies, its snapshots too', async () => {
    const oldest = 'apps-20260101000000';
    const s3 = new S3Client({ region: demo.region, forcePathStyle: true });
    const put = (Key: string, value: unknown) =>
      s3.send(new PutObjectCommand({ Bucket: demoCopies.primary.bucket, Key, Body: JSON.stringify(value) }));
    // As of a backup that failed after it took a snapshot; one of a person; one of a backup of long ago, written now.
    const failed = 'apps-20260101003000';
    const make = ['backup', 'package.json', '--host', demo.cluster, '--tag'];
    for (const tag of [`backup=${failed}`, 'mine', 'backup=apps-20200101000000'])
      holdfast('restic', `${demo.cluster}/shop`, '--', ...make, tag);
    const volumes = [{ id: 'shop.data', namespace: 'shop', pvc: 'data', strategy: 'mount' as const }];
    await put(keys.records.work(failed), workOf({ plan: demo.plan, backup: failed, volumes }));
    await put(
      keys.records.record(failed),
      recordOf(failed, { cluster: demo.cluster, plan: demo.plan, phase: 'Failed' }),
    );
    // As of a run that was stopped, whose list names a snapshot that is kept.
    const kept = await readJson<BackupRecord>(
      demo.region,
      demoCopies.primary.bucket,
      keys.records.record('apps-20260101010000'),
    );
    const begun = 'apps-20251231000000';
    const snapshots = kept.volumes.flatMap((v) => v.snapshot ?? []);
    const part = { decisions: [{ backup: begun, keep: false, reasons: ['x'] }], orphans: [], begun: [] };
    const forget = [{ backup: begun, namespace: 'shop', snapshots }];
    await put(keys.records.prune.plan('apps-20251231020000'), {
      ...{ version: 2, plan: demo.plan, prune: 'apps-20251231020000', decidedAt: '2025-12-31T02:00:00Z' },
      ...{ finishes: [], search: ['shop'], primary: { ...part, forget }, replica: { ...part, forget } },
    });
    const { record } = await backUp('2026-01-01T02:00:00Z');
    expect(record.phase).toBe('Completed');
    for (const { bucket, region } of Object.values(demoCopies)) {
      await expect(readJson(region, bucket, keys.records.record(oldest))).rejects.toMatchObject({
        name: 'NoSuchKey',
      });
      await expect(readJson(region, bucket, keys.velero.backup(oldest))).rejects.toMatchObject({
        name: 'NoSuchKey',
      });
    }
    const prunes = await aws.executions('prune');
    expect(prunes[0]).toMatchObject({
      status: 'SUCCEEDED',
      output: { removed: 2, kept: 2, removedFromReplica: 1, keptInReplica: 2 },
    });
    expect(prunes[0]?.output.prune).toMatch(/^prune-\d{14}-[0-9a-f]{6}$/);
    for (const from of COPIES) {
      const list = ['restic', '--from', from, `${demo.cluster}/shop`, '--', 'snapshots', '--json'];
      const left = JSON.parse(holdfast(...list)) as { tags: string[] }[];
      const tags = left.flatMap((s) => s.tags).filter((t) => t.startsWith('backup=') || t === 'mine');
      expect([from, tags.sort()]).toEqual([
        from,
        [
          ...['backup=apps-20200101000000', 'backup=apps-20260101010000', 'backup=apps-20260101020000'],
          'mine',
        ],
      ]);
    }
  });

  it('says what a prune would do, and what is wrong with a mistyped option of it', async () => {
    const arn = holdfast('prune', demo.plan, '--dry-run').trim();
    expect((await aws.wait(arn)).output).toMatchObject({ outcome: 'planned', removed: 0, kept: 2 });
    const mistyped = await aws.wait(await aws.start('prune', { plan: demo.plan, allowshare: 100 }));
    expect(mistyped.problem).toMatch(/^InputInvalid: .*allowshare/);
  });

  it('restores nothing whose record is not what was signed', async () => {
    const s3 = new S3Client({ region: demo.region, forcePathStyle: true });
    const at = { Bucket: demoCopies.primary.bucket, Key: keys.records.record('apps-20260101020000') };
    const { Body } = await s3.send(new GetObjectCommand(at));
    const whole = (await Body?.transformToString()) ?? '';
    const restoreOf = async (text: string, more = {}) => {
      await s3.send(new PutObjectCommand({ ...at, Body: text }));
      const input = { backup: 'apps-20260101020000', dryRun: true, ...more };
      return (await aws.wait(await aws.start('restore', input))).problem;
    };
    const unsigned = whole.replace(/,\n {2}"signature": ".*"/, '');
    expect(await restoreOf(whole.replace('"items": ', '"items": 1'))).toMatch(/^RecordForged: .*is not what/);
    expect(await restoreOf(unsigned)).toMatch(/^RecordUnsigned: .*no signature.*allowUnsigned/);
    expect(await restoreOf(unsigned, { allowUnsigned: true })).toBe('');
    expect(await restoreOf(whole)).toBe('');
  });

  it('says in words what is wrong with a mistyped input', async () => {
    const ended = await aws.wait(await aws.start('restore', { backup: 'latest', namespace: 'shop' }));
    expect(ended.problem).toMatch(/^InputInvalid: .*namespace/);
  });

  it('plans a restore without touching anything', async () => {
    const ended = await aws.wait(await aws.start('restore', { backup: 'latest', dryRun: true }));
    expect(ended.output).toMatchObject({ dryRun: true, backup: 'apps-20260101020000', volumes: 1 });
  });

  it('plans a restore from a bucket that a Velero wrote, whose volumes it cannot fill', async () => {
    const input = { backup: 'latest', from: 'as-velero', dryRun: true };
    const { output } = await aws.wait(await aws.start('restore', input));
    expect(output).toMatchObject({
      backup: 'apps-20260101020000',
      from: 'as-velero',
      dryRun: true,
      volumes: 0,
    });
    expect(output.items).toBeGreaterThan(5);
    const unknown = await aws.wait(await aws.start('restore', { ...input, from: 'nowhere' }));
    expect(unknown.problem).toContain('There are: primary, replica, as-velero');
  });

  it('names a namespace that is not there and calls the backup PartiallyFailed', async () => {
    await kubectl(['delete', 'namespace', 'shop', '--wait=true']);
    const ended = await aws.wait(
      await aws.start('backup', { plan: demo.plan, scheduledTime: '2026-01-01T03:00:00Z' }),
    );
    expect(ended.problem).toMatch(/^PartiallyFailed/);
    const record = await readJson<{ reasons: string[] }>(
      demo.region,
      demoCopies.primary.bucket,
      keys.records.record('apps-20260101030000'),
    );
    expect(record.reasons).toEqual(['namespace shop does not exist', 'the backup holds no object']);
    await install(kubectl, app);
    await waitReady(kubectl, app);
  });

  it('goes on at once after an execution that was stopped in the middle', async () => {
    const arn = await aws.start('backup', { plan: demo.plan, scheduledTime: '2026-01-01T03:30:00Z' });
    const work = keys.records.work('apps-20260101033000');
    for (;;) {
      const found = await readJson(demo.region, demoCopies.primary.bucket, work).catch(() => undefined);
      if (found) break;
      await sleep(100);
    }
    await new SFNClient({ region: demo.region }).send(new StopExecutionCommand({ executionArn: arn }));
    expect((await aws.wait(arn)).status).toBe('ABORTED');
    const { record } = await backUp('2026-01-01T03:40:00Z');
    expect(record.phase).toBe('Completed');
  });

  it('restores the replica’s copy byte for byte after a disaster', async () => {
    await backUp('2026-01-01T04:00:00Z');
    const before = await fingerprintFiles(kubectl, app);
    await destroy(kubectl, app);
    const restore = await runRestore(aws, { backup: 'latest', from: 'replica' }, () => undefined);
    await waitReady(kubectl, app);
    expect(restore.output).toMatchObject({ phase: 'Completed', backup: 'apps-20260101040000', failed: 0 });
    expect(compareFiles(before, await fingerprintFiles(kubectl, app))).toEqual([]);
    expect(await compareObjects(kubectl, app)).toEqual([]);
  });

  it('brings single files into a volume that is in use', async () => {
    const files = { volume: 'shop/data-db-0', include: ['/log'], to: '/rescued' };
    const { output } = await runRestore(aws, { backup: 'latest', files }, () => undefined);
    expect(output).toMatchObject({ phase: 'Completed', created: 0, volumes: 1, failedVolumes: 0 });
    const exec = ['exec', '-n', 'shop', 'db-0', '--'];
    expect(await kubectl([...exec, 'cat', '/data/rescued/log/start.txt'])).toBe('started once');
    const missing = await aws.wait(
      await aws.start('restore', { backup: 'latest', files: { ...files, include: ['/nowhere'] } }),
    );
    expect(missing.problem).toContain('1 volumes are not restored');
    const unknown = { ...files, volume: 'shop/nobody' };
    const refused = await aws.wait(await aws.start('restore', { backup: 'latest', files: unknown }));
    expect(refused.problem).toContain('holds no snapshot of volume shop/nobody. It holds: shop/data-db-0');
  });

  it('restores every object of a bucket in Velero’s layout, and says that its volume is empty', async () => {
    await destroy(kubectl, app);
    const ended = await aws.wait(await aws.start('restore', { backup: 'latest', from: 'as-velero' }));
    expect(ended.problem).toContain(
      '0 objects failed, 0 are held for approval, 0 have drift, 0 are not ready, 1 volumes are not restored',
    );
    await waitReady(kubectl, app);
    expect(await compareObjects(kubectl, app)).toEqual([]);
  });
});

describe('a repository, with nothing but restic and what the command line says', () => {
  const file = '/data/shop/data-db-0/log/start.txt';

  const plain = (...args: string[]) => holdfast('restic', `${demo.cluster}/shop`, '--', ...args);
  const snapshots = () =>
    JSON.parse(plain('snapshots', '--json', '--tag', 'pvc=data-db-0')) as { id: string; tags: string[] }[];

  it('lists its snapshots by tag, each of the backup that made it', () => {
    const made = snapshots().map((s) => s.tags.find((t) => t.startsWith('backup=')));
    expect(made).toContain('backup=apps-20260101040000');
    expect(JSON.parse(plain('snapshots', '--json', '--tag', 'pvc=nobody'))).toEqual([]);
  });

  it('says how large it is, what it holds and what has changed', () => {
    const { id } = snapshots().at(-1) as { id: string };
    expect(JSON.parse(plain('stats', '--json', id)).total_file_count).toBeGreaterThan(10);
    expect(plain('ls', '-l', id)).toContain(file);
    expect(plain('find', '--snapshot', id, 'start.txt')).toContain(file);
    const nodes = (...args: string[]) => holdfast('restic', `${demo.cluster}/_control-plane`, '--', ...args);
    const [older, newer] = JSON.parse(nodes('snapshots', '--json', '--tag', 'node=node1')) as {
      id: string;
    }[];
    expect(nodes('diff', older?.id ?? '', newer?.id ?? '')).toMatch(/Files: +0 new, +0 removed, +0 changed/);
  });

  it('gives back one file, or a folder, on a machine without Kubernetes', () => {
    const { id } = snapshots().at(-1) as { id: string };
    expect(plain('dump', id, file)).toBe('started once\n');
    const target = mkdtempSync(join(tmpdir(), 'holdfast-restic-'));
    try {
      plain('restore', `${id}:/data/shop/data-db-0`, '--target', target, '--include', '/tables', '--verify');
      expect(readdirSync(target)).toEqual(['tables']);
      expect(readdirSync(join(target, 'tables'))).toHaveLength(9);
      expect(statSync(join(target, 'tables', '1.bin')).mode & 0o777).toBe(0o640);
      expect(statSync(join(target, 'tables', '2.bin')).uid).toBe(70);
      expect(readlinkSync(join(target, 'tables', 'link'))).toBe('../log/start.txt');
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  });

  // A machine without FUSE mounts nothing.
  it.runIf(existsSync('/dev/fuse'))('shows all of its snapshots as folders', async () => {
    const target = mkdtempSync(join(tmpdir(), 'holdfast-mount-'));
    const mounted = startHoldfast('restic', `${demo.cluster}/shop`, '--', 'mount', target);
    const ended = new Promise((resolve) => mounted.once('exit', resolve));
    const { id } = snapshots().at(-1) as { id: string };
    const shown = join(target, 'ids', id.slice(0, 8), file);
    for (let tries = 0; tries < 100 && !existsSync(shown); tries++) await sleep(100);
    expect(readFileSync(shown, 'utf8')).toBe('started once\n');
    spawnSync('umount', [target]);
    await ended;
    expect(readdirSync(target)).toEqual([]);
    rmSync(target, { recursive: true });
  });

  it('says what would be forgotten, and forgets nothing', () => {
    const before = snapshots().length;
    expect(plain('forget', '--dry-run', '--keep-last', '1', '--group-by', 'host,paths')).toContain(
      'keep 1 snapshots',
    );
    expect(snapshots()).toHaveLength(before);
  });

  it('prints what restic needs, of the copy in the other region too', () => {
    const printed = holdfast('restic', '--from', 'replica', '--print-env', `${demo.cluster}/shop`);
    expect(printed).toMatch(/^export RESTIC_REPOSITORY='s3:.*-eu-central-1\/restic\/demo\/shop'$/m);
    expect(printed).toMatch(/^export RESTIC_PASSWORD='.{43}'$/m);
  });
});

describe('the verify machine, over both copies of the vault', () => {
  const vaultOf = (copy: CopyName) => openVault(demoCopies[copy].bucket, demoCopies[copy].region);
  /** Objects that both copies have: each prunes for itself, and then has packs of its own. */
  const inBoth = async (prefix: string) => {
    const found: string[] = [];
    for await (const { key } of vaultOf('primary').list(prefix))
      if (await vaultOf('replica').exists(key)) found.push(key);
    return found as [string, string];
  };
  const repository = keys.restic.repository('shop');
  const flip = async (copy: CopyName, key: string) => {
    const body = await vaultOf(copy).get(key);
    body[body.length >> 1] = (body[body.length >> 1] as number) ^ 1;
    await vaultOf(copy).put(key, body);
  };
  const bytesOf = (key: string) =>
    Promise.all(
      [vaultOf('primary'), vaultOf('replica')].map(async (vault) => (await vault.get(key)).toString('hex')),
    );
  const verify = async () => aws.wait(await aws.start('verify', { parts: 1 }));
  const lastReport = async () => {
    const runs = await vaultOf('primary').folders(keys.records.verify.root);
    return getJson(vaultOf('primary'), VerifyReport, keys.records.verify.report(runs.sort().at(-1) ?? ''));
  };

  it('heals what is damaged in one copy, says so, and lets restic read both', async () => {
    const [pack] = await inBoth(`${repository}/data/`);
    const [snapshot] = await inBoth(`${repository}/snapshots/`);
    const [backup] = newestFirst(await vaultOf('replica').folders(keys.records.root)) as [string];
    const [archive, record] = [keys.velero.archive(backup), keys.records.record(backup)];
    const spoilt = [
      ['primary', pack],
      ['replica', snapshot],
      ['primary', archive],
      ['replica', record],
    ] as const;
    const before = await Promise.all(spoilt.map(([, key]) => bytesOf(key)));
    for (const [copy, key] of spoilt) await flip(copy, key);
    const { output, problem } = await verify();
    const report = await lastReport();
    expect([problem, report.reasons]).toEqual(['', []]);
    expect(output).toMatchObject({
      phase: 'Completed',
      part: 1,
      parts: 1,
      damaged: 4,
      healed: 4,
      lost: 0,
      checks: 4,
    });
    expect(report.findings.map((f) => f.key).sort()).toEqual(spoilt.map(([, key]) => key).sort());
    expect(report.checks.map((c) => [c.namespace, c.copy, c.ok]).sort()).toEqual(
      ['_control-plane', 'shop'].flatMap((namespace) => [
        [namespace, 'primary', true],
        [namespace, 'replica', true],
      ]),
    );
    expect(await Promise.all(spoilt.map(([, key]) => bytesOf(key)))).toEqual(before);
  });

  it('fails when an object is good in neither copy, with restic’s words in its report, and heals what restic misses', async () => {
    const [pack, other] = await inBoth(`${repository}/data/`);
    const whole = await vaultOf('primary').get(pack);
    for (const copy of COPIES) await flip(copy, pack);
    await vaultOf('replica').remove([other]);
    const { problem } = await verify();
    expect(problem).toMatch(
      /^VaultObjectsLost: 1 objects are lost in both copies: see the report\.json of verify-/,
    );
    const report = await lastReport();
    expect(
      Object.fromEntries(report.findings.map((f) => [f.key, [f.outcome, f.primary, f.replica]])),
    ).toEqual({
      [pack]: ['lost', 'damaged', 'damaged'],
      [other]: ['healed', 'good', 'missing'],
    });
    expect(await vaultOf('replica').exists(other)).toBe(true);
    expect(report.checks.filter((c) => !c.ok).map((c) => c.namespace)).toEqual(['shop', 'shop']);
    expect(report.checks.find((c) => !c.ok)?.message).toContain(pack.split('/').at(-1));
    for (const copy of COPIES) await vaultOf(copy).put(pack, whole);
  });
});
