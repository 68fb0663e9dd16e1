import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Instant } from '../../domain/time.ts';
import { WebhookKeyError } from './webhook-keys.ts';

const PRIVATE_PREFIX = 'whsk_';
const PUBLIC_PREFIX = 'whpk_';
/** A seed alone, or a seed and the public key behind it, as libsodium has it. */
const KEY_BYTES = [32, 64];
const SEED_BYTES = 32;
/** First bytes of the PKCS #8 form of an Ed25519 key, before the seed (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Ed25519 key that signs the messages of all webhooks, as `v1a` of Standard Webhooks has it: receivers verify them by the public
 * key, and need no secret.
 */
export class WebhookSigningKey {
  readonly #key: KeyObject;
  /** The public key, `whpk_` and base64. */
  readonly publicText: string;

  /** @throws WebhookKeyError if the text is not `whsk_` and an Ed25519 key in base64. */
  constructor(text: string) {
    const base64 = text.trim().slice(PRIVATE_PREFIX.length);
    const bytes = Buffer.from(base64, 'base64');
    const isKey = text.trim().startsWith(PRIVATE_PREFIX) && KEY_BYTES.includes(bytes.length);
    if (!isKey || bytes.toString('base64') !== base64)
      throw new WebhookKeyError(
        `webhooks.signingKey must be ${PRIVATE_PREFIX} and ${KEY_BYTES.join(' or ')} bytes in base64`,
      );
    const der = Buffer.concat([PKCS8_HEAD, bytes.subarray(0, SEED_BYTES)]);
    this.#key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const { x = '' } = createPublicKey(this.#key).export({ format: 'jwk' });
    const publicKey = Buffer.from(x, 'base64url');
    if (bytes.length > SEED_BYTES && !publicKey.equals(bytes.subarray(SEED_BYTES)))
      throw new WebhookKeyError('webhooks.signingKey has another public key behind its seed');
    this.publicText = `${PUBLIC_PREFIX}${publicKey.toString('base64')}`;
  }

  /** Returns the signature of a message for the header `webhook-signature`. */
  sign(id: string, at: Instant, body: string): string {
    const signed = Buffer.from(`${id}.${Math.floor(at / 1_000)}.${body}`);
    return `v1a,${sign(null, signed, this.#key).toString('base64')}`;
  }
}
