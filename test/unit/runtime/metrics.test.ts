import { expect, test } from 'vitest';
import { METRICS } from '../../../functions/contract/metrics.ts';
import { metricLine } from '../../../functions/runtime/metrics.ts';

test('a metric is one line of the embedded metric format', () => {
  const at = new Date('2026-01-31T02:00:00Z');
  const line = metricLine(METRICS.objectsLost, 2, 'Count', { Cluster: 'prod' }, at);
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({
    _aws: {
      Timestamp: at.getTime(),
      CloudWatchMetrics: [
        {
          Namespace: 'Holdfast',
          Dimensions: [['Cluster']],
          Metrics: [{ Name: 'ObjectsLost', Unit: 'Count' }],
        },
      ],
    },
    Cluster: 'prod',
    ObjectsLost: 2,
  });
});
