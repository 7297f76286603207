/*
 * An ECDSA (SHA-256) key in two halves, so that a caller gets only the half it needs. Failures are `VaultUnavailable`,
 * which is retryable.
 */

export interface Signer {
  /** The signature of the bytes: DER in base64. Signatures are not deterministic. */
  sign(document: Buffer): Promise<string>;
}

export interface Verifier {
  /** DER, SubjectPublicKeyInfo. */
  publicKey(): Promise<Buffer>;
}

export interface SigningKey extends Signer, Verifier {}
