import { afterEach, describe, expect, test, vi } from 'vitest';
import { HoldfastError } from '../../../functions/contract/holdfast-error.ts';
import { METRICS } from '../../../functions/contract/metrics.ts';
import { countErrors, emitMetric } from '../../../functions/runtime/metrics.ts';

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

describe('an error that is counted', () => {
  /** The metrics that were written while some work failed, and the error that came out. */
  async function counted(error: Error): Promise<[Record<string, unknown>[], unknown]> {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const work = () => Promise.reject(error);
    const thrown: unknown = await countErrors(
      'PruneRefused',
      METRICS.prunesRefused,
      { Cluster: 'prod' },
      work,
    ).catch((caught: unknown) => caught);
    const lines = write.mock.calls.flatMap(([text]) => String(text).split('\n').filter(Boolean));
    return [lines.map((line) => JSON.parse(line) as Record<string, unknown>), thrown];
  }

  test('is one in its metric, and is thrown on', async () => {
    const refused = new HoldfastError('PruneRefused', 'too much');
    const [metrics, thrown] = await counted(refused);
    expect(metrics).toMatchObject([{ Cluster: 'prod', PrunesRefused: 1 }]);
    expect(thrown).toBe(refused);
  });

  test('is not counted if it has another name', async () => {
    const other = new HoldfastError('VaultUnavailable', 'no answer');
    expect(await counted(other)).toEqual([[], other]);
  });

  test('does not touch work that succeeds', async () => {
    expect(await countErrors('PruneRefused', METRICS.prunesRefused, {}, async () => 7)).toBe(7);
  });
});
