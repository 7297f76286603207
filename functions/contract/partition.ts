/**
 * AWS's partitions: separate clouds, with ARNs and domains of their own (`aws`, `aws-cn`, `aws-us-gov`). Nobody else spells them
 * out: a partition is taken from an ARN that is at hand, a domain follows from its region.
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
