import { z } from 'zod';
import { InstantOut, PositionOut } from './values.ts';

const Url = z
  .string()
  .min(1)
  .max(2_048)
  .meta({ format: 'uri' })
  .describe('Where events are sent: an https URL.');
const Description = z.string().min(1).max(255).describe('For people: what the webhook is for.');

/** The part of a webhook that its owner sets. */
export const WebhookIn = z.strictObject({
  url: Url,
  description: Description.optional(),
  types: z
    .array(z.string().min(1).max(128))
    .max(100)
    .optional()
    .describe(
      'The event types that are sent, as in the feed, or groups of them such as `io.clusterledger.alert.*`. All types if absent or empty.',
    ),
});
export type WebhookIn = z.output<typeof WebhookIn>;

export const DeliveryAttemptOut = z
  .strictObject({
    eventId: z.string().describe('Id of the event in the log: the `webhook-id` of the message.'),
    position: PositionOut,
    type: z.string(),
    subject: z.string().describe('The cluster, account or period that the event is about.'),
    at: InstantOut,
    durationMs: z.int(),
    outcome: z
      .enum(['delivered', 'failed', 'parked'])
      .describe('`parked`: the attempts are used up; it is sent again when somebody asks for it.'),
    status: z.int().min(100).max(599).optional().describe('Status of the answer; absent if there was none.'),
    error: z.string().optional(),
  })
  .meta({ id: 'DeliveryAttempt' });

const ParkedOut = z
  .strictObject({
    position: PositionOut,
    eventId: z.string(),
    attempts: z.int().nonnegative(),
    parkedAt: InstantOut,
    error: z.string(),
  })
  .meta({ id: 'ParkedDelivery' });

export const WebhookOut = z
  .strictObject({
    webhookId: z.string(),
    url: z.string(),
    description: z.string().optional(),
    types: z.array(z.string()),
    state: z.enum(['enabled', 'disabled']),
    disabled: z
      .strictObject({ since: InstantOut, reason: z.string() })
      .optional()
      .describe('Why nothing is sent; present if the state is `disabled`.'),
    createdAt: InstantOut,
    formerSecretUntil: InstantOut.optional().describe('Until when the secret before the rotation signs too.'),
    publicKey: z
      .string()
      .optional()
      .describe(
        'Key by which the Ed25519 signature (`v1a`) of each message is verified, `whpk_…`; absent if no key is configured.',
      ),
    delivery: z
      .strictObject({
        position: PositionOut.describe('Position up to which the log has been read for the webhook.'),
        outstanding: z
          .int()
          .nonnegative()
          .describe('Messages that are being sent or wait for another attempt.'),
        parked: z.int().nonnegative().describe('Messages whose attempts are used up.'),
        failingSince: InstantOut.optional().describe('Since when every attempt has failed.'),
        lastSuccessAt: InstantOut.optional(),
      })
      .describe('Where the webhook stands.'),
  })
  .meta({ id: 'Webhook' });
export type WebhookOut = z.output<typeof WebhookOut>;

const Secret = z.string().describe('The secret that signs, `whsec_…`. It is shown in this answer only.');

export const CreatedWebhookOut = WebhookOut.extend({ secret: Secret }).meta({ id: 'CreatedWebhook' });
export type CreatedWebhookOut = z.output<typeof CreatedWebhookOut>;

export const RotatedSecretOut = z
  .strictObject({ webhookId: z.string(), secret: Secret, formerSecretUntil: InstantOut })
  .meta({ id: 'RotatedSecret' });
export type RotatedSecretOut = z.output<typeof RotatedSecretOut>;

export const DeliveriesOut = z
  .strictObject({
    webhookId: z.string(),
    attempts: z.array(DeliveryAttemptOut).describe('The latest attempts, latest first; at most 50.'),
    parked: z.array(ParkedOut).describe('At most 100 parked messages, oldest first.'),
  })
  .meta({ id: 'Deliveries' });
export type DeliveriesOut = z.output<typeof DeliveriesOut>;

export const WebhookTestOut = z
  .strictObject({
    delivered: z.boolean(),
    status: z.int().min(100).max(599).optional(),
    error: z.string().optional(),
    durationMs: z.int(),
  })
  .meta({ id: 'WebhookTest' });
export type WebhookTestOut = z.output<typeof WebhookTestOut>;

export const RequestedDeliveriesOut = z
  .strictObject({
    webhookId: z.string(),
    messages: z.int().nonnegative().describe('Number of messages that are sent again.'),
  })
  .meta({ id: 'RequestedDeliveries' });
export type RequestedDeliveriesOut = z.output<typeof RequestedDeliveriesOut>;
