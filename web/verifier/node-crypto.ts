/**
 * The part of `node:crypto` that the verifier uses, for browsers. The build puts it in place of `node:crypto`, so that the console
 * and the command line run the same verifier. It works without https too, where browsers have no `crypto.subtle`.
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** Length of an Ed25519 key in bytes. In DER it comes last. */
const KEY_BYTES = 32;

/** The key of a signature: 32 bytes (RFC 8032). */
interface PublicKey {
  readonly bytes: Uint8Array;
}

/** Returns the SHA-256 of bytes, or of a text in UTF-8. @throws Error if another algorithm or form is asked for */
export function hash(algorithm: string, data: Uint8Array | string, form: string): Buffer {
  if (algorithm !== 'sha256' || form !== 'buffer')
    throw new Error(`${algorithm} as ${form} is not available in browsers`);
  return Buffer.from(sha256(typeof data === 'string' ? Buffer.from(data) : data));
}

/** Reads an Ed25519 key from DER (RFC 8410). */
export function createPublicKey({ key }: { readonly key: Uint8Array }): PublicKey {
  return { bytes: key.subarray(-KEY_BYTES) };
}

/** Returns whether a signature by an Ed25519 key is valid, by the strict rules of RFC 8032. */
export function verify(_algorithm: null, data: Uint8Array, key: PublicKey, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, data, key.bytes, { zip215: false });
  } catch {
    // A signature of another length, or a key that is not a point of the curve.
    return false;
  }
}

function unavailable(): never {
  throw new Error('browsers only verify');
}

export { unavailable as createPrivateKey, unavailable as generateKeyPairSync, unavailable as sign };
