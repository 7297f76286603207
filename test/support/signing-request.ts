import '../../world/sandbox/reflect.ts';
import * as x509 from '@peculiar/x509';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';

/** A signing request, as every kubelet makes one. */
export async function signingRequest(somebody: string): Promise<KubeObject> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const name = [{ CN: [somebody] }];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: algorithm,
  });
  const spec = {
    request: btoa(request.toString('pem')),
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
  };
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: somebody },
    spec,
  };
}
