import { describe, expect, it } from 'vitest';
import { eksToken } from '../../../functions/adapters/kubernetes/access.ts';

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' };
const urlOf = async (region: string) => {
  const token = await eksToken('prod', region, CREDENTIALS, new Date('2026-01-31T02:00:00Z'));
  expect(token.startsWith('k8s-aws-v1.')).toBe(true);
  return new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString('utf8'));
};

describe('a token for EKS', () => {
  it('is a presigned question who the caller is, for one minute, of one cluster', async () => {
    const { host, searchParams } = await urlOf('eu-west-1');
    expect(host).toBe('sts.eu-west-1.amazonaws.com');
    expect(Object.fromEntries(searchParams)).toMatchObject({
      Action: 'GetCallerIdentity',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      'X-Amz-Date': '20260131T020000Z',
      'X-Amz-Security-Token': 'session',
    });
  });

  it('asks the region’s own STS, in China too', async () => {
    expect((await urlOf('cn-north-1')).host).toBe('sts.cn-north-1.amazonaws.com.cn');
  });
});
