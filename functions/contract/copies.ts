import * as z from 'zod/mini';
import { vaultBucketName } from './names.ts';
import { serviceHost } from './partition.ts';

/** The names of the two copies of the vault in restores, states and reports. */
export const CopyName = z.enum(['primary', 'replica']);
export type CopyName = z.infer<typeof CopyName>;
export const COPIES = CopyName.options;

/** Whether a word names a copy of the vault. */
export const isCopyName = (word: string): word is CopyName => COPIES.some((name) => name === word);

/** One value per copy. */
export type PerCopy<T> = Readonly<Record<CopyName, T>>;

/** One copy of the vault: its location and names. */
export interface VaultCopy {
  readonly name: CopyName;
  readonly bucket: string;
  readonly region: string;
  /** Twelve digits. In templates, if holdfast.yaml names no account: the CloudFormation pseudo parameter. */
  readonly account: string;
  /** S3 endpoint for Jobs: a URL without a path. */
  readonly endpoint: string;
  /** Prefix of the names of the vault's bucket, keys and roles. */
  readonly prefix: string;
}

/** Locations of the copies, from holdfast.yaml or the settings of a function. */
export interface VaultNames {
  /** Prefix of its names. */
  readonly name: string;
  readonly region: string;
  readonly replicaRegion: string;
  /** Account of the pipeline and the primary copy. Default: the caller's account. */
  readonly account?: string | undefined;
  /** Default: the account of the primary copy. */
  readonly replicaAccount?: string | undefined;
}

/** S3 endpoints for the Jobs of a cluster. Default: the public endpoint of the copy's region. */
export interface VaultEndpoints {
  readonly s3Endpoint?: string | undefined;
  readonly replicaS3Endpoint?: string | undefined;
}

/**
 * Both copies of the vault. `account`: the caller's account, used if `vault` names none. The endpoints are needed only by
 * callers that create Jobs.
 */
export function vaultCopies(
  vault: VaultNames,
  account: string,
  { s3Endpoint, replicaS3Endpoint }: VaultEndpoints = {},
): PerCopy<VaultCopy> {
  const copy = (name: CopyName, region: string, owner: string, endpoint: string | undefined): VaultCopy => ({
    name,
    bucket: vaultBucketName(vault.name, owner, region),
    region,
    account: owner,
    endpoint: endpoint ?? `https://${serviceHost('s3', region)}`,
    prefix: vault.name,
  });
  const home = vault.account ?? account;
  return {
    primary: copy('primary', vault.region, home, s3Endpoint),
    replica: copy('replica', vault.replicaRegion, vault.replicaAccount ?? home, replicaS3Endpoint),
  };
}
