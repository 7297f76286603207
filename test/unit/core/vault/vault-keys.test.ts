import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backupOfRecordKey, vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';

const keys = vaultKeys('paris');
const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const id = fc.tuple(name, name).map(([namespace, pvc]) => `${namespace}.${pvc}`);

describe('the layout of the vault', () => {
  it.each([
    [keys.velero.archive('daily-1'), 'velero/paris/backups/daily-1/daily-1.tar.gz'],
    [keys.velero.backup('daily-1'), 'velero/paris/backups/daily-1/velero-backup.json'],
    [keys.velero.resourceList('daily-1'), 'velero/paris/backups/daily-1/daily-1-resource-list.json.gz'],
    [keys.velero.results('daily-1'), 'velero/paris/backups/daily-1/daily-1-results.gz'],
    [keys.velero.volumeInfo('daily-1'), 'velero/paris/backups/daily-1/daily-1-volumeinfo.json.gz'],
    [keys.restic.repository('shop'), 'restic/paris/shop'],
    [keys.records.record('daily-1'), 'records/paris/daily-1/record.json'],
    [keys.records.volume('daily-1', 'shop.data'), 'records/paris/daily-1/volumes/shop.data.json'],
    [keys.records.replica('daily-1'), 'records/paris/daily-1/replica.json'],
    [keys.records.lock('daily-1'), 'records/paris/daily-1/lock.json'],
    [keys.records.prune.plan('prune-2'), 'records/paris/_prune/prune-2/plan.json'],
    [keys.records.prune.done('prune-2'), 'records/paris/_prune/prune-2/done.json'],
    [keys.records.prune.report('prune-2'), 'records/paris/_prune/prune-2/report.json'],
    [keys.records.prune.keeps('prune-2', 'shop'), 'records/paris/_prune/prune-2/keeps/shop.json'],
    [keys.records.prune.job('prune-2', 'shop'), 'records/paris/_prune/prune-2/jobs/shop.json'],
    [keys.records.verify.run('v-1'), 'records/paris/_verify/v-1/run.json'],
    [keys.records.verify.cursor('v-1'), 'records/paris/_verify/v-1/place.json'],
    [keys.records.verify.findings('v-1', '00001-ab'), 'records/paris/_verify/v-1/findings/00001-ab.json'],
    [keys.records.verify.job('v-1', 'shop.primary'), 'records/paris/_verify/v-1/jobs/shop.primary.json'],
    [keys.records.verify.report('v-1'), 'records/paris/_verify/v-1/report.json'],
    [keys.exports.part('daily-1', 3), 'exports/paris/daily-1/3.tar.gz'],
    [keys.records.fingerprints('daily-1'), 'records/paris/daily-1/fingerprints.json.gz'],
    [keys.restores.applied('r1', 2), 'restores/paris/r1/applied-2.jsonl'],
    [keys.inventory('restic/paris/shop/data/'), 'inventories/paris/shop/data.gz'],
    [keys.inventory('restic/paris/shop/config'), undefined],
    [keys.inventory('restic/paris-2/shop/data/'), undefined],
    [keys.leases.backup('daily'), 'leases/paris/backup-daily.json'],
    [keys.leases.restore, 'leases/paris/restore.json'],
    [keys.leases.prune, 'leases/paris/prune.json'],
    [keys.leases.replicate('daily'), 'leases/paris/replicate-daily.json'],
  ])('has %s', (made, stored) => {
    expect(made).toBe(stored);
  });

  it('names the backup of every key in its record directory', () => {
    fc.assert(
      fc.property(name, name, id, (cluster, backup, volume) => {
        const { records } = vaultKeys(cluster);
        const made = [
          records.record(backup),
          records.work(backup),
          records.resources(backup),
          records.volume(backup, volume),
          records.replica(backup),
        ];
        expect(made.map((key) => backupOfRecordKey(cluster, key))).toEqual(made.map(() => backup));
      }),
    );
  });

  it('never takes a prune run for a backup', () => {
    fc.assert(
      fc.property(name, name, (cluster, prune) => {
        expect(backupOfRecordKey(cluster, vaultKeys(cluster).records.prune.plan(prune))).toBeUndefined();
      }),
    );
  });

  it('never takes the record of another cluster for one of its own', () => {
    expect(backupOfRecordKey('paris', vaultKeys('paris-2').records.record('daily-1'))).toBeUndefined();
  });

  it('finds no backup in keys outside of the records', () => {
    expect(backupOfRecordKey('paris', keys.velero.archive('daily-1'))).toBeUndefined();
  });

  it('keeps two backups apart whatever they are called', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        fc.pre(a !== b);
        expect(keys.records.dir(b).startsWith(keys.records.dir(a))).toBe(false);
        expect(keys.velero.dir(b).startsWith(keys.velero.dir(a))).toBe(false);
      }),
    );
  });

  it('puts every result of a volume below the folder that is listed for results', () => {
    expect(keys.records.volume('b', 'n.p').startsWith(keys.records.volumeDir('b'))).toBe(true);
    expect(keys.restores.volume('r', 'n.p').startsWith(keys.restores.volumeDir('r'))).toBe(true);
    expect(keys.records.prune.job('p', 'n').startsWith(keys.records.prune.jobDir('p'))).toBe(true);
    expect(keys.leases.replicate('p').startsWith(keys.leases.replicateRoot)).toBe(true);
  });

  it.each(['', 'a/b', '/', '../other/'])('refuses %j as a segment', (segment) => {
    expect(() => vaultKeys(segment)).toThrow(RangeError);
    expect(() => keys.records.record(segment)).toThrow(RangeError);
    expect(() => keys.velero.archive(segment)).toThrow(RangeError);
    expect(() => keys.restic.repository(segment)).toThrow(RangeError);
    expect(() => keys.records.volume('daily-1', segment)).toThrow(RangeError);
    expect(() => keys.restores.report(segment)).toThrow(RangeError);
    expect(() => keys.leases.backup(segment)).toThrow(RangeError);
  });
});
