/** Cosignatures of witnesses (https://c2sp.org/tlog-cosignature). The only algorithm is timestamped Ed25519, type 0x04. */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { isKeyName } from '../../util/key-name.ts';
import { hexOf, MalformedKey, strictBase64 } from '../note-key.ts';

const COSIGNATURE_V1 = 4;
const KEY_BYTES = 32;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;
const DASH = '\u2014';
/** DER prefix of the 32 bytes of an Ed25519 public key (RFC 8410, section 4). */
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

/** Public key that verifies the cosignatures of a witness. */
export class WitnessKey {
  readonly name: string;
  readonly keyId: number;
  readonly #key: KeyObject;

  private constructor(name: string, typed: Buffer) {
    this.name = name;
    this.keyId = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer').readUInt32BE(0);
    this.#key = createPublicKey({
      key: Buffer.concat([PUBLIC_DER, typed.subarray(1)]),
      format: 'der',
      type: 'spki',
    });
  }

  /** Parses the verifier form: `<name>+<key id in hex>+<base64 of 0x04 || public key>`. @throws MalformedKey */
  static parse(text: string): WitnessKey {
    const [name, id, ...rest] = text.split('+') as [string, ...string[]];
    const typed = strictBase64(rest.join('+'));
    if (!isKeyName(name) || typed?.[0] !== COSIGNATURE_V1 || typed.length !== 1 + KEY_BYTES)
      throw new MalformedKey(`${text} is not the key of a witness (C2SP tlog-cosignature, type 4)`);
    const key = new WitnessKey(name, typed);
    if (id !== hexOf(key.keyId)) throw new MalformedKey(`the key id in ${text} does not match its key`);
    return key;
  }

  /**
   * Returns the time of a cosignature of this witness, in seconds since the epoch.
   * @param text the text of the checkpoint, without signatures.
   * @returns `undefined` if the line is not a valid cosignature of the text by this key.
   */
  timeOf(line: string, text: string): number | undefined {
    const [dash, name, encoded = '', ...more] = line.split(' ');
    const bytes = strictBase64(encoded);
    if (dash !== DASH || name !== this.name || more.length > 0) return undefined;
    if (bytes?.length !== 4 + TIME_BYTES + SIGNATURE_BYTES || bytes.readUInt32BE(0) !== this.keyId)
      return undefined;
    const time = Number(bytes.readBigUInt64BE(4));
    const signed = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
    return verify(null, signed, this.#key, bytes.subarray(4 + TIME_BYTES)) ? time : undefined;
  }
}
