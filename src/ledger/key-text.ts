import { hash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const BASE36 = '0123456789abcdefghijklmnopqrstuvwxyz';
const BASE62 = `${BASE36}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const ID_LENGTH = 12;
/** 32 characters of 62 have 190 bits. */
const RANDOM_LENGTH = 32;
const CHECKSUM_LENGTH = 6;

const KEY = /^clk_([a-z0-9]{12})_([A-Za-z0-9]{38})$/;

/** A key as its user has it. */
export interface KeyText {
  readonly id: string;
  readonly secret: string;
  /** `clk_<id>_<secret>` */
  readonly text: string;
}

/**
 * Creates a key. Like the tokens of GitHub, it has a prefix, by which scanners find leaked keys, and the secret ends with a
 * checksum (CRC-32 in base 62), by which they recognize a real one.
 */
export function newKeyText(): KeyText {
  const id = randomText(BASE36, ID_LENGTH);
  const random = randomText(BASE62, RANDOM_LENGTH);
  const secret = random + checksumOf(id, random);
  return { id, secret, text: `clk_${id}_${secret}` };
}

/** Returns the parts of a key, or `undefined` if the text is not a key. */
export function parseKeyText(text: string): KeyText | undefined {
  const [, id, secret] = KEY.exec(text) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  const random = secret.slice(0, RANDOM_LENGTH);
  return secret.endsWith(checksumOf(id, random)) ? { id, secret, text } : undefined;
}

/** Returns the SHA-256 of a secret. A slow hash is not needed, because nobody can guess 190 random bits. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

function checksumOf(id: string, random: string): string {
  let rest = crc32(`clk_${id}_${random}`);
  let digits = '';
  while (digits.length < CHECKSUM_LENGTH) {
    digits = BASE62[rest % BASE62.length] + digits;
    rest = Math.floor(rest / BASE62.length);
  }
  return digits;
}
