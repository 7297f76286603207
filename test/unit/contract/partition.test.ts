import { expect, it } from 'vitest';
import { machineArn } from '../../../functions/contract/names.ts';
import { consoleHost, partitionOf } from '../../../functions/contract/partition.ts';

it.each([
  ['aws', 'arn:aws:iam::111111111111:user/me'],
  ['aws-cn', 'arn:aws-cn:sts::111111111111:assumed-role/admin/me'],
  ['aws-us-gov', 'arn:aws-us-gov:iam::111111111111:role/holdfast-prod-jobs'],
])('the partition %s is that of its ARNs', (partition, arn) => {
  expect(partitionOf(arn)).toBe(partition);
});

it.each(['', 'arn', 'holdfast-prod-jobs', 'arn::iam'])(
  '"%s" is not an ARN, and the error says so',
  (text) => {
    expect(() => partitionOf(text)).toThrow(`"${text}" is not an ARN`);
  },
);

it('a machine has the ARN of its partition', () => {
  const home = { partition: 'aws-cn', region: 'cn-north-1', account: '111111111111' };
  expect(machineArn(home, 'prod', 'backup')).toBe(
    'arn:aws-cn:states:cn-north-1:111111111111:stateMachine:holdfast-prod-backup',
  );
});

it.each([
  ['eu-west-1', 'eu-west-1.console.aws.amazon.com'],
  ['cn-north-1', 'console.amazonaws.cn'],
  ['us-gov-west-1', 'console.amazonaws-us-gov.com'],
])('the console of %s is at %s', (region, host) => {
  expect(consoleHost(region)).toBe(host);
});
