import { describe, expect, it } from 'vitest';
import type { ResticOptions } from '../../../../functions/contract/settings.ts';
import type { JobEnd } from '../../../../functions/core/kubernetes/job-end.ts';
import { failure, lastWords, parseProgress, parseSummary } from '../../../../functions/core/restic/log.ts';
import {
  backupArgs,
  DEFAULT_RESTIC,
  dumpArgs,
  forgetArgs,
  initArgs,
  restoreArgs,
  restoreFilesArgs,
} from '../../../../functions/core/restic/restic.ts';
import type { WorkVolume } from '../../../../functions/core/volumes/work.ts';
import { resticId } from '../../../support/restic-id.ts';

const volume: WorkVolume = {
  id: 'shop.pgdata',
  namespace: 'shop',
  pvc: 'pgdata',
  pod: 'db-0',
  strategy: 'mount',
};
const ID = resticId('a');
const run = { backup: 'daily-1', plan: 'daily' };
const context = { cluster: 'paris', run };
const log = (...lines: (object | string)[]) =>
  lines.map((l) => (typeof l === 'string' ? l : JSON.stringify(l))).join('\n');

describe('the arguments of restic', () => {
  it('back up one volume with a fixed host and path, so that the parent is found', () => {
    expect(backupArgs(context, volume, DEFAULT_RESTIC).join(' ')).toBe(
      'backup --json --host paris --tag backup=daily-1 --tag plan=daily --tag pvc=pgdata --tag pod=db-0 --group-by host,paths --retry-lock 5m -- /data/shop/pgdata',
    );
  });

  it('are the same parent search for another backup of the same volume', () => {
    const search = (backup: string, pod: string) =>
      backupArgs({ ...context, run: { ...run, backup } }, { ...volume, pod }, DEFAULT_RESTIC).filter(
        (_, i, all) => all[i - 1] !== '--tag',
      );
    expect(search('daily-2', 'db-1')).toEqual(search('daily-1', 'db-0'));
  });

  it('say what a plan says of restic', () => {
    const options: ResticOptions = {
      excludes: ['*.tmp', 'lost+found'],
      excludeIfPresent: ['.nobackup'],
      compression: 'max',
      readConcurrency: 4,
      limitUploadKiB: 512,
    };
    expect(backupArgs(context, volume, options).join(' ')).toContain(
      ' --exclude *.tmp --exclude lost+found --exclude-if-present .nobackup --read-concurrency 4 --compression max --limit-upload 512 ',
    );
  });

  it('name no pod when none has the volume', () => {
    const { pod: _, ...unmounted } = volume;
    expect(backupArgs(context, unmounted, DEFAULT_RESTIC).join(' ')).not.toContain('pod=');
  });

  it('restore what lies below the volume, verify it, and need no lock', () => {
    expect(restoreArgs(ID, '/data/shop/pgdata', '/data/shop/pgdata').join(' ')).toBe(
      `restore --target /data/shop/pgdata --verify --no-lock --sparse --json -- ${ID}:/data/shop/pgdata`,
    );
  });

  it('make a repository', () => {
    expect(initArgs()).toEqual(['init', '--json']);
  });

  it('forget the named snapshots and nothing by policy', () => {
    const args = forgetArgs([ID, resticId('b')]);
    expect(args.join(' ')).toBe(`forget --retry-lock 5m -- ${ID} ${resticId('b')}`);
    expect(args.filter((a) => a.startsWith('--keep'))).toEqual([]);
  });

  it.each(['', 'abc', 'latest', '--unsafe-allow-remove-all', `${ID}\n`, ID.toUpperCase(), `-${ID.slice(1)}`])(
    'are refused for the snapshot %j',
    (id) => {
      expect(() => forgetArgs([ID, id])).toThrow(RangeError);
      expect(() => restoreArgs(id, '/x', '/x')).toThrow(RangeError);
      expect(() => restoreFilesArgs(id, '/x', '/x', ['*'])).toThrow(RangeError);
    },
  );

  it('take a command as operands, whatever it begins with', () => {
    const args = dumpArgs(
      context,
      { ...volume, dump: { workload: 'db', file: 'x' } },
      ['--host', 'rome'],
      DEFAULT_RESTIC,
    );
    expect(args.slice(args.indexOf('--'))).toEqual(['--', '--host', 'rome']);
    expect(args.indexOf('--stdin-from-command')).toBeLessThan(args.indexOf('--'));
  });

  it('are refused for forgetting no snapshot', () => {
    expect(() => forgetArgs([])).toThrow(RangeError);
  });
});

