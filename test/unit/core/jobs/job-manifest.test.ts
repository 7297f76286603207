import { describe, expect, it } from 'vitest';
import type { JobSettings } from '../../../../functions/contract/settings.ts';
import { jobManifest, jobSecret } from '../../../../functions/core/jobs/job-manifest.ts';
import { sessionDue, sessionSecretName } from '../../../../functions/core/jobs/job-session.ts';
import type { ResticJob } from '../../../../functions/core/jobs/job-spec.ts';
import { JOBS } from '../../../support/selection.ts';

const job = (over: Partial<ResticJob> = {}, settings: Partial<JobSettings> = {}): ResticJob => ({
  run: 'daily-1',
  id: 'shop.data',
  namespace: 'shop',
  settings: { ...JOBS, ...settings },
  steps: [{ name: 'backup', args: ['backup'], repository: 's3:x', region: 'eu-west-1' }],
  capabilities: [],
  ...over,
});
interface Spec {
  podFailurePolicy?: unknown;
  activeDeadlineSeconds: number;
  template: {
    spec: { volumes: Record<string, unknown>[]; containers: Record<string, unknown>[] } & Record<
      string,
      unknown
    >;
  };
}
const NAME = 'holdfast-0123456789abcdef';
const specOf = (made: ResticJob, attempt = 1) => jobManifest(made, attempt, NAME).spec as unknown as Spec;
const podOf = (made: ResticJob, attempt = 1) => specOf(made, attempt).template.spec;

describe('a Job', () => {
  it('has the place that its settings give it', () => {
    const tolerations = [{ key: 'dedicated', operator: 'Exists' }];
    const settings = {
      tolerations,
      priorityClassName: 'backup',
      imagePullSecrets: ['pull'],
      deadlineSeconds: 60,
    };
    expect(podOf(job({ node: 'n1' }, settings))).toMatchObject({
      tolerations,
      priorityClassName: 'backup',
      imagePullSecrets: [{ name: 'pull' }],
      nodeSelector: { 'kubernetes.io/hostname': 'n1' },
    });
    expect(specOf(job({}, settings)).activeDeadlineSeconds).toBe(60);
  });

  it('may take twice the memory in its second attempt', () => {
    const limit = (memory: string) => [{ resources: { limits: { memory } } }];
    expect(podOf(job(), 1).containers).toMatchObject(limit('1Gi'));
    expect(podOf(job(), 2).containers).toMatchObject(limit(String(2 * 2 ** 30)));
  });

  it('ends for good when its backup is incomplete, which another attempt would not mend', () => {
    const onExitCodes = { containerName: 'backup', operator: 'In', values: [3] };
    expect(specOf(job()).podFailurePolicy).toEqual({ rules: [{ action: 'FailJob', onExitCodes }] });
    const restore = job({ steps: [{ name: 'restore', args: [], repository: 'r', region: 'x' }] });
    expect(specOf(restore).podFailurePolicy).toBeUndefined();
  });

  it('mounts a folder of the node where that is what it reads', () => {
    const mount = { folder: '/var/x', path: '/data/shop/data', readOnly: true } as const;
    expect(podOf(job({ mount })).volumes.at(-1)).toEqual({
      name: 'volume',
      hostPath: { path: '/var/x', type: 'Directory' },
    });
  });

  it('waits for as many sets of credentials as it may live to need, the newest last', () => {
    const [secret] = podOf(job({}, { deadlineSeconds: 5400 })).volumes;
    const { name } = jobManifest(job(), 1, NAME).metadata;
    expect(secret).toMatchObject({
      projected: {
        sources: [
          { secret: { name } },
          { secret: { name: `${name}-2`, optional: true } },
          { secret: { name: `${name}-3`, optional: true } },
        ],
      },
    });
  });
});

describe('a Job with an identity of its own in AWS', () => {
  const pod = podOf(job({ identity: 'holdfast-backup' }, { deadlineSeconds: 5400 }));
  const environment = JSON.stringify(pod.containers);

  it('is told of no credentials file, so that restic asks for the identity', () => {
    expect(JSON.stringify(podOf(job()).containers)).toContain('AWS_SHARED_CREDENTIALS_FILE');
    expect(environment).not.toContain('AWS_SHARED_CREDENTIALS_FILE');
    expect(environment).toContain('RESTIC_PASSWORD_FILE');
  });

  it('has its account, but not the account’s rights in the cluster', () => {
    expect(pod).toMatchObject({ serviceAccountName: 'holdfast-backup', automountServiceAccountToken: false });
  });

  it('waits for no second set of credentials', () => {
    expect(pod.volumes[0]).toMatchObject({ projected: { sources: [{ secret: {} }] } });
  });
});

describe('the credentials of a Job', () => {
  const started = new Date('2026-01-01T00:00:00Z');
  const after = (seconds: number) => new Date(started.getTime() + seconds * 1000);

  it.each([
    [0, 1],
    [1799, 1],
    [1800, 2],
    [5400, 4],
  ])('are, %d seconds after its start, set %d', (seconds, session) => {
    expect(sessionDue(started, after(seconds))).toBe(session);
  });

  it('are the first ones while it has not started', () => {
    expect(sessionDue(undefined, started)).toBe(1);
  });

  it('die with the Job', () => {
    const owner = { name: 'holdfast-x-1', namespace: 'shop', uid: 'u' };
    expect(jobSecret(owner, 2, { a: 'b' })).toMatchObject({
      metadata: {
        name: sessionSecretName('holdfast-x-1', 2),
        ownerReferences: [{ kind: 'Job', name: 'holdfast-x-1', uid: 'u', controller: true }],
      },
      stringData: { a: 'b' },
    });
  });
});
