import { describe, expect, it } from 'vitest';
import { endedFromOutside, hasStarted, podBlocker } from '../../../../functions/core/jobs/job-health.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';

const pod = (status: Record<string, unknown>): KubeObject => ({ metadata: { name: 'p' }, status });
const waiting = (reason: string, message?: string) =>
  pod({ containerStatuses: [{ image: 'restic:9', state: { waiting: { reason, message } } }] });
const event = (reason: string, message: string) => ({ reason, message });

describe('what keeps a Job from starting', () => {
  it('is nothing known while its container is being made', () => {
    expect(podBlocker(waiting('ContainerCreating'), [])).toBeUndefined();
  });

  it.each(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName'])('is its image for %s', (reason) => {
    expect(podBlocker(waiting(reason, 'no such image'), [])).toBe(
      'the image restic:9 cannot be pulled: no such image',
    );
  });

  it('is its container for what the runtime refuses', () => {
    expect(podBlocker(waiting('CreateContainerConfigError', 'secret "x" not found'), [])).toBe(
      'its container cannot be created: secret "x" not found',
    );
  });

  it('is the scheduler when no node takes it', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
    ];
    expect(podBlocker(pod({ conditions }), [])).toBe('its pod cannot be scheduled: 0/3 nodes are available');
  });

  it.each([
    ['FailedAttachVolume', 'its volume cannot be attached to the node: Multi-Attach error'],
    ['FailedMount', 'its volume cannot be mounted: Multi-Attach error'],
  ])('is its volume for %s', (reason, words) => {
    const events = [event('Scheduled', 'x'), event(reason, 'Multi-Attach error')];
    expect(podBlocker(waiting('ContainerCreating'), events)).toBe(words);
  });

  it.each([
    [
      'pods "x" is forbidden: exceeded quota: q, requested: memory=128Mi',
      'a quota of the namespace rejects its pod',
    ],
    ['failed quota: q: must specify limits.cpu for: backup', 'a quota of the namespace rejects its pod'],
    [
      'pods "x" is forbidden: violates PodSecurity "restricted:latest"',
      "the namespace's Pod Security level rejects its pod",
    ],
    ['admission webhook "w" denied the request: no', 'admission control rejects its pod'],
    ['pods "x" is forbidden: error looking up service account', 'admission control rejects its pod'],
    ['Internal error occurred', 'its pod cannot be created'],
  ])('is told of "%s" when it has no pod', (message, words) => {
    expect(podBlocker(undefined, [event('FailedCreate', message)])).toBe(`${words}: ${message}`);
  });

  it('is unknown while it has no pod and nobody refused one', () => {
    expect(podBlocker(undefined, [event('SuccessfulCreate', 'x')])).toBeUndefined();
  });
});

describe('a pod', () => {
  it.each([
    [{ initContainerStatuses: [{ image: 'i', state: { terminated: {} } }] }, true],
    [{ containerStatuses: [{ image: 'i', state: { running: {} } }] }, true],
    [{ containerStatuses: [{ image: 'i', state: { waiting: {} } }] }, false],
    [{}, false],
  ])('with status %j has started: %s', (status, started) => {
    expect(hasStarted(pod(status))).toBe(started);
  });

  it('that a node evicted says so', () => {
    expect(endedFromOutside(pod({ reason: 'Evicted', message: 'low on memory' }))).toBe(
      'the node evicted its pod: low on memory',
    );
  });

  it('that was drained or preempted says so', () => {
    const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }];
    expect(endedFromOutside(pod({ conditions }))).toBe('its pod was terminated: PreemptionByScheduler');
  });

  it('that ended by itself says nothing', () => {
    expect(endedFromOutside(pod({ phase: 'Failed', reason: 'Error' }))).toBeUndefined();
  });
});
