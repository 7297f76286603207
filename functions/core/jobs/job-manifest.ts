import type { KubeObject } from '../kubernetes/resources.ts';
import { ATTEMPT_LABEL, ID_ANNOTATION, OWN_LABELS, runLabels } from '../kubernetes/run-labels.ts';
import { EXIT } from '../restic/restic.ts';
import { podSpec } from './job-pod.ts';
import { sessionSecretName } from './job-session.ts';
import { BACKUP_STEP, type ResticJob } from './job-spec.ts';

const INCOMPLETE_IS_FINAL = {
  rules: [
    {
      action: 'FailJob',
      onExitCodes: { containerName: BACKUP_STEP, operator: 'In', values: [EXIT.incomplete] },
    },
  ],
};

/**
 * The manifest of a Job. It is created suspended: its Secret needs the Job's uid as owner reference, and no pod may start
 * before the Secret exists.
 */
export function jobManifest(job: ResticJob, attempt: number, name: string): KubeObject {
  const labels = { ...runLabels(job.run), [ATTEMPT_LABEL]: String(attempt) };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: job.namespace, labels, annotations: { [ID_ANNOTATION]: job.id } },
    spec: {
      suspend: true,
      backoffLimit: 0,
      activeDeadlineSeconds: job.settings.deadlineSeconds,
      ttlSecondsAfterFinished: 24 * 3600,
      // The policy distinguishes an incomplete backup, which is a result, from a failure, which is retried.
      ...(job.steps.some((s) => s.name === BACKUP_STEP) && { podFailurePolicy: INCOMPLETE_IS_FINAL }),
      template: { metadata: { labels }, spec: podSpec(job, name, attempt) },
    },
  };
}

/** A Secret that is owned by the Job and deleted with it. `files`: its content, by file name. */
export function jobSecret(
  { namespace, name, uid }: { readonly namespace: string; readonly name: string; readonly uid: string },
  session: number,
  files: Record<string, string>,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: sessionSecretName(name, session),
      namespace,
      labels: OWN_LABELS,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }],
    },
    type: 'Opaque',
    stringData: files,
  };
}
