import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectLockConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { account } from '../base/settings.ts';

// WORKAROUND: the emulator's CloudFormation ignores a bucket's ObjectLockConfiguration, while its S3 honours one. So after a
// deploy the world applies, by the S3 API, what the deployed templates say. Runs in the world: node object-lock.ts FOLDER.

const Manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      environment: z.string().optional(),
      properties: z.object({ templateFile: z.string().optional() }).optional(),
    }),
  ),
});
const Template = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.unknown().optional() })),
});
const LockedBucket = z.object({
  BucketName: z.union([z.string(), z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) })]),
  ObjectLockConfiguration: z.object({
    ObjectLockEnabled: z.literal('Enabled'),
    Rule: z.object({
      DefaultRetention: z.object({ Mode: z.enum(['GOVERNANCE', 'COMPLIANCE']), Days: z.number() }),
    }),
  }),
});

/** A bucket that a template locks, and how. */
export interface BucketLock {
  readonly region: string;
  readonly bucket: string;
  readonly configuration: z.infer<typeof LockedBucket>['ObjectLockConfiguration'];
}

/** The locks that the templates of a folder ask for. */
export function bucketLocks(folder: string): BucketLock[] {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const { artifacts } = Manifest.parse(read('manifest.json'));
  return Object.values(artifacts).flatMap(({ environment = '', properties }) => {
    if (!properties?.templateFile?.endsWith('.template.json')) return [];
    const region = environment.split('/').at(-1) ?? '';
    return Object.values(Template.parse(read(properties.templateFile)).Resources).flatMap((resource) => {
      const found = resource.Type === 'AWS::S3::Bucket' && LockedBucket.safeParse(resource.Properties);
      if (!found || found.error) return [];
      return [{ region, bucket: nameOf(found.data), configuration: found.data.ObjectLockConfiguration }];
    });
  });
}

/** A name of the vault holds nothing that the world does not know but the account. */
function nameOf({ BucketName }: z.infer<typeof LockedBucket>): string {
  if (typeof BucketName === 'string') return BucketName;
  const [separator, parts] = BucketName['Fn::Join'];
  return parts.map((part) => (typeof part === 'string' ? part : account.id)).join(separator);
}

if (import.meta.main) {
  for (const { region, bucket, configuration } of bucketLocks(process.argv[2] ?? '')) {
    const s3 = new S3Client({ region, forcePathStyle: true });
    await s3.send(
      new PutObjectLockConfigurationCommand({ Bucket: bucket, ObjectLockConfiguration: configuration }),
    );
    console.log(`${bucket} is locked: ${JSON.stringify(configuration.Rule.DefaultRetention)}`);
  }
}
