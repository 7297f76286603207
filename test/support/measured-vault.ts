import { encode } from '../../functions/adapters/s3/documents.ts';
import { stamp } from '../../functions/core/backup/backup-name.ts';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { type MeasureContext, measure } from '../../functions/measure/measure-vault/measure.ts';
import { putSignedRecord } from '../../functions/runtime/signed-records.ts';
import { recordOf } from './builders.ts';
import { keyPair } from './key-pair.ts';
import { MemoryVault } from './memory-vault.ts';

/** When the vault is looked at, unless a test says otherwise. */
export const NOW = new Date('2026-02-01T00:00:00Z');
export const keys = vaultKeys('paris');
/** Who may sign records, and who may not. */
export const signer = keyPair();
export const forger = keyPair();

export const hoursAgo = (hours: number): Date => new Date(NOW.getTime() - hours * 3600 * 1000);
/** Name of the backup of some hours ago. */
export const nameOf = (hours: number, plan = 'daily'): string => `${plan}-${stamp(hoursAgo(hours))}`;

/** What is different in a recovery point. */
export interface PointOptions extends Partial<BackupRecord> {
  /** Copies that have it. Default: both. */
  readonly in?: readonly MemoryVault[];
  readonly proven?: boolean;
  /** Who signs it; `nobody`: it is not signed. */
  readonly by?: typeof signer | 'nobody';
}

/** Both copies of a vault of the plans daily and daily-more, whose schedules were created 500 hours ago. */
export function measuredVault() {
  const [primary, replica] = [new MemoryVault('primary'), new MemoryVault('replica')];
  const created = new Map(
    ['backup-daily', 'backup-daily-more', 'verification', 'lock-daily'].map((name) => [name, hoursAgo(500)]),
  );
  const asked: string[] = [];
  return {
    primary,
    replica,
    /** When schedules were created. */
    created,
    /** Schedules that were asked for. */
    asked,
    /** A backup of some hours ago, Completed, signed and proven unless said otherwise; its name. */
    async point(hours: number, over: PointOptions = {}): Promise<string> {
      const { in: copies = [primary, replica], proven = true, plan = 'daily', by = signer, ...fields } = over;
      const backup = nameOf(hours, plan);
      const record = recordOf(backup, { plan, startedAt: hoursAgo(hours).toISOString(), ...fields });
      for (const vault of copies) {
        await vault.put(keys.records.work(backup), encode({}));
        if (by === 'nobody') await vault.put(keys.records.record(backup), encode(record));
        else await putSignedRecord(vault, keys.records.record(backup), record, by);
        if (proven) await vault.put(keys.records.replica(backup), encode({}));
      }
      return backup;
    },
    look: (over: Partial<MeasureContext> = {}) =>
      measure({
        copies: { primary, replica },
        keys,
        verifier: signer,
        plans: ['daily', 'daily-more'],
        locked: false,
        now: NOW,
        createdAt: async (schedule) => {
          asked.push(schedule);
          return created.get(schedule);
        },
        ...over,
      }),
  };
}
