import { Aws, type Environment } from 'aws-cdk-lib';
import { type PerCopy, type VaultCopy, vaultCopies } from '../../functions/contract/copies.ts';
import type { Config } from '../config/schema.ts';

/** Both copies of the vault by name: a stack of one region cannot refer to what another region's has made. */
export const copiesOf = ({ vault }: Config): PerCopy<VaultCopy> => vaultCopies(vault, Aws.ACCOUNT_ID);

/** Where the primary account's stacks are: in the primary region, or in another one. */
export const environmentOf = ({ vault }: Config, region = vault.region): Environment => ({
  region,
  ...(vault.account && { account: vault.account }),
});
