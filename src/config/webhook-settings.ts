import { z } from 'zod';
import { AddressPolicyOptions } from '../util/address-policy-options.ts';

/** Settings of webhooks. */
export const WebhookSettings = z
  .strictObject({
    key: z
      .string()
      .min(1, 'must be 32 bytes in base64')
      .optional()
      .describe(
        'The key that the secrets of webhooks are derived from: 32 bytes in base64. All replicas need the same one. By default the key in `webhooks.keyFile`.',
      ),
    keyFile: z
      .string()
      .min(1, 'must be a file')
      .optional()
      .describe(
        'File of that key. By default `webhook-key` in the data folder, which the first start creates.',
      ),
    signingKey: z
      .string()
      .min(1, 'must be whsk_ and 32 bytes in base64')
      .optional()
      .describe(
        'Ed25519 key that signs each message in addition to the secret of its webhook (`v1a` of Standard Webhooks): `whsk_` and 32 bytes in base64. All replicas need the same one. Without it, messages have the signature of the secret only.',
      ),
    targets: AddressPolicyOptions.extend({ allowPrivate: z.boolean().default(false) })
      .optional()
      .describe(
        'The addresses that webhooks may be sent to: the networks `allow` and `deny`, and `allowPrivate` (default false). Plain http is allowed only to an IP address in `allow`. Without this setting, a ledger that listens on a loopback address may also send to loopback addresses.',
      ),
  })
  .refine(({ key, keyFile }) => key === undefined || keyFile === undefined, {
    path: ['key'],
    error: 'must not be given together with keyFile',
  });
export type WebhookSettings = z.output<typeof WebhookSettings>;
