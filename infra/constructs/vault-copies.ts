import { Aws, type Environment } from 'aws-cdk-lib';
import { vaultBucketName } from '../../functions/contract/names.ts';
import type { Config } from '../config/schema.ts';
import type { VaultCopy } from './grants.ts';

/** Both copies of the vault by name: a stack of one region cannot refer to what another region's has made. */
export function vaultCopies({ vault }: Config): { primary: VaultCopy; replica: VaultCopy } {
  const copy = (region: string, account: string): VaultCopy => ({
    region,
    account,
    prefix: vault.name,
    bucket: vaultBucketName(vault.name, account, region),
  });
  const account = vault.account ?? Aws.ACCOUNT_ID;
  return {
    primary: copy(vault.region, account),
    replica: copy(vault.replicaRegion, vault.replicaAccount ?? account),
  };
}

/** Where the primary account's stacks are: in the primary region, or in another one. */
export const environmentOf = ({ vault }: Config, region = vault.region): Environment => ({
  region,
  ...(vault.account && { account: vault.account }),
});
