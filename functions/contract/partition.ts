/**
 * AWS partitions: separate clouds with their own ARNs and domains (`aws`, `aws-cn`, `aws-us-gov`). Only this file knows
 * them: the partition comes from an ARN, the domain from the region.
 */

/** The partition of an ARN. Throws where the text is not an ARN. */
export function partitionOf(arn: string): string {
  const partition = /^arn:([^:]+):/.exec(arn)?.[1];
  if (partition) return partition;
  throw new Error(`"${arn}" is not an ARN`);
}

/** Public host name of a service in a region, like `s3.eu-west-1.amazonaws.com`. */
export const serviceHost = (service: string, region: string): string =>
  `${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

const CONSOLES: readonly (readonly [prefix: string, host: string])[] = [
  ['cn-', 'console.amazonaws.cn'],
  ['us-gov-', 'console.amazonaws-us-gov.com'],
];

/** Host name of the AWS console for a region. */
export const consoleHost = (region: string): string =>
  CONSOLES.find(([prefix]) => region.startsWith(prefix))?.[1] ?? `${region}.console.aws.amazon.com`;
