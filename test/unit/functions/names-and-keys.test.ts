import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backupName, parseBackupName } from '../../../functions/core/backup-name.ts';
import { repositoryPassword, sessionPolicy } from '../../../functions/core/repository.ts';
import { backupOfRecordKey, vaultKeys } from '../../../functions/core/vault-keys.ts';

const plan = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const second = fc.integer({ min: 0, max: 4_000_000_000 }).map((s) => new Date(s * 1000));

describe('a backup’s name', () => {
  it('gives its plan and second back', () => {
    fc.assert(
      fc.property(
        plan,
        second,
        (p, at) => void expect(parseBackupName(backupName(p, at))).toEqual({ plan: p, at }),
      ),
    );
  });
  it('is the same for every part of the same second', () => {
    expect(backupName('p', new Date('2026-01-01T00:00:00.999Z'))).toBe('p-20260101000000');
  });
  it('is not read from a date that does not exist', () => {
    expect(parseBackupName('p-20260231000000')).toBeUndefined();
  });
});

describe('vault keys', () => {
  it('say which backup a record belongs to', () => {
    expect(backupOfRecordKey('prod', vaultKeys('prod').records.volume('p-20260101000000', 'ns.pvc'))).toBe(
      'p-20260101000000',
    );
  });
  it('know nothing of another cluster', () => {
    expect(backupOfRecordKey('prod', vaultKeys('stage').records.record('b'))).toBeUndefined();
  });
  it('refuse a name with a slash', () => {
    expect(() => vaultKeys('prod').records.record('../x')).toThrow(RangeError);
  });
});

describe('a repository', () => {
  it('has the password that it always had', () => {
    expect(repositoryPassword('master', 'restic/prod/shop')).toBe(
      '_CKEIorlcVPTJouYHWdxlnZ86TDh5Exvex03-UmNft4',
    );
  });
  it('has another password than its neighbour', () => {
    expect(repositoryPassword('master', 'restic/prod/a')).not.toBe(
      repositoryPassword('master', 'restic/prod/b'),
    );
  });
  it('lets a backup delete lock files and nothing else', () => {
    const { Statement } = sessionPolicy(['arn:aws:s3:::v'], 'restic/c/ns', 'backup') as {
      Statement: { Action: unknown; Resource: unknown }[];
    };
    const deleting = Statement.filter((s) => [s.Action].flat().includes('s3:DeleteObject'));
    expect(deleting.map((s) => s.Resource)).toEqual([['arn:aws:s3:::v/restic/c/ns/locks/*']]);
  });
  it('cannot be written by a restore', () => {
    expect(JSON.stringify(sessionPolicy(['arn:aws:s3:::v'], 'restic/c/ns', 'restore'))).not.toMatch(
      /Put|Delete/,
    );
  });
});
