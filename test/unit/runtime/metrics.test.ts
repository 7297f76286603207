import { afterEach, describe, expect, test, vi } from 'vitest';
import { METRICS } from '../../../functions/contract/metrics.ts';
import { emitMetric } from '../../../functions/runtime/metrics.ts';

/** Of late, as CloudWatch wants it: a line of another month would be refused. */
const at = new Date(Date.now() - 60_000);

/** What a function writes to its log, in lines. */
function printed(work: () => void): string[] {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  work();
  return write.mock.calls
    .map(([text]) => String(text))
    .join('')
    .split('\n')
    .slice(0, -1);
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('a metric', () => {
  test('is one line of the embedded metric format, with these dimensions and no other', () => {
    const lines = printed(() =>
      emitMetric(METRICS.replicaAge, { value: 2, unit: 'Seconds' }, { Cluster: 'prod', Plan: 'nightly' }, at),
    );
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toEqual({
      _aws: {
        Timestamp: at.getTime(),
        CloudWatchMetrics: [
          {
            Namespace: 'Holdfast',
            Dimensions: [['Cluster', 'Plan']],
            Metrics: [{ Name: 'ReplicaAgeSeconds', Unit: 'Seconds' }],
          },
        ],
      },
      Cluster: 'prod',
      Plan: 'nightly',
      ReplicaAgeSeconds: 2,
    });
  });

  test('has the same identity whatever the service of the environment is called', () => {
    vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'another');
    const [line] = printed(() =>
      emitMetric(METRICS.objectsLost, { value: 0, unit: 'Count' }, { Cluster: 'prod' }, at),
    );
    expect(Object.keys(JSON.parse(line as string))).toEqual(['_aws', 'Cluster', 'ObjectsLost']);
  });

  test('takes nothing over from the one before it', () => {
    const lines = printed(() => {
      emitMetric(
        METRICS.bytesVerified,
        { value: 7, unit: 'Bytes' },
        { Cluster: 'prod', Plan: 'nightly' },
        at,
      );
      emitMetric(METRICS.objectsHealed, { value: 1, unit: 'Count' }, { Cluster: 'prod' }, at);
    });
    expect(lines.map((line) => Object.keys(JSON.parse(line)))).toEqual([
      ['_aws', 'Cluster', 'Plan', 'BytesVerified'],
      ['_aws', 'Cluster', 'ObjectsHealed'],
    ]);
  });
});
