import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemsOf } from '../../../../functions/backup/reconcile-control-plane/control-plane-job.ts';
import { volumeOutcome } from '../../../../functions/backup/reconcile-volumes/volume-job.ts';
import {
  ControlPlaneOutcome,
  countedIn,
  etcdOutcome,
  filesOutcome,
  findControlPlane,
  isMemberUrl,
  leaderIn,
  scratchOutcome,
  statusOutcome,
} from '../../../../functions/core/backup/control-plane.ts';
import { Progress } from '../../../../functions/core/backup/record.ts';
import { isResticId } from '../../../../functions/core/restic/ids.ts';
import {
  checkWords,
  failure,
  lastWords,
  missingPacks,
  parseProgress,
  parseSummary,
} from '../../../../functions/core/restic/log.ts';
import { parseSnapshotFile } from '../../../../functions/core/restic/snapshot-file.ts';
import { vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';
import { CheckOutcome } from '../../../../functions/core/vault/verification.ts';
import { dumpsOf } from '../../../../functions/core/volumes/dumps.ts';
import { hooksOf, PodHooks } from '../../../../functions/core/volumes/hooks.ts';
import { VolumeOutcome, WorkVolume } from '../../../../functions/core/volumes/work.ts';
import {
  type RestoreWork,
  restoredOutcome,
} from '../../../../functions/restore/reconcile-restore-volumes/volume-job.ts';
import { checkOutcome } from '../../../../functions/verify/reconcile-verify/check-job.ts';
import { jobEnd } from '../../../support/builders.ts';
import { HOSTILE, hostileJson, hostileObject, hostileText } from '../../../support/hostile.ts';
import { resticId } from '../../../support/restic-id.ts';

const ID = resticId('a');
const keys = vaultKeys('paris');
const SUMMARY = `{"message_type":"summary","snapshot_id":"${ID}","total_files_processed":1}`;
const volume: WorkVolume = { id: 'shop.data', namespace: 'shop', pvc: 'data', strategy: 'mount' };

/** Lines as restic writes them, with fields that somebody else has filled. */
const line = hostileObject({
  message_type: '"summary"',
  snapshot_id: JSON.stringify(ID),
  total_files_processed: '3',
  total_bytes_processed: '40',
  files_restored: '3',
  bytes_restored: '40',
  percent_done: '0.5',
  seconds_elapsed: '2',
  bytes_done: '10',
  total_bytes: '40',
  item: '"/x"',
  error: '{"message":"denied"}',
  message: JSON.stringify(`pack ${ID}: does not exist`),
  code: '1',
});
const errorLine = hostileJson.chain((value) =>
  fc.constantFrom(
    `{"message_type":"error","error":{"message":${value}},"item":${value}}`,
    `{"message_type":"error","message":${value}}`,
    `{"message_type":"exit_error","message":${value}}`,
    `{"message_type":"error","error":${value}}`,
    `subprocess x: ${value}`,
  ),
);
const log = fc
  .array(fc.oneof(hostileText, hostileJson, line, errorLine, fc.constant(SUMMARY)), { maxLength: 12 })
  .map((lines) => lines.join('\n'));

const runs = { numRuns: 500 };
const check = <T>(of: fc.Arbitrary<T>, holds: (value: T) => void) => fc.assert(fc.property(of, holds), runs);

/** A message is one printable line, of bounded length. */
function printable(text: string | undefined, max = 8000): void {
  expect(text ?? '').toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u);
  expect((text ?? '').length).toBeLessThanOrEqual(max);
}
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

