import * as z from 'zod';
import { dnsName, region, wholeNumber } from './values.ts';

const ObjectLock = z.strictObject({
  mode: z
    .enum(['governance', 'compliance'], 'is not a mode; write governance or compliance')
    .describe(
      'governance: those with s3:BypassGovernanceRetention can lift a lock, if they change the bucket’s policy first; compliance: nobody can',
    ),
  days: wholeNumber(3, 36_500).describe(
    'For how long a new object is locked; locks of what is kept are extended every day',
  ),
});

const account = z.string().regex(/^\d{12}$/, 'is not an AWS account; write its 12 digits, in quotes');

const Replication = z
  .strictObject({
    mode: z
      .enum(['machine', 'continuous'], 'is not a mode; write machine or continuous')
      .default('machine')
      .describe('machine: copied after each backup; continuous: S3 replicates, the machine proves'),
    timeControl: z
      .boolean()
      .default(false)
      .describe('With continuous: S3 replicates within 15 minutes, for a price by the GB'),
  })
  .refine((replication) => replication.mode === 'continuous' || !replication.timeControl, {
    path: ['timeControl'],
    error:
      'is of S3’s replication, which the mode machine does not use; write mode: continuous, or take it out',
  });

const topic = z.string().regex(/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]+$/, 'is not the ARN of an SNS topic');

export const Alarms = z.strictObject({
  topicArn: topic.optional().describe('SNS topic in the primary region'),
  replicaTopicArn: topic.optional().describe('SNS topic in the second region, for alarms that are there'),
});

/** The two copies of the vault. */
export const Vault = z
  .strictObject({
    name: dnsName(30).default('holdfast-vault').describe('Prefix of the bucket names'),
    region: region.describe('Primary region'),
    replicaRegion: region.describe('Second region'),
    account: account.optional().describe('With replicaAccount: the account of everything else'),
    replicaAccount: account.optional().describe('Account of the second copy; absent: the same'),
    replication: Replication.prefault({}).describe('How the second copy comes to be'),
    objectLock: ObjectLock.optional().describe('S3 Object Lock of both buckets; absent: off'),
    noncurrentDays: wholeNumber(1, 36_500)
      .optional()
      .describe(
        'For how long what was deleted or overwritten can be brought back; absent: as long as a lock, or 30',
      ),
  })
  .refine((v) => !v.replicaAccount || v.account, {
    path: ['replicaAccount'],
    error: 'stands alone; write the account of the primary copy, in quotes, into vault.account',
  })
  .refine((v) => !v.replicaAccount || v.account !== v.replicaAccount, {
    path: ['replicaAccount'],
    error: 'is the account of the primary copy, too; write another one or take it out',
  })
  .refine((v) => v.region !== v.replicaRegion, {
    path: ['replicaRegion'],
    error: 'is the primary region too; choose another one',
    when: ({ value }) => typeof value === 'object' && value !== null && 'replicaRegion' in value,
  });
