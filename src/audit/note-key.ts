/** Keys of C2SP signed notes (https://c2sp.org/signed-note). The only algorithm is Ed25519, type 0x01. */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { isKeyName } from '../util/key-name.ts';

const ED25519 = 1;
const KEY_BYTES = 32;
const SIGNER_PREFIX = 'PRIVATE+KEY+';
/** DER prefixes of the 32 bytes of an Ed25519 key (RFC 8410, sections 4 and 7). */
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The text is not a key of a signed note. */
export class MalformedKey extends Error {
  override readonly name = 'MalformedKey';
}

/** Public key that verifies signatures of notes. */
export class NoteVerifier {
  readonly name: string;
  /** The first four bytes of SHA-256(name || 0x0A || 0x01 || public key), as a number. Distinguishes keys of the same name. */
  readonly keyId: number;
  readonly #publicKey: Uint8Array;
  readonly #key: KeyObject;

  /** @param publicKey 32 bytes (RFC 8032). @throws MalformedKey */
  constructor(name: string, publicKey: Uint8Array) {
    if (!isKeyName(name)) throw new MalformedKey(`${JSON.stringify(name)} is not a key name`);
    if (publicKey.length !== KEY_BYTES)
      throw new MalformedKey(`an Ed25519 key has ${KEY_BYTES} bytes; given ${publicKey.length}`);
    this.name = name;
    this.#publicKey = Uint8Array.from(publicKey);
    this.#key = createPublicKey({
      key: Buffer.concat([PUBLIC_DER, publicKey]),
      format: 'der',
      type: 'spki',
    });
    const named = Buffer.concat([Buffer.from(`${name}\n`), typed(publicKey)]);
    this.keyId = hash('sha256', named, 'buffer').readUInt32BE(0);
  }

  /** Parses the verifier form: `<name>+<key id in hex>+<base64 of 0x01 || public key>`. @throws MalformedKey */
  static parse(text: string): NoteVerifier {
    const { name, id, encoded } = splitKey(text);
    const verifier = new NoteVerifier(name, keyBytes(encoded));
    if (id !== hexOf(verifier.keyId)) throw new MalformedKey(`the key id in ${text} does not match its key`);
    return verifier;
  }

  /** Returns whether `signature` is a valid signature of `text` by this key. */
  verifies(text: string, signature: Uint8Array): boolean {
    return verify(null, Buffer.from(text), this.#key, signature);
  }

  /** Returns the verifier form, which can be published. */
  toString(): string {
    return `${this.name}+${hexOf(this.keyId)}+${typed(this.#publicKey).toString('base64')}`;
  }
}

/** Private key that signs notes. */
export class NoteSigner {
  readonly verifier: NoteVerifier;
  readonly #seed: Uint8Array;
  readonly #key: KeyObject;

  /** @param seed 32 bytes of the private key (RFC 8032). @throws MalformedKey */
  constructor(name: string, seed: Uint8Array) {
    if (seed.length !== KEY_BYTES)
      throw new MalformedKey(`an Ed25519 key has ${KEY_BYTES} bytes; given ${seed.length}`);
    this.#seed = Uint8Array.from(seed);
    this.#key = createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });
    const { x } = createPublicKey(this.#key).export({ format: 'jwk' });
    this.verifier = new NoteVerifier(name, Buffer.from(x as string, 'base64url'));
  }

  /** Generates a key. @throws MalformedKey if the name is not a key name. */
  static generate(name: string): NoteSigner {
    const { d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    return new NoteSigner(name, Buffer.from(d as string, 'base64url'));
  }

  /** Parses the form of `secret`. @throws MalformedKey; its message does not contain the key. */
  static parse(text: string): NoteSigner {
    if (!text.startsWith(SIGNER_PREFIX))
      throw new MalformedKey(`a private key must begin with ${SIGNER_PREFIX}`);
    const { name, id, encoded } = splitKey(text.slice(SIGNER_PREFIX.length));
    const signer = new NoteSigner(name, keyBytes(encoded));
    if (id !== hexOf(signer.verifier.keyId))
      throw new MalformedKey('the key id in the private key does not match its key');
    return signer;
  }

  /** Returns the signature of a text, 64 bytes (RFC 8032). */
  sign(text: string): Buffer {
    return sign(null, Buffer.from(text), this.#key);
  }

  /** The key in the form of golang.org/x/mod/sumdb/note: `PRIVATE+KEY+<name>+<key id in hex>+<base64 of 0x01 || seed>`. */
  get secret(): string {
    const { name, keyId } = this.verifier;
    return `${SIGNER_PREFIX}${name}+${hexOf(keyId)}+${typed(this.#seed).toString('base64')}`;
  }
}

/** Decodes canonical base64 (RFC 4648, section 4). @returns `undefined` for any other text. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Splits at the first two plus signs only, since base64 has plus signs too. */
function splitKey(text: string): { name: string; id: string | undefined; encoded: string } {
  const [name, id, ...rest] = text.split('+') as [string, ...string[]];
  return { name, id, encoded: rest.join('+') };
}

function keyBytes(encoded: string): Uint8Array {
  const bytes = strictBase64(encoded);
  if (bytes?.[0] !== ED25519) throw new MalformedKey('the key is not an Ed25519 key of a signed note');
  return bytes.subarray(1);
}

function typed(key: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(ED25519), key]);
}

/** Returns a key id in hexadecimal, as in the text of a key. */
export function hexOf(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}