describe('a hostile log of restic', () => {
  it('has a summary of an id and of counts, or none', () => {
    check(log, (text) => {
      const summary = parseSummary(text);
      if (!summary) return;
      if ('snapshot' in summary) expect(isResticId(summary.snapshot)).toBe(true);
      expect([isCount(summary.files), isCount(summary.bytes)]).toEqual([true, true]);
      expect(summary.errors.length).toBeLessThanOrEqual(6);
      for (const error of summary.errors) printable(error);
    });
  });

  it('has a progress that can be written and read again, or none', () => {
    check(log, (text) => {
      const progress = parseProgress(text);
      const volumes = [{ volume: 'shop/data', state: 'running' as const, ...progress }];
      const written = JSON.parse(JSON.stringify({ at: '', volumes }));
      expect(Progress.safeParse(written).success).toBe(true);
      if (progress) expect(progress.percent).toBeLessThanOrEqual(100);
    });
  });

  it('names packs by their ids alone', () => {
    check(log, (text) => {
      expect(missingPacks(text).filter((id) => !isResticId(id))).toEqual([]);
    });
  });

  it('is told in words that a person can read', () => {
    check(
      fc.tuple(log, hostileText, fc.constantFrom(undefined, 0, 1, 3, 137)),
      ([text, message, exitCode]) => {
        const end = jobEnd({ log: text, message, exitCode });
        for (const said of [lastWords(text), failure(end), checkWords(end)]) {
          printable(said);
          expect(said).not.toBe('');
        }
      },
    );
  });

  it.each(HOSTILE)('names no snapshot %j', (id) => {
    const text = `{"message_type":"summary","snapshot_id":${JSON.stringify(id)},"total_files_processed":1,"total_bytes_processed":1}`;
    expect(parseSummary(text)?.snapshot).toBeUndefined();
    expect(volumeOutcome(volume, jobEnd({ log: text })).result).toBe('failed');
  });
});

describe('the outcome of a Job with hostile logs', () => {
  const end = fc
    .record({
      log,
      message: hostileText,
      exitCode: fc.constantFrom(undefined, 0, 1, 3, 137),
      reports: fc.record({ status: log, count: log, revision: log }),
      step: fc.constantFrom('backup', 'status', 'verify'),
    })
    .map(jobEnd);
  /** It is what its document can hold; what it says of data is well formed, and no failed one says anything of data. */
  const holds = (outcome: VolumeOutcome | ControlPlaneOutcome) => {
    printable(outcome.message);
    for (const name of ['files', 'bytes', 'revision', 'keys', 'hash'] as const) {
      const value = name in outcome ? outcome[name as keyof typeof outcome] : undefined;
      expect(value === undefined || isCount(value)).toBe(true);
    }
    expect(outcome.snapshot === undefined || isResticId(outcome.snapshot)).toBe(true);
  };

  it('is one that the record can hold', () => {
    const restore: RestoreWork = {
      ...{ id: 'shop.data', namespace: 'shop', pvc: 'data', into: 'shop', result: 'protected' },
      ...{ repository: 'restic/paris/shop', snapshot: ID },
    };
    check(end, (ended) => {
      for (const outcome of [volumeOutcome(volume, ended), restoredOutcome(restore, ended)]) {
        holds(VolumeOutcome.parse(JSON.parse(JSON.stringify(outcome))));
      }
      const endpoints = ['https://a:2379'];
      const taken: ControlPlaneOutcome = { id: 'etcd', result: 'protected', snapshot: ID, revision: 1 };
      for (const outcome of [
        statusOutcome(endpoints, ended),
        etcdOutcome('https://a:2379', ended),
        scratchOutcome({ ...taken, counted: { revision: 1, keys: 1 } }, ended),
        filesOutcome('files.cp1', ended),
      ]) {
        const read = ControlPlaneOutcome.parse(JSON.parse(JSON.stringify(outcome)));
        holds(read);
        expect([undefined, ...endpoints]).toContain(read.endpoint);
      }
    });
  });

  it('of a check is one that the report can hold', () => {
    const work = { id: 'shop.primary', namespace: 'shop', copy: 'primary', repository: 'r' } as const;
    check(end, (ended) => {
      const outcome = CheckOutcome.parse(JSON.parse(JSON.stringify(checkOutcome(work, ended))));
      printable(outcome.message);
    });
  });
});

