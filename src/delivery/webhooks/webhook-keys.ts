import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { Instant } from '../../domain/time.ts';
import type { SecretVersion, Webhook } from '../../domain/webhook.ts';
import { messageOf } from '../../util/message-of.ts';
import { openPrivateFile } from '../../util/private-file.ts';

/** The key of the webhook secrets cannot be used. */
export class WebhookKeyError extends Error {
  override readonly name = 'WebhookKeyError';
}

const KEY_BYTES = 32;
const SECRET_BYTES = 32;

/**
 * Key from which the secrets of all webhooks are derived, by HKDF with SHA-256 (RFC 5869). No secret is thus stored: not in
 * the log, not in a backup of the store, not in a snapshot. Every replica with the same key has the same secrets.
 */
export class WebhookKeys {
  readonly #key: Buffer;
  /** Identifies the key without revealing it. */
  readonly id: string;

  /** @throws WebhookKeyError if the text is not 32 bytes in base64. */
  constructor(text: string) {
    const key = Buffer.from(text.trim(), 'base64');
    if (key.length !== KEY_BYTES || key.toString('base64') !== text.trim())
      throw new WebhookKeyError(`the key of the webhook secrets must be ${KEY_BYTES} bytes in base64`);
    this.#key = key;
    this.id = createHash('sha256')
      .update('cluster-ledger webhook key id')
      .update(key)
      .digest('hex')
      .slice(0, 8);
  }

  /** Returns a new key as text. */
  static generate(): string {
    return randomBytes(KEY_BYTES).toString('base64');
  }

  /**
   * Returns a secret in the form of Standard Webhooks, `whsec_` and base64; `undefined` if it was derived from another key.
   */
  secretOf(webhookId: string, { version, keyId }: SecretVersion): string | undefined {
    if (keyId !== this.id) return undefined;
    const info = `cluster-ledger webhook secret ${version}`;
    const secret = hkdfSync('sha256', this.#key, webhookId, info, SECRET_BYTES);
    return `whsec_${Buffer.from(secret).toString('base64')}`;
  }

  /** Returns the secrets that sign now, the current one first; empty if the current one was derived from another key. */
  secretsOf({ webhookId, secret, former }: Webhook, now: Instant): readonly string[] {
    const current = this.secretOf(webhookId, secret);
    if (current === undefined) return [];
    const old = former !== undefined && now < former.until ? this.secretOf(webhookId, former) : undefined;
    return old === undefined ? [current] : [current, old];
  }
}

/**
 * Reads the key in a file. If the file is absent, creates it with a new key that only its owner can read.
 * @throws WebhookKeyError if the file cannot be read or created, has no key, or can be read by other users.
 */
export async function openWebhookKeys(file: string): Promise<WebhookKeys> {
  try {
    return new WebhookKeys(await openPrivateFile(file, `${WebhookKeys.generate()}\n`));
  } catch (cause) {
    throw new WebhookKeyError(`the key file ${file} cannot be used: ${messageOf(cause)}`, { cause });
  }
}
