/*
 * A key that signs with ECDSA over SHA-256, in two halves, each had only by those who need it. What fails on the way is
 * `VaultUnavailable`: worth another try.
 */

export interface Signer {
  /** The signature of these bytes: base64 of DER. Twice the same bytes have two signatures. */
  sign(document: Buffer): Promise<string>;
}

export interface Verifier {
  /** DER, SubjectPublicKeyInfo. */
  publicKey(): Promise<Buffer>;
}

export interface SigningKey extends Signer, Verifier {}