describe('the summary of a log', () => {
  const done = {
    message_type: 'summary',
    snapshot_id: resticId('abc'),
    total_files_processed: 12,
    total_bytes_processed: 3456,
  };

  it('says what a backup holds', () => {
    expect(parseSummary(log({ message_type: 'status', percent_done: 0.5 }, done))).toEqual({
      snapshot: resticId('abc'),
      files: 12,
      bytes: 3456,
      errors: [],
    });
  });

  it('says what a restore wrote, and has no snapshot', () => {
    const restored = { message_type: 'summary', total_files: 9, files_restored: 7, bytes_restored: 65 };
    expect(parseSummary(log(restored))).toEqual({ files: 7, bytes: 65, errors: [] });
  });

  it('names each file that could not be read', () => {
    const errors = [
      { message_type: 'error', error: { message: 'permission denied' }, during: 'scan', item: '/data/a' },
      { message_type: 'error', error: {}, item: '/data/b' },
    ];
    expect(parseSummary(log(...errors, done))?.errors).toEqual([
      '/data/a: permission denied',
      '/data/b: unreadable',
    ]);
  });

  it('is the last one when the log has several', () => {
    expect(parseSummary(log({ ...done, snapshot_id: resticId('old') }, done))?.snapshot).toBe(
      resticId('abc'),
    );
  });

  it('is found among words that are not JSON', () => {
    expect(parseSummary(log('created restic repository', '{not json', done, ''))?.snapshot).toBe(
      resticId('abc'),
    );
  });

  it.each([
    ['is empty', ''],
    ['has only words', 'Fatal: no'],
    ['is cut off', log(done).slice(0, -5)],
    ['has only progress', log({ message_type: 'status' })],
  ])('is missing when the log %s', (_, text) => {
    expect(parseSummary(text)).toBeUndefined();
  });
});

describe('the last words of a failed restic', () => {
  it('are those of its exit_error', () => {
    const fatal = { message_type: 'exit_error', code: 12, message: 'Fatal: wrong password or no key found' };
    expect(lastWords(log('some warning', fatal, 'after'))).toBe('Fatal: wrong password or no key found');
  });

  it('are its last three lines when it has no exit_error', () => {
    expect(lastWords('one\ntwo\nthree\nfour\n')).toBe('two three four');
  });

  it('are at most 500 characters, from the end', () => {
    expect(lastWords(`${'x'.repeat(900)}END`)).toMatch(/^x{497}END$/);
  });

  it('say so when there are none', () => {
    expect(lastWords('\n \n')).toBe('no output');
  });
});

describe('the progress in a log', () => {
  const status = { message_type: 'status', seconds_elapsed: 10, percent_done: 0.256, total_bytes: 4000 };

  it('is that of the last line, with a rate', () => {
    const lines = log(
      { ...status, percent_done: 0.1 },
      { ...status, files_done: 3, bytes_done: 1024 },
      'noise',
    );
    expect(parseProgress(lines)).toEqual({
      percent: 25,
      files: 3,
      bytes: 1024,
      totalBytes: 4000,
      bytesPerSecond: 102,
    });
  });

  it('has no rate before the first second', () => {
    expect(parseProgress(log({ ...status, seconds_elapsed: 0 }))?.bytesPerSecond).toBe(0);
  });

  it('is unknown before restic has said anything', () => {
    expect(parseProgress('')).toBeUndefined();
  });
});

describe('a failure', () => {
  const end = (exitCode: number | undefined, message?: string) => ({
    exitCode,
    log: 'Fatal: no',
    reports: {},
    message,
    seconds: 1,
  });

  it('of a restic that was killed names the memory limit', () => {
    expect(failure(end(137))).toContain('jobs.resources.memoryLimit');
  });

  it('of a pod that was evicted is told in the words of the node', () => {
    expect(failure(end(137, 'the node evicted its pod: low on memory'))).toBe(
      'restic was killed: the node evicted its pod: low on memory',
    );
  });
});

describe('a command whose output was to be backed up', () => {
  const end = (log: string): JobEnd => ({ exitCode: 130, log, reports: {}, message: undefined, seconds: 1 });
  const FAILED =
    '{"message_type":"error","error":{"message":"failed to save /a: Fatal: command failed: exit status 7"},"item":"/a"}\n{"message_type":"exit_error","code":130,"message":"Fatal: unable to save snapshot: context canceled"}';

  it('says itself why it failed', () => {
    expect(failure(end(`subprocess kubectl: pg_dump: no such database\n${FAILED}`))).toBe(
      'its command failed: pg_dump: no such database',
    );
  });
  it('has failed with its exit code when it said nothing', () => {
    expect(failure(end(FAILED))).toBe('its command failed: exit status 7');
  });
});