describe('hostile words of etcd', () => {
  const members = ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'];
  const status = fc
    .tuple(
      fc.oneof(hostileJson, fc.constantFrom(...members.map((m) => JSON.stringify(m)))),
      hostileJson,
      hostileJson,
    )
    .map(
      ([endpoint, member, leader]) =>
        `[{"Endpoint":${endpoint},"Status":{"header":{"member_id":${member}},"leader":${leader}}},` +
        `{"Endpoint":${endpoint},"Status":{"header":{"member_id":1},"leader":1}}]`,
    );

  it('name no leader but a member that was asked', () => {
    check(fc.oneof(status, log), (text) => {
      const leader = leaderIn(text, members);
      expect([undefined, ...members]).toContain(leader);
    });
  });

  it('start a Job for no other server', () => {
    check(hostileText, (leader) => {
      const items = itemsOf({ endpoints: members, nodes: [] }, keys, { leader });
      expect(items.map((i) => i.id)).toEqual(['etcd-status']);
    });
  });

  it('count what can be counted, or nothing', () => {
    const fields = fc
      .tuple(hostileText, hostileText)
      .map(([revision, count]) => `"Revision" : ${revision}\n"Count" : ${count}\n`);
    check(fc.oneof(fields, log), (text) => {
      const counted = countedIn(text);
      if (counted) expect([isCount(counted.revision), isCount(counted.keys)]).toEqual([true, true]);
    });
  });

  it('in an annotation give no address but https, a host and a port', () => {
    check(
      fc.oneof(
        hostileText,
        hostileText.map((t) => `https://${t}:2379`),
      ),
      (urls) => {
        const pod = {
          metadata: {
            name: 'etcd',
            labels: { component: 'etcd' },
            annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': urls },
          },
        };
        const { work, problems } = findControlPlane([], [pod], []);
        for (const endpoint of work.endpoints) {
          expect(isMemberUrl(endpoint)).toBe(true);
          const { protocol, username, password, pathname, search, hash } = new URL(endpoint);
          expect([protocol, username, password, pathname, search, hash]).toEqual([
            'https:',
            '',
            '',
            '/',
            '',
            '',
          ]);
          expect(endpoint).not.toMatch(/[\s,@]|^-/);
        }
        for (const problem of problems) printable(problem);
      },
    );
  });
});

describe('hostile annotations of pods', () => {
  const pod = fc
    .record({
      command: hostileText,
      container: fc.option(hostileText, { nil: undefined }),
      file: fc.option(hostileText, { nil: undefined }),
      owner: hostileText,
      hash: hostileText,
      timeout: fc.option(hostileText, { nil: undefined }),
    })
    .map(({ command, container, file, owner, hash, timeout }) => ({
      metadata: {
        name: 'web-0',
        namespace: 'shop',
        labels: { 'pod-template-hash': hash },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: 'u', controller: true },
        ],
        annotations: {
          'holdfast.io/backup-command': command,
          'pre.hook.backup.velero.io/command': command,
          ...(container !== undefined && {
            'holdfast.io/backup-command-container': container,
            'pre.hook.backup.velero.io/container': container,
          }),
          ...(file !== undefined && { 'holdfast.io/backup-command-file': file }),
          ...(timeout !== undefined && { 'pre.hook.backup.velero.io/timeout': timeout }),
        },
      },
      spec: { containers: [{ name: 'main' }] },
      status: { phase: 'Running' },
    }));

  it('give a dump a name that is a part of a key and of a path, and a container of the pod', () => {
    check(pod, (found) => {
      const { dumps, problems } = dumpsOf([found]);
      for (const { work, container } of dumps) {
        expect(WorkVolume.safeParse(work).success).toBe(true);
        expect(container).toBe('main');
        expect(work.dump?.workload).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
        expect(work.dump?.file).toMatch(/^\w[-.\w]*$/);
        expect(keys.records.volume('daily-1', work.id)).toBe(`records/paris/daily-1/volumes/${work.id}.json`);
        expect(keys.records.volume('daily-1', work.id).length).toBeLessThan(1024);
      }
      for (const problem of problems) printable(problem);
    });
  });

  it('give a hook that can be written and read again, and a time that ends', () => {
    check(pod, (found) => {
      const { hooks, problems } = hooksOf([found], [{ id: 'shop.data', namespace: 'shop', pod: 'web-0' }]);
      for (const hook of hooks) {
        const read = PodHooks.parse(JSON.parse(JSON.stringify(hook)));
        expect(read.pre?.timeoutSeconds).toBeLessThanOrEqual(300);
      }
      for (const problem of problems) printable(problem);
    });
  });
});

describe('a hostile snapshot', () => {
  const snapshot = hostileObject({
    time: '"2026-01-31T02:00:00Z"',
    tree: JSON.stringify(ID),
    hostname: '"paris"',
    paths: '["/data/shop/data"]',
    tags: '["backup=daily-1"]',
    summary: '{"total_files_processed":3,"total_bytes_processed":40}',
  });

  it('has facts of their types, or none', () => {
    check(snapshot, (text) => {
      const facts = parseSnapshotFile(ID, Buffer.from(text));
      if (!facts) return;
      expect(Number.isFinite(facts.time.getTime())).toBe(true);
      expect([...facts.paths, ...facts.tags, facts.hostname].every((t) => typeof t === 'string')).toBe(true);
      expect([facts.files, facts.bytes].every((n) => n === undefined || isCount(n))).toBe(true);
    });
  });
});
