import type { RestoreOptions } from '../../functions/contract/restore-options.ts';
import type { ApplyState } from '../../functions/contract/states.ts';
import { scopeOf } from '../../functions/core/restore/restore-options.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { applyStage, type StageContext } from '../../functions/restore/apply-resources/stage.ts';
import { getApplied, putRestore } from '../../functions/restore/documents.ts';
import { planArchive } from '../../functions/restore/plan-restore/plan.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Life } from './kill.ts';
import { MemoryVault } from './memory-vault.ts';
import { archiveOf, KINDS, type Thing, thing } from './restores.ts';

const keys = vaultKeys('paris');
export const [RESTORE, BACKUP] = ['restore-20260201020000-abcdef', 'daily-20260101000000'] as const;
const NAMES = ['shop', 'app', 'bank'];

/** A planned restore, the cluster that it goes to, which has the namespace `shop`, and a clock that only counts. */
export class StageWorld {
  readonly vault = new MemoryVault('primary');
  readonly cluster = new FakeCluster(...Object.values(KINDS));
  /** Milliseconds of every wait. */
  readonly waits: number[] = [];

  constructor() {
    this.cluster.addNamespaces('shop');
  }

  /** Plans a restore of these objects, as plan-restore does. */
  async plan(things: readonly Thing[], options: RestoreOptions = {}): Promise<void> {
    const { body, sha256 } = await archiveOf(...things);
    this.vault.objects.set(keys.velero.archive(BACKUP), { body, metadata: {} });
    const archive = await this.vault.stream(keys.velero.archive(BACKUP));
    const { items } = await planArchive(archive, { sha256 }, scopeOf(options, NAMES), options);
    const plan = {
      restore: RESTORE,
      backup: BACKUP,
      from: 'primary',
      fillsVolumes: true,
      startedAt: '2026-02-01T02:00:00Z',
      namespaces: NAMES,
      options,
      archiveSha256: sha256,
      dryRun: false,
      volumes: [],
    };
    await putRestore(this.vault, keys, plan, items);
  }

  /** Puts an object into the cluster, as if somebody else had made it. */
  has([type, object]: Thing): void {
    this.cluster.add(type, object);
  }

  /** Runs one call of a stage. */
  apply(
    stage: 1 | 2,
    over: Partial<StageContext> = {},
    life = new Life(),
    last?: Pick<ApplyState, 'waitedSeconds'>,
  ): Promise<ApplyState> {
    const context: StageContext = {
      vault: life.of(this.vault),
      keys,
      sourceOf: () => ({ vault: life.of(this.vault), archive: keys.velero.archive }),
      withCluster: (work) => work(life.of(this.cluster)),
      goOn: () => true,
      sleep: async (ms) => void this.waits.push(ms),
    };
    return applyStage(
      { ...context, ...over },
      {
        restore: RESTORE,
        backup: BACKUP,
        stage,
        ...(last && { [`stage${stage}`]: last }),
      },
    );
  }

  /** Name, result and reason of each object of a stage. */
  async results(stage: 1 | 2): Promise<[string, string, string | undefined][]> {
    const applied = await getApplied(this.vault, keys, RESTORE, stage);
    return applied.map(({ name, result, reason }) => [name, result, reason]);
  }
}

/** The ConfigMap `settings` of the namespace `shop`. */
export const settings = (color: string, metadata: object = {}): Thing =>
  thing(KINDS.configMaps, 'settings', { data: { color } }, metadata);
