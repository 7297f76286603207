import { encode } from '../../functions/adapters/s3/documents.ts';
import { scopeOf } from '../../functions/core/restore/restore-options.ts';
import { itemKey, type PlanItem } from '../../functions/core/restore/restore-plan.ts';
import { targetOf } from '../../functions/core/restore/transform.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { VolumeOutcome } from '../../functions/core/volumes/work.ts';
import {
  type AppliedItem,
  type ItemResult,
  putApplied,
  putRestore,
  type StoredRestore,
} from '../../functions/restore/documents.ts';
import { planArchive } from '../../functions/restore/plan-restore/plan.ts';
import { type VerifyContext, verifyRestore } from '../../functions/restore/verify-restore/verify.ts';
import { takeLease } from '../../functions/runtime/leases.ts';
import { FakeCluster } from './fake-cluster.ts';
import { Life } from './kill.ts';
import { MemoryVault } from './memory-vault.ts';
import { archiveOf, KINDS, type Thing } from './restores.ts';

const keys = vaultKeys('paris');
export const NAME = { restore: 'restore-20260201020000-abcdef', backup: 'daily-20260101000000' } as const;
export const STARTED = new Date('2026-02-01T02:00:00Z');

/** What a test restored, and how that ended. */
export interface Restored {
  readonly plan?: Partial<StoredRestore>;
  /** How objects ended that did not end as `created`, by name. */
  readonly results?: Readonly<Record<string, ItemResult>>;
  /** Where objects were not as wanted when they were written, by name. */
  readonly differs?: Readonly<Record<string, string[]>>;
  readonly volumes?: readonly VolumeOutcome[];
  /** Changes the plan's items. */
  readonly items?: (items: PlanItem[]) => PlanItem[];
}

/** A restore whose stages have ended and that holds the lease, to be verified. */
export class VerifyWorld {
  readonly vault = new MemoryVault('primary');
  readonly cluster = new FakeCluster(...Object.values(KINDS));

  async restored(things: readonly Thing[], given: Restored = {}): Promise<void> {
    const { plan, results = {}, differs = {}, volumes = [], items: change = (all) => all } = given;
    const { vault } = this;
    const { body, sha256 } = await archiveOf(...things);
    vault.objects.set(keys.velero.archive(NAME.backup), { body, metadata: {} });
    const options = plan?.options ?? {};
    const archive = await vault.stream(keys.velero.archive(NAME.backup));
    const planned = await planArchive(
      archive,
      { sha256 },
      scopeOf(options, plan?.namespaces ?? ['shop']),
      options,
    );
    // Its archives hold no Namespace, and its cluster has it.
    const items = change(planned.items.filter((i) => i.bytes > 0));
    const stored: StoredRestore = {
      ...NAME,
      from: 'primary',
      fillsVolumes: true,
      startedAt: STARTED.toISOString(),
      namespaces: ['shop'],
      options,
      archiveSha256: sha256,
      dryRun: false,
      volumes: [],
      ...plan,
    };
    await putRestore(vault, keys, stored, items);
    for (const stage of [1, 2] as const) {
      const applied = items
        .filter((i) => i.stage === stage)
        .map((item): AppliedItem => {
          const { groupResource, version, namespace, name } = targetOf(item, options);
          const at = { groupResource, version, name, ...(namespace !== undefined && { namespace }) };
          const result = results[name] ?? (item.action === 'skip' ? 'skipped' : 'created');
          return { ...at, from: itemKey(item), result, ...(differs[name] && { differs: differs[name] }) };
        });
      await putApplied(vault, keys.restores.applied(NAME.restore, stage), applied);
    }
    for (const volume of volumes) {
      const at = keys.restores.volume(NAME.restore, volume.id);
      vault.objects.set(at, { body: encode(volume), metadata: {} });
    }
    await takeLease({ vault, now: STARTED, isGone: async () => false }, keys.leases.restore, {
      work: NAME.restore,
      execution: 'arn',
    });
  }

  /** Puts objects into the cluster. */
  there(...things: Thing[]): void {
    for (const [type, object] of things) this.cluster.add(type, object);
  }

  /** A call of the function, so many seconds after the restore was planned. */
  verify(seconds = 60, { life = new Life(), ...over }: Partial<VerifyContext> & { life?: Life } = {}) {
    const context: VerifyContext = {
      vault: life.of(this.vault),
      keys,
      now: new Date(STARTED.getTime() + seconds * 1000),
      sourceOf: () => ({ vault: life.of(this.vault), archive: keys.velero.archive }),
      withCluster: (work) => work(life.of(this.cluster)),
    };
    return verifyRestore({ ...context, ...over }, NAME);
  }

  /** report.json; undefined while there is none. */
  report(): Record<string, unknown> | undefined {
    const found = this.vault.objects.get(keys.restores.report(NAME.restore));
    return found && (JSON.parse(found.body.toString()) as Record<string, unknown>);
  }

  get hasLease(): boolean {
    return this.vault.objects.has(keys.leases.restore);
  }
}
