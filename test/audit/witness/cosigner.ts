import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';

/** The key of a witness (C2SP tlog-cosignature, type 4), which cosigns any text. */
export class Cosigner {
  readonly name: string;
  readonly #privateKey: KeyObject;
  readonly #typed: Buffer;
  readonly #keyId: Buffer;

  constructor(name = 'witness.example/w1') {
    this.name = name;
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#privateKey = privateKey;
    const { x } = publicKey.export({ format: 'jwk' });
    this.#typed = Buffer.concat([Buffer.of(4), Buffer.from(x as string, 'base64url')]);
    const named = Buffer.concat([Buffer.from(`${name}\n`), this.#typed]);
    this.#keyId = hash('sha256', named, 'buffer').subarray(0, 4);
  }

  /** The verifier form of the public key. */
  get key(): string {
    return `${this.name}+${this.#keyId.toString('hex')}+${this.#typed.toString('base64')}`;
  }

  /** Returns the signature line for a text at a time in seconds since the epoch. */
  cosign(text: string, time: number): string {
    return `\u2014 ${this.name} ${this.signature(text, time).toString('base64')}`;
  }

  /** Returns the bytes of a signature line: the key id, the time, and the signature. */
  signature(text: string, time: number): Buffer {
    const signed = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), this.#privateKey);
    const at = Buffer.alloc(8);
    at.writeBigUInt64BE(BigInt(time));
    return Buffer.concat([this.#keyId, at, signed]);
  }
}
