import { createPublicKey, verify } from 'node:crypto';

/**
 * A signed JSON document has an additional last field `"signature"`: the ECDSA signature (SHA-256, DER, base64) of the
 * document's bytes without this field. So document and signature are one object, which is copied atomically.
 */
const SIGNATURE = /,\n {2}"signature": "([A-Za-z0-9+/=]+)"\n}\n$/;

/** Adds a signature to a document that ends as `JSON.stringify(value, null, 2)` and a new line do. */
export function withSignature(document: Buffer, signature: string): Buffer {
  const text = document.toString('utf8');
  if (!text.endsWith('\n}\n'))
    throw new RangeError('a document to be signed must end with a brace on its own line');
  return Buffer.from(`${text.slice(0, -'\n}\n'.length)},\n  "signature": "${signature}"\n}\n`);
}

/** The signed bytes and the signature; undefined if there is no signature. */
export function signedPart(
  document: Buffer,
): { readonly signed: Buffer; readonly signature: string } | undefined {
  const text = document.toString('utf8');
  const found = SIGNATURE.exec(text);
  if (!found) return undefined;
  return { signed: Buffer.from(`${text.slice(0, found.index)}\n}\n`), signature: found[1] as string };
}

/** Whether a signature of these bytes is valid for the public key (DER, SubjectPublicKeyInfo). */
export function isSignedBy(publicKey: Buffer, signed: Buffer, signature: string): boolean {
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
  const bytes = Buffer.from(signature, 'base64');
  // A value has several base64 encodings; only the canonical one is valid.
  return bytes.toString('base64') === signature && verify('sha256', signed, key, bytes);
}
