import type { webcrypto } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import './reflect.ts';
import * as x509 from '@peculiar/x509';
import { network } from '../base/settings.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const usage = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** Certificate and key, both PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is for. Organizations become groups, the common name becomes the user. */
export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  readonly uses: readonly (keyof typeof usage)[];
}

/** Issues certificates for one world; the keys live only in its run directory. */
export class Authority {
  readonly certificate: string;
  readonly key: string;
  readonly #issuer: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(issuer: x509.X509Certificate, keys: webcrypto.CryptoKeyPair, key: string) {
    this.#issuer = issuer;
    this.#keys = keys;
    this.certificate = issuer.toString('pem');
    this.key = key;
  }

  /** Makes a new authority. */
  static async create(commonName: string): Promise<Authority> {
    const keys = await newKeys();
    const issuer = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: [{ CN: [commonName] }],
      ...validity(),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new Authority(issuer, keys, await pem(keys.privateKey));
  }

  /** Signs a certificate for a new key. */
  async issue(subject: Subject): Promise<Identity> {
    const keys = await newKeys();
    const names: x509.JsonGeneralNames = [
      ...(subject.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
      ...(subject.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ];
    const organization = subject.organization ? [{ O: [subject.organization] }] : [];
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: [...organization, { CN: [subject.commonName] }],
      issuer: this.#issuer.subjectName,
      ...validity(),
      signingKey: this.#keys.privateKey,
      publicKey: keys.publicKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(subject.uses.map((use) => usage[use])),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    });
    return { certificate: certificate.toString('pem'), key: await pem(keys.privateKey) };
  }
}

/** Writes the certificates of a control plane under the file names that kubeadm uses. */
export async function writeControlPlaneCertificates(folder: string, ca: Authority): Promise<void> {
  const { node, nodeAddress, apiServiceAddress } = network;
  const etcd = await Authority.create('etcd-ca');
  const kubernetes = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const here = ['127.0.0.1', nodeAddress];
  const dnsNames = [...kubernetes, 'kubernetes.default.svc.cluster.local', 'localhost', node];
  const names = { dnsNames: [node, 'localhost'], addresses: here };
  const server = { commonName: 'kube-apiserver', dnsNames, addresses: [...here, apiServiceAddress] };
  write(folder, 'ca', ca);
  write(folder, 'etcd/ca', etcd);
  write(folder, 'apiserver', await ca.issue({ ...server, uses: ['server'] }));
  const kubeletClient = { commonName: 'kube-apiserver-kubelet-client', uses: ['client'] } as const;
  write(folder, 'apiserver-kubelet-client', await ca.issue(kubeletClient));
  write(folder, 'kubelet', await ca.issue({ commonName: node, ...names, uses: ['server'] }));
  write(folder, 'etcd/server', await etcd.issue({ commonName: node, ...names, uses: ['server', 'client'] }));
  const health = { commonName: 'kube-etcd-healthcheck-client', uses: ['client'] } as const;
  write(folder, 'etcd/healthcheck-client', await etcd.issue(health));
  const apiClient = { commonName: 'kube-apiserver-etcd-client', uses: ['client'] } as const;
  write(folder, 'apiserver-etcd-client', await etcd.issue(apiClient));
  const tokens = await newKeys();
  writeFileSync(join(folder, 'sa.key'), await pem(tokens.privateKey), { mode: 0o600 });
  const publicKey = await crypto.subtle.exportKey('spki', tokens.publicKey);
  writeFileSync(join(folder, 'sa.pub'), x509.PemConverter.encode(publicKey, 'PUBLIC KEY'));
}

function write(folder: string, name: string, identity: Identity): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, `${name}.crt`), `${identity.certificate}\n`);
  writeFileSync(join(folder, `${name}.key`), identity.key, { mode: 0o600 });
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

/** Starts an hour ago, so that a clock that is a little behind does no harm. */
function validity(): { notBefore: Date; notAfter: Date } {
  const hour = 3_600_000;
  return { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + 365 * 24 * hour) };
}

/** 63 random bits: a serial number must be positive. */
function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  bytes[0] = (bytes[0] ?? 0) & 0x7f || 1;
  return Buffer.from(bytes).toString('hex');
}
