import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import { endpointOfKubeconfig } from '../../functions/adapters/kubernetes/access.ts';
import { kubeClient } from '../../functions/adapters/kubernetes/client.ts';
import { getJson, putJson } from '../../functions/adapters/s3/documents.ts';
import { commitBackup } from '../../functions/backup/commit-backup/commit.ts';
import { exportWhole } from '../../functions/backup/export/export.ts';
import { planExport } from '../../functions/backup/export/plan.ts';
import { lookAtCluster } from '../../functions/backup/open-backup/look.ts';
import type { RestoreInput } from '../../functions/contract/restore-options.ts';
import type { Selection } from '../../functions/contract/settings.ts';
import { type ApplyState, PlanRestoreRequest, type RestoreName } from '../../functions/contract/states.ts';
import type { BackupRecord, Work } from '../../functions/core/backup/record.ts';
import { rbacManifests } from '../../functions/core/kubernetes/rbac.ts';
import type { KubeObject, ResourceType } from '../../functions/core/kubernetes/resources.ts';
import type { PlanItem } from '../../functions/core/restore/restore-plan.ts';
import { type VeleroKeys, vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import { applyStage, type StageContext } from '../../functions/restore/apply-resources/stage.ts';
import { AppliedItem, getItems } from '../../functions/restore/documents.ts';
import { type PlanContext, planRestore } from '../../functions/restore/plan-restore/plan-restore.ts';
import { verifyRestore } from '../../functions/restore/verify-restore/verify.ts';
import { resourcesOf } from './builders.ts';
import { ClusterApi, sleep } from './cluster-api.ts';
import { keyPair } from './key-pair.ts';
import { MemoryVault } from './memory-vault.ts';
import { archiveOf } from './restores.ts';
import { repositoriesWith } from './seen-snapshots.ts';
import { planOf, selectionOf } from './selection.ts';
import { connect } from './world.ts';

const CLUSTER = 'dirty';
const keys = vaultKeys(CLUSTER);
const signer = keyPair();
/** Its recovery points have no volumes. */
const commitContext = (vault: MemoryVault, backup: string) => ({
  vault,
  keys,
  cluster: CLUSTER,
  now: new Date(),
  signer,
  openRepository: repositoriesWith({ cluster: CLUSTER, backup, paths: {} }),
});
/** After this much later, a restore gives up waiting for workloads. */
const MUCH_LATER_MS = 24 * 3600 * 1000;
/** A call of a stage ends after this long, and the next one goes on, as when Lambda's time is up. */
const CALL_MS = 30_000;
let count = 0;

/** A backup of this test: its record, and the vault that it is in. */
export interface Point {
  readonly vault: MemoryVault;
  readonly record: BackupRecord;
}

/** A backup that Velero wrote. */
interface VeleroPoint {
  readonly vault: MemoryVault;
  readonly keys: VeleroKeys;
  readonly backup: string;
}

/** The parts of report.json that tests read. */
const Report = z.object({
  phase: z.enum(['Completed', 'PartiallyFailed']),
  notReady: z.array(z.string()),
  differing: z.array(z.string()),
  items: z.array(AppliedItem),
});
type Report = z.infer<typeof Report>;

/** How a restore of a test is run. */
export interface RestoreRun {
  /** How long workloads may take to become ready. */
  readonly readySeconds?: number;
  /** The API server that is restored to; absent: the one of the backup. */
  readonly to?: KubeClient;
}

/** A client with one of the two identities of Holdfast. */
function identity(use: 'backup' | 'restore'): KubeClient {
  const file = join(dirname(process.env.KUBECONFIG ?? ''), `${use}.kubeconfig`);
  return kubeClient(endpointOfKubeconfig(readFileSync(file, 'utf8'), file));
}

/** Everything that the pipeline does in one cluster, by its own functions, with a vault in memory. */
export class Pipeline {
  readonly api = new ClusterApi(connect());
  readonly #backup = identity('backup');
  readonly #restore = identity('restore');

  /** Grants Holdfast what `holdfast rbac` grants. */
  async open(): Promise<void> {
    const { items } = rbacManifests() as { items: KubeObject[] };
    for (const object of items) await this.api.tryCreate(object);
  }

  async close(): Promise<void> {
    await Promise.all([this.api.client.close(), this.#backup.close(), this.#restore.close()]);
  }

  /** Backs up what a plan of these namespaces selects. `meanwhile`: what happens after discovery. */
  async backup(
    namespaces: readonly string[],
    over: Partial<Selection> = {},
    meanwhile: () => Promise<void> = async () => {},
  ): Promise<Point> {
    const vault = new MemoryVault('primary');
    const plan = planOf('dirty', namespaces, { selection: selectionOf(namespaces, over), volumes: 'none' });
    const backup = `dirty-20260101${String(count++).padStart(6, '0')}`;
    const startedAt = new Date().toISOString();
    const looked = await lookAtCluster(this.#backup, plan);
    const work: Work = { plan: plan.name, backup, startedAt, selection: plan.selection, ...looked };
    await putJson(vault, keys.records.work(backup), work);
    const planned = await planExport(this.#backup, work, 1_000_000);
    await meanwhile();
    const ports = { cluster: this.#backup, vault, keys };
    const result = await exportWhole(ports, work, planned, performance.now());
    await putJson(vault, keys.records.resources(backup), result);
    const record = await commitBackup(commitContext(vault, backup), backup);
    return { vault, record };
  }

  /** A recovery point of objects as they are given: for states that a running API server lets nobody make. */
  async pointOf(
    things: readonly (readonly [ResourceType, KubeObject])[],
    namespaces: string[],
  ): Promise<Point> {
    const vault = new MemoryVault('primary');
    const backup = `dirty-20260101${String(count++).padStart(6, '0')}`;
    const { body, sha256 } = await archiveOf(...things);
    await vault.put(keys.velero.archive(backup), body);
    await vault.put(keys.velero.resourceList(backup), gzipSync('{}'));
    const archiveBytes = body.length;
    const bytes = things.reduce((sum, [, object]) => sum + JSON.stringify(object).length, 0);
    const resources = resourcesOf({ items: things.length, bytes, archiveBytes, sha256 });
    await putJson(vault, keys.records.resources(backup), resources);
    const nothing = { wide: false, volumes: [], excluded: [], unprotected: [], problems: [] };
    const startedAt = new Date().toISOString();
    const work: Work = {
      plan: 'dirty',
      backup,
      startedAt,
      namespaces,
      selection: selectionOf(namespaces),
      ...nothing,
    };
    await putJson(vault, keys.records.work(backup), work);
    const record = await commitBackup(commitContext(vault, backup), backup);
    return { vault, record };
  }

  /** What a dry run of a restore says that `allow` must name. */
  async hints(point: Point): Promise<string[]> {
    const ports = portsOf(point, this.#restore);
    const { restore } = await planRestore({ ...ports, now: new Date() }, requestOf(point, { dryRun: true }));
    const items = await getItems(point.vault, keys, restore);
    return items.flatMap((item) => {
      const [, hint] = (item.action === 'hold' && /"allow": \["(.*)"\]/.exec(item.reason ?? '')) || [];
      return hint === undefined ? [] : [hint];
    });
  }

  /** Restores as the machine does: plan, both stages until nothing remains, verification until it is done. */
  async restore(point: Point, input: Partial<RestoreInput> = {}, run: RestoreRun = {}): Promise<Restored> {
    return this.#run(portsOf(point, run.to ?? this.#restore), requestOf(point, input), run);
  }

  /** Restores a backup that Velero wrote, from a vault of its own. */
  async restoreVelero({ vault, keys: velero, backup }: VeleroPoint): Promise<Restored> {
    const ports = portsOf({ vault: new MemoryVault('primary') }, this.#restore);
    const source = { vault, archive: velero.archive, velero };
    const request = requestOf({ record: { backup } }, { from: 'velero' });
    return this.#run({ ...ports, sourceOf: () => source }, request, {});
  }

  async #run(
    ports: Ports,
    request: PlanRestoreRequest,
    { readySeconds = 30 }: RestoreRun,
  ): Promise<Restored> {
    const { restore, backup } = await planRestore({ ...ports, now: new Date() }, request);
    await applied(ports, { restore, backup }, 1);
    await applied(ports, { restore, backup }, 2);
    for (const end = Date.now() + readySeconds * 1000; ; await sleep(1000)) {
      const now = new Date(Date.now() + (Date.now() > end ? MUCH_LATER_MS : 0));
      if ('phase' in (await verifyRestore({ ...ports, now }, { restore, backup }))) break;
    }
    const report = await getJson(ports.vault, Report, keys.restores.report(restore));
    return new Restored(report, await getItems(ports.vault, keys, restore));
  }
}

/** What the functions of a restore are called with. */
type Ports = Omit<PlanContext, 'now'> & Omit<StageContext, 'goOn'>;

function portsOf({ vault }: Pick<Point, 'vault'>, to: KubeClient): Ports {
  const source = { vault, archive: keys.velero.archive };
  return {
    vault,
    keys,
    verifier: signer,
    sourceOf: () => source,
    isGone: async () => true,
    withCluster: (work) => work(to),
  };
}

/** Calls a stage as the machine does, until nothing remains. */
async function applied(ports: Ports, name: RestoreName, stage: 1 | 2): Promise<void> {
  let state: ApplyState | undefined;
  for (let calls = 0; state?.remaining !== 0; calls++) {
    if (calls > 20) throw new Error(`stage ${stage} does not end: ${state?.remaining} remain`);
    const started = Date.now();
    const goOn = () => Date.now() - started < CALL_MS;
    const earlier = state && { [`stage${stage}`]: state };
    state = await applyStage({ ...ports, goOn }, { ...name, stage, ...earlier });
  }
}

const requestOf = (
  { record }: { readonly record: Pick<BackupRecord, 'backup'> },
  input: Partial<RestoreInput>,
): PlanRestoreRequest =>
  z.parse(PlanRestoreRequest, {
    input: { backup: record.backup, waitSeconds: 5, ...input },
    startedAt: new Date(Date.now() + count++ * 1000).toISOString(),
    execution: `restore-${count}`,
  });

/** What came of a restore, by its report. Objects are named as ClusterApi names them, after mapping. */
export class Restored {
  readonly phase: Report['phase'];
  readonly notReady: readonly string[];
  readonly differing: readonly string[];
  readonly applied: readonly AppliedItem[];
  readonly items: readonly PlanItem[];

  constructor(report: Report, items: readonly PlanItem[]) {
    this.phase = report.phase;
    this.notReady = report.notReady;
    this.differing = report.differing;
    this.applied = report.items;
    this.items = items;
  }

  /** The results of these objects, in this order. */
  results(...refs: readonly string[]): (string | undefined)[] {
    return refs.map((ref) => this.#of(ref)?.result);
  }

  reason(ref: string): string {
    return this.#of(ref)?.reason ?? '';
  }

  /** Every object with one of these results, with its reason. */
  with(...results: readonly AppliedItem['result'][]): string[] {
    return this.applied
      .filter((a) => results.includes(a.result))
      .map((a) => `${nameOf(a)}: ${a.result}${a.reason ? `, ${a.reason}` : ''}`);
  }

  /** Everything that keeps the restore from being green; with the phase itself, which must agree. */
  get wrong(): string[] {
    const { phase, notReady, differing } = this;
    const all = [...this.with('held', 'failed'), ...notReady, ...differing];
    return phase === 'Completed' && all.length === 0 ? [] : [phase, ...all];
  }

  #of(ref: string): AppliedItem | undefined {
    return this.applied.find((a) => nameOf(a) === ref);
  }
}

const nameOf = (a: AppliedItem): string =>
  `${a.groupResource} ${a.namespace === undefined ? '' : `${a.namespace}/`}${a.name}`;
