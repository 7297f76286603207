import { FUNCTION_NAMES, FUNCTIONS, lambdaName } from '../../functions/contract/functions.ts';
import { REPLICATED_ROOTS } from '../../infra/constructs/bucket-replication.ts';
import type { Ask, Who } from './ask.ts';
import { SERVICE_CALLS } from './service-asks.ts';
import { type ByHand, replicationRole } from './templates-of.ts';

const REPLICATION: readonly ByHand[] = [
  {
    name: 'S3 replicates objects that are encrypted and may be locked',
    asks: (variant) => {
      const role = replicationRole(variant);
      if (!role) return [];
      const { primary, replica } = variant.copies;
      const who: Who = { kind: 'role', name: role.name };
      const on = (bucket: string, actions: string[]) =>
        REPLICATED_ROOTS.flatMap((root) =>
          actions.map((name) => ({
            who,
            action: `s3:${name}`,
            resource: `arn:aws:s3:::${bucket}/${root}/c/x`,
          })),
        );
      const other = primary.account === replica.account ? [] : ['ObjectOwnerOverrideToBucketOwner'];
      return [
        ...['GetReplicationConfiguration', 'ListBucket'].map((name) => ({
          who,
          action: `s3:${name}`,
          resource: `arn:aws:s3:::${primary.bucket}`,
        })),
        ...on(primary.bucket, SOURCE),
        ...on(replica.bucket, ['ReplicateObject', 'ReplicateTags', ...other]),
        { who, action: 'kms:Decrypt', resource: `key-of:${primary.bucket}` },
        { who, action: 'kms:Encrypt', resource: `key-of:${replica.bucket}` },
        { who, action: 'kms:GenerateDataKey', resource: `key-of:${replica.bucket}` },
      ];
    },
  },
];

const ACCESS: readonly ByHand[] = [
  {
    // Its second call, the presigned GetCallerIdentity, needs no permission: nothing can allow or forbid it but a denial.
    name: 'functions with access to an EKS cluster ask where it is',
    asks: ({ config, copies }) =>
      config.clusters.flatMap(({ name: cluster, access }) => {
        if (access.kind !== 'eks') return [];
        const resource = `arn:aws:eks:${access.region}:${copies.primary.account}:cluster/${access.name}`;
        return FUNCTION_NAMES.filter((name) => FUNCTIONS[name].access !== 'none').map((name) => ({
          who: { kind: 'function', name: lambdaName(cluster, name) } as const,
          action: 'eks:DescribeCluster',
          resource,
        }));
      }),
  },
  {
    name: 'extend-locks reads and extends the locks of a recovery point, in both copies',
    asks: ({ config, copies }) => {
      const { objectLock } = config.vault;
      if (!objectLock) return [];
      return config.clusters.flatMap(({ name: cluster }) =>
        [copies.primary, copies.replica].flatMap(({ bucket }) =>
          ['velero', 'restic', 'records'].flatMap((root) =>
            lockAsks(cluster, bucket, `${root}/${cluster}/x/y`, objectLock),
          ),
        ),
      );
    },
  },
];

function lockAsks(
  cluster: string,
  bucket: string,
  key: string,
  { mode, days }: { readonly mode: string; readonly days: number },
): Omit<Ask, 'source'>[] {
  const who: Who = { kind: 'function', name: lambdaName(cluster, 'extend-locks') };
  const object = `arn:aws:s3:::${bucket}/${key}`;
  const set = {
    's3:object-lock-mode': mode.toUpperCase(),
    's3:object-lock-remaining-retention-days': String(days),
  };
  return [
    {
      who,
      action: 's3:ListBucketVersions',
      resource: `arn:aws:s3:::${bucket}`,
      context: { 's3:prefix': key },
    },
    { who, action: 's3:GetObjectRetention', resource: object },
    { who, action: 's3:PutObjectRetention', resource: object, context: set },
  ];
}

const SOURCE = [
  ...['GetObjectVersionForReplication', 'GetObjectVersionAcl', 'GetObjectVersionTagging'],
  ...['GetObjectRetention', 'GetObjectLegalHold'],
];

/**
 * Calls that the emulator cannot record: AWS's services make them, or only a variant does that the emulator cannot run.
 * Written by hand from AWS's documentation, each with its name.
 */
export const BY_HAND: readonly ByHand[] = [...SERVICE_CALLS, ...ACCESS, ...REPLICATION];
