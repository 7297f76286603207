import * as z from 'zod/mini';
import { vaultBucketName } from './names.ts';
import { serviceHost } from './partition.ts';

/** The two copies of the vault, by the names that restores, states and reports give them. */
export const CopyName = z.enum(['primary', 'replica']);
export type CopyName = z.infer<typeof CopyName>;
export const COPIES = CopyName.options;

/** Whether a word names a copy of the vault. */
export const isCopyName = (word: string): word is CopyName => COPIES.some((name) => name === word);

/** Something of each copy. */
export type PerCopy<T> = Readonly<Record<CopyName, T>>;

/** One copy of the vault: where it is, and what it is called there. */
export interface VaultCopy {
  readonly name: CopyName;
  readonly bucket: string;
  readonly region: string;
  /** Twelve digits; in templates, where holdfast.yaml names none, CloudFormation's word for it. */
  readonly account: string;
  /** Of S3, as the Jobs see it: a URL without a path. */
  readonly endpoint: string;
  /** Of the names of the vault's bucket, keys and roles. */
  readonly prefix: string;
}

/** What holdfast.yaml, or the settings of a function, say of where the copies are. */
export interface VaultNames {
  /** Prefix of its names. */
  readonly name: string;
  readonly region: string;
  readonly replicaRegion: string;
  /** Of the pipeline and the primary copy; absent: that of whoever asks. */
  readonly account?: string | undefined;
  /** Absent: the same as of the primary copy. */
  readonly replicaAccount?: string | undefined;
}

/** S3 as the Jobs of a cluster see it; absent: the public endpoint of the copy's region. */
export interface VaultEndpoints {
  readonly s3Endpoint?: string | undefined;
  readonly replicaS3Endpoint?: string | undefined;
}

/**
 * Both copies of the vault. `account`: that of whoever asks, which counts where `vault` names none. `endpoints`: of a cluster's
 * Jobs, for those who hand them out.
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
