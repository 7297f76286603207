import { describe, expect, it } from 'vitest';
import { COPIES, isCopyName, vaultCopies } from '../../../functions/contract/copies.ts';

const vault = { name: 'vault', region: 'eu-west-1', replicaRegion: 'eu-central-1' };

describe('the copies of a vault', () => {
  it('are in the account of whoever asks, where holdfast.yaml names none', () => {
    expect(vaultCopies(vault, '111')).toEqual({
      primary: {
        name: 'primary',
        bucket: 'vault-111-eu-west-1',
        region: 'eu-west-1',
        account: '111',
        endpoint: 'https://s3.eu-west-1.amazonaws.com',
        prefix: 'vault',
      },
      replica: {
        name: 'replica',
        bucket: 'vault-111-eu-central-1',
        region: 'eu-central-1',
        account: '111',
        endpoint: 'https://s3.eu-central-1.amazonaws.com',
        prefix: 'vault',
      },
    });
  });

  it('are in the accounts that holdfast.yaml names, whoever asks', () => {
    const { primary, replica } = vaultCopies({ ...vault, account: '222', replicaAccount: '333' }, '111');
    expect([primary, replica].map((copy) => [copy.account, copy.bucket])).toEqual([
      ['222', 'vault-222-eu-west-1'],
      ['333', 'vault-333-eu-central-1'],
    ]);
  });

  it('are in one account when only that of the primary is named', () => {
    expect(vaultCopies({ ...vault, account: '222' }, '111').replica.bucket).toBe('vault-222-eu-central-1');
  });

  it('are reached by the endpoints that a cluster has for them', () => {
    const { primary, replica } = vaultCopies(vault, '111', { replicaS3Endpoint: 'https://s3.internal' });
    expect([primary, replica].map((copy) => copy.endpoint)).toEqual([
      'https://s3.eu-west-1.amazonaws.com',
      'https://s3.internal',
    ]);
  });

  it('have another domain in China', () => {
    const china = { ...vault, region: 'cn-north-1' };
    expect(vaultCopies(china, '111').primary.endpoint).toBe('https://s3.cn-north-1.amazonaws.com.cn');
  });
});

it('no word but their names is the name of a copy', () => {
  expect([...COPIES, 'Primary', 'primry', '', 'toString'].filter(isCopyName)).toEqual(COPIES);
});
