import { Sha256 } from '@aws-crypto/sha256-js';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { KubeConfig } from '@kubernetes/client-node';
import { SignatureV4 } from '@smithy/signature-v4';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { serviceHost } from '../../contract/partition.ts';
import type { AccessSettings } from '../../contract/settings.ts';
import type { ReadSecret } from '../secrets/secrets.ts';

/** Address and credentials of the API server. Certificates and key in PEM. */
export interface ClusterEndpoint {
  readonly server: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  readonly insecure: boolean;
}

const invalid = (message: string, hint: string): HoldfastError =>
  new HoldfastError('ClusterCredentialsInvalid', message, { hint });

/** Reads the current context of a kubeconfig. Credential plug-ins cannot run in a Lambda and are rejected. `what` names the kubeconfig in errors. */
export function endpointOfKubeconfig(text: string, what: string): ClusterEndpoint {
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (cause) {
    throw new HoldfastError('ClusterCredentialsInvalid', `${what} is not a kubeconfig`, {
      cause,
      hint: 'Store the whole file as the secret string',
    });
  }
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster || !user)
    throw invalid(
      `${what} has no current context`,
      'Set current-context to a context with a cluster and a user',
    );
  if (user.exec || user.authProvider) {
    throw invalid(
      `${what}: user "${user.name}" needs a credential plug-in`,
      'Use a client certificate or a token; for EKS, use access kind eks',
    );
  }
  const pem = (data: string | undefined) => (data ? Buffer.from(data, 'base64').toString('utf8') : undefined);
  const [ca, cert, key] = [pem(cluster.caData), pem(user.certData), pem(user.keyData)];
  if (!cert && !user.token)
    throw invalid(
      `${what}: user "${user.name}" has no embedded credentials`,
      'Embed them: kubectl config view --raw --flatten --minify',
    );
  return {
    server: cluster.server,
    insecure: cluster.skipTLSVerify ?? false,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(user.token && { token: user.token }),
  };
}

/**
 * A bearer token for EKS: a presigned STS GetCallerIdentity request, as aws-iam-authenticator defines it. EKS sends the
 * request to STS.
 */
export async function eksToken(
  cluster: string,
  region: string,
  credentials: ConstructorParameters<typeof SignatureV4>[0]['credentials'],
  now: Date,
): Promise<string> {
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 });
  const hostname = serviceHost('sts', region);
  const signed = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': cluster },
    },
    { expiresIn: 60, signingDate: now, unhoistableHeaders: new Set(['x-k8s-aws-id']) },
  );
  const query = Object.entries(signed.query ?? {}).map(
    ([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(String(v))}`,
  );
  return `k8s-aws-v1.${Buffer.from(`https://${hostname}/?${query.join('&')}`).toString('base64url')}`;
}

async function eksEndpoint(name: string, region: string, now: Date): Promise<ClusterEndpoint> {
  const client = new EKSClient({ region });
  const { cluster } = await client.send(new DescribeClusterCommand({ name }));
  const ca = cluster?.certificateAuthority?.data;
  if (!cluster?.endpoint || !ca)
    throw new HoldfastError(
      'ClusterUnreachable',
      `EKS cluster ${name} in ${region} has no endpoint (status ${cluster?.status})`,
    );
  const token = await eksToken(name, region, client.config.credentials, now);
  return { server: cluster.endpoint, ca: Buffer.from(ca, 'base64').toString('utf8'), token, insecure: false };
}

/** The endpoint for backups or for restores. They have separate identities, so that a backup does not have the rights of a restore. */
export async function clusterEndpoint(
  access: AccessSettings,
  use: 'backup' | 'restore',
  readSecret: ReadSecret,
  now: Date,
): Promise<ClusterEndpoint> {
  if (access.kind === 'eks') return eksEndpoint(access.name, access.region, now);
  const secret = use === 'backup' ? access.backupSecret : access.restoreSecret;
  return endpointOfKubeconfig(await readSecret(secret), `secret ${secret}`);
}
