import * as z from 'zod';
import { dnsName, region, wholeNumber } from './values.ts';

const ObjectLock = z.strictObject({
  mode: z
    .enum(['governance', 'compliance'], 'is not a mode; write governance or compliance')
    .describe(
      'governance: principals with s3:BypassGovernanceRetention can remove a lock after changing the bucket policy; compliance: nobody can',
    ),
  days: wholeNumber(3, 36_500).describe(
    'Object retention of new objects in days; extended daily for objects that are kept',
  ),
});

const account = z.string().regex(/^\d{12}$/, 'is not an AWS account ID; write its 12 digits in quotes');

const Replication = z
  .strictObject({
    mode: z
      .enum(['machine', 'continuous'], 'is not a mode; write machine or continuous')
      .default('machine')
      .describe(
        'machine: the state machine copies after each backup; continuous: S3 replicates and the state machine verifies',
      ),
    timeControl: z
      .boolean()
      .default(false)
      .describe('With continuous: S3 Replication Time Control, 15 minutes, priced per GB'),
  })
  .refine((replication) => replication.mode === 'continuous' || !replication.timeControl, {
    path: ['timeControl'],
    error: 'requires mode: continuous; change the mode, or remove this',
  });

const AccessLog = z
  .strictObject({
    mode: z
      .enum(['cloudtrail', 's3', 'off'], 'is not a mode; write cloudtrail, s3 or off')
      .default('cloudtrail')
      .describe(
        'cloudtrail: data events, priced per event; s3: server access logs, delivered on a best-effort basis; off: neither',
      ),
    reads: z
      .boolean()
      .default(false)
      .describe('With cloudtrail: log reads in addition to writes and deletions; s3 logs all requests'),
    days: wholeNumber(1, 36_500).default(400).describe('Days after which log files are removed'),
  })
  .refine((log) => log.mode === 'cloudtrail' || !log.reads, {
    path: ['reads'],
    error: 'requires mode: cloudtrail; change the mode, or remove this',
  });

const topic = z.string().regex(/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]+$/, 'is not the ARN of an SNS topic');

export const Alarms = z.strictObject({
  topicArn: topic.optional().describe('SNS topic in the primary region'),
  warningTopicArn: topic
    .optional()
    .describe('SNS topic in the primary region for alarms that are not critical; absent: topicArn'),
  replicaTopicArn: topic.optional().describe('SNS topic in the DR region, for alarms in that region'),
});

/** The two copies of the vault. */
export const Vault = z
  .strictObject({
    name: dnsName(30).default('holdfast-vault').describe('Prefix of the bucket names'),
    region: region.describe('Primary region'),
    replicaRegion: region.describe('DR region'),
    account: account
      .optional()
      .describe('AWS account of everything except the replica; required with replicaAccount'),
    replicaAccount: account
      .optional()
      .describe('AWS account of the replica; absent: the account of the primary'),
    replication: Replication.prefault({}).describe('Replication from the primary to the replica'),
    objectLock: ObjectLock.optional().describe('S3 Object Lock of both buckets; absent: off'),
    accessLog: AccessLog.prefault({}).describe('Log of the requests to both buckets'),
    noncurrentDays: wholeNumber(1, 36_500)
      .optional()
      .describe(
        'Days for which deleted or overwritten objects can be restored; absent: objectLock.days, at least 60',
      ),
  })
  .refine((v) => !v.replicaAccount || v.account, {
    path: ['replicaAccount'],
    error: 'requires vault.account; set it to the account of the primary, in quotes',
  })
  .refine((v) => !v.replicaAccount || v.account !== v.replicaAccount, {
    path: ['replicaAccount'],
    error: 'is also vault.account; write another account, or remove it',
  })
  .refine((v) => v.region !== v.replicaRegion, {
    path: ['replicaRegion'],
    error: 'is also vault.region; choose another region',
    when: ({ value }) => typeof value === 'object' && value !== null && 'replicaRegion' in value,
  });
