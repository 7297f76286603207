import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteBucketReplicationCommand, PutBucketReplicationCommand, S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { stackNames } from '../../functions/contract/names.ts';
import { account } from '../base/settings.ts';

/** A value of a template, with what CloudFormation would fill in here. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== 'object' || value === null) return value;
  const { Ref, 'Fn::Join': join, 'Fn::GetAtt': att } = value as Record<string, unknown>;
  if (Ref === 'AWS::AccountId') return account.id;
  if (Ref === 'AWS::Partition') return account.partition;
  if (Array.isArray(join)) return (filled(join[1]) as string[]).join(join[0] as string);
  if (Array.isArray(att)) return `arn:${account.partition}:iam::${account.id}:role/${att[0]}`; // the emulator looks no role up
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, filled(child)]));
}

const Switch = z.strictObject({ Status: z.enum(['Enabled', 'Disabled']) });
const Limit = z.strictObject({ Minutes: z.int() });
const Rule = z.strictObject({
  Id: z.string(),
  Priority: z.int(),
  Status: z.enum(['Enabled', 'Disabled']),
  Filter: z.strictObject({ Prefix: z.string() }),
  DeleteMarkerReplication: Switch,
  SourceSelectionCriteria: z.strictObject({ SseKmsEncryptedObjects: Switch }),
  Destination: z.strictObject({
    Bucket: z.string(),
    EncryptionConfiguration: z.strictObject({ ReplicaKmsKeyID: z.string() }),
    Metrics: Switch.extend({ EventThreshold: Limit.optional() }),
    ReplicationTime: Switch.extend({ Time: Limit }).optional(),
  }),
});
const Replicated = z.object({
  BucketName: z.string(),
  ReplicationConfiguration: z.strictObject({ Role: z.string(), Rules: z.array(Rule) }).optional(),
});
const Template = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});

/**
 * A workaround: the emulator's CloudFormation ignores the replication of buckets, its S3 does not. So what the synthesized
 * template of the vault says, also that there is none any more, is said once more through the S3 API.
 */
export async function applyBucketReplication(
  outDir: string,
  endpoint: string,
  region: string,
): Promise<void> {
  const file = join(outDir, `${stackNames.vault}.template.json`);
  if (!existsSync(file)) return;
  const { Resources } = Template.parse(JSON.parse(readFileSync(file, 'utf8')));
  const { accessKeyId, secretAccessKey } = account;
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  for (const { Type, Properties } of Object.values(Resources)) {
    if (Type !== 'AWS::S3::Bucket') continue;
    const { BucketName, ReplicationConfiguration } = Replicated.parse(filled(Properties));
    if (!ReplicationConfiguration) {
      await s3.send(new DeleteBucketReplicationCommand({ Bucket: BucketName }));
      continue;
    }
    const Rules = ReplicationConfiguration.Rules.map(({ Id, ...rule }) => ({ ID: Id, ...rule }));
    const put = {
      Bucket: BucketName,
      ReplicationConfiguration: { Role: ReplicationConfiguration.Role, Rules },
    };
    await s3.send(new PutBucketReplicationCommand(put));
  }
}
