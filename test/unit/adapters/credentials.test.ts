import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { credentialMinter } from '../../../functions/adapters/sts/credentials.ts';

const ANSWER = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AK</AccessKeyId>
<SecretAccessKey>SK</SecretAccessKey><SessionToken>ST</SessionToken><Expiration>2026-01-31T03:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
const ROLE = 'arn:aws:iam::123456789012:role/holdfast-paris-backup-jobs';
const SCOPE = {
  session: 'x'.repeat(70),
  policy: { Statement: [] },
  tags: { 'holdfast-namespace': 'shop' },
};

/** What STS is asked when credentials are minted, if it answers this. */
async function askedOf(status: number, answer: string) {
  const asked: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    asked.push(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
    response.writeHead(status, { 'content-type': 'text/xml' }).end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
  const result = await credentialMinter('eu-west-1', ROLE)(SCOPE).catch((error: unknown) => error);
  server.closeAllConnections();
  server.close();
  return { asked, result };
}

afterEach(() => void vi.unstubAllEnvs());

describe('credentials of a Job', () => {
  it('are asked of the role for an hour, with the session policy and the tag of the namespace', async () => {
    const { asked, result } = await askedOf(200, ANSWER);
    expect(asked.map((form) => Object.fromEntries(form))).toEqual([
      {
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: ROLE,
        RoleSessionName: 'x'.repeat(64),
        Policy: '{"Statement":[]}',
        DurationSeconds: '3600',
        'Tags.member.1.Key': 'holdfast-namespace',
        'Tags.member.1.Value': 'shop',
      },
    ]);
    expect(result).toEqual({
      accessKeyId: 'AK',
      secretAccessKey: 'SK',
      sessionToken: 'ST',
      expiration: '2026-01-31T03:00:00.000Z',
    });
  });

  it('are refused with the words of STS', async () => {
    const { result } = await askedOf(
      403,
      '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not tagged</Message></Error></ErrorResponse>',
    );
    expect(result).toMatchObject({
      name: 'VaultUnavailable',
      message: expect.stringMatching(/cannot issue credentials for x+: .*not tagged/),
    });
  });
});
