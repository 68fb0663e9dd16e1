import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Next } from '../../api/values.ts';
import {
  CreatedWebhookOut,
  DeliveriesOut,
  RequestedDeliveriesOut,
  RotatedSecretOut,
  WebhookIn,
  WebhookOut,
  WebhookTestOut,
} from '../../api/webhooks.ts';
import { FEED_CHOICES } from '../../delivery/feed-event.ts';
import type { GroupStatus } from '../../delivery/groups/consumer-group.ts';
import type { DeliveryAttempt, ParkedMessage } from '../../delivery/groups/group-state.ts';
import { EventId } from '../../domain/facts/fact.ts';
import type { Webhook, WebhookDefinition } from '../../domain/webhook.ts';
import { VISIBLE_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import { instantOut, Paging, PositionText } from '../params/fields.ts';
import { openPage, pageOf } from '../params/paging.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

/** Maximum number of webhooks: each reads the whole log. */
const MAX_WEBHOOKS = 100;
const MAX_PARKED_SHOWN = 100;

const tags = ['Webhooks'];
const READ = { access: { auditor: 'all' } } as const;
/** Only an operator decides where events are sent. */
const WRITE = { access: {} } as const;

const WebhookPath = z.strictObject({ webhookId: EventId.describe('The id of the webhook.') });
const DeliveryPath = z.strictObject({
  ...WebhookPath.shape,
  eventId: EventId.describe('The id that the ledger gave the event.'),
});

const CreateCommand = WebhookIn.extend({
  after: PositionText.optional().describe(
    'Position in the log after which events are sent, as a decimal string; 0 for the whole log. By default only events that are recorded from now on.',
  ),
});

const ChangeCommand = WebhookIn.extend({
  enabled: z
    .boolean()
    .default(true)
    .describe('Whether events are sent. Enabling a webhook continues where it stopped.'),
});

const schemas = {
  list: {
    operationId: 'listWebhooks',
    tags,
    summary: 'List the webhooks, oldest first',
    description: 'Each says where it stands: what is outstanding, parked, and since when it fails.',
    querystring: z.strictObject({ ...Paging }),
    response: {
      200: answer('The webhooks.', z.strictObject({ items: z.array(WebhookOut), ...Next })),
      ...problemResponses,
    },
  },
  create: {
    operationId: 'createWebhook',
    tags,
    summary: 'Create a webhook',
    description:
      'Sends every event of the feed to a URL, at least once, signed as Standard Webhooks 1.0 has it. The body of a message ' +
      'is the CloudEvent. Events of one cluster arrive in order. The secret is in this answer only.',
    body: CreateCommand,
    response: {
      201: answer('The webhook with its secret.', CreatedWebhookOut),
      ...problems('too-many-webhooks'),
    },
  },
  get: {
    operationId: 'getWebhook',
    tags,
    summary: 'Get a webhook and where it stands',
    description: 'The secret is not shown again.',
    params: WebhookPath,
    response: { 200: answer('The webhook.', WebhookOut), ...problemResponses },
  },
  put: {
    operationId: 'changeWebhook',
    tags,
    summary: 'Change a webhook, or enable or disable it',
    description: 'Replaces what is given: an absent description is removed, absent types mean all types.',
    params: WebhookPath,
    body: ChangeCommand,
    response: { 200: answer('The webhook.', WebhookOut), ...problemResponses },
  },
  delete: {
    operationId: 'deleteWebhook',
    tags,
    summary: 'Delete a webhook',
    description: 'Messages that were not delivered are not sent any more. The feed still has them.',
    params: WebhookPath,
    response: { 204: z.null(), ...problemResponses },
  },
  rotate: {
    operationId: 'rotateWebhookSecret',
    tags,
    summary: 'Replace the secret of a webhook',
    description:
      'For 24 hours both secrets sign each message, so that the receiver can change without a gap.',
    params: WebhookPath,
    response: { 200: answer('The new secret.', RotatedSecretOut), ...problemResponses },
  },
  test: {
    operationId: 'testWebhook',
    tags,
    summary: 'Send a test event to a webhook, once and at once',
    description:
      'Its type is `io.clusterledger.webhook.test.v1`. It also works while the webhook is disabled.',
    params: WebhookPath,
    response: { 200: answer('What the receiver answered.', WebhookTestOut), ...problemResponses },
  },
  deliveries: {
    operationId: 'listDeliveries',
    tags,
    summary: 'List the latest attempts and the parked messages of a webhook',
    description:
      'Attempts say what the receiver answered. Parked messages wait until somebody sends them again.',
    params: WebhookPath,
    response: { 200: answer('The attempts and the parked messages.', DeliveriesOut), ...problemResponses },
  },
  redeliver: {
    operationId: 'redeliverEvent',
    tags,
    summary: 'Send an event to a webhook again',
    description: 'Any event of the feed, parked or delivered. The message has the same `webhook-id`.',
    params: DeliveryPath,
    response: { 202: answer('The messages are on their way.', RequestedDeliveriesOut), ...problemResponses },
  },
  replay: {
    operationId: 'replayParkedDeliveries',
    tags,
    summary: 'Send all parked messages of a webhook again',
    description: 'Each message has the same `webhook-id` as before.',
    params: WebhookPath,
    response: { 202: answer('The messages are on their way.', RequestedDeliveriesOut), ...problemResponses },
  },
} as const;

/** Adds the routes that manage webhooks and show their deliveries. */
export function webhookRoutes(app: App, services: HttpServices): void {
  const { webhooks, webhookRecords: records, projections } = services;
  /** Waits until the projections have an event, so that a read that follows sees its effect. */
  const recorded = async (event: Promise<string>) => {
    await projections.waitForEvent(await event, VISIBLE_TIMEOUT_MS);
    await webhooks.refresh();
  };
  const require = async (webhookId: string) => {
    await webhooks.refresh();
    const webhook = webhooks.book.find(webhookId);
    if (webhook === undefined) throw new Problem('not-found', `webhook ${webhookId} does not exist`);
    return webhook;
  };
  const view = async (webhook: Webhook) =>
    webhookOut(webhook, await webhooks.statusOf(webhook), webhooks.publicKey);

  app.get('/v1/webhooks', { config: READ, schema: schemas.list }, async (request) => {
    const page = openPage(request, 'number', 'text');
    await webhooks.refresh();
    const sorted = webhooks.book.all().toSorted(byAge);
    const [createdAt, id] = page.after ?? [-1, ''];
    const after = { createdAt: Number(createdAt), webhookId: String(id) };
    const isBehind = (webhook: Webhook) => byAge(webhook, after) > 0;
    const { limit } = request.query;
    const { items, last } = pageOf(sorted, limit, isBehind, (webhook) => [
      webhook.createdAt,
      webhook.webhookId,
    ]);
    const { position } = projections.model;
    return { items: await Promise.all(items.map(view)), ...page.next(last, { position }) };
  });

  app.post(
    '/v1/webhooks',
    { config: WRITE, schema: schemas.create },
    async ({ body, caller: { actor: by } }, reply) => {
      const model = await modelFor(projections, {}, reply);
      const { after = model.position, ...definition } = body;
      await webhooks.refresh();
      if (webhooks.book.all().length >= MAX_WEBHOOKS)
        throw new Problem('too-many-webhooks', `there are ${MAX_WEBHOOKS} webhooks; delete one first`);
      const webhookId = randomUUID();
      const secret = { version: 1, keyId: webhooks.keys.id };
      const checked = checkedDefinition(services, definition);
      await recorded(records.create({ webhookId, ...checked, after, secret }, by));
      reply.code(201).header('location', `/v1/webhooks/${webhookId}`);
      const webhook = await require(webhookId);
      return { ...(await view(webhook)), secret: secretOf(services, webhook) };
    },
  );

  app.get(
    '/v1/webhooks/:webhookId',
    { config: READ, schema: schemas.get },
    async ({ params: { webhookId } }) => view(await require(webhookId)),
  );

  app.put(
    '/v1/webhooks/:webhookId',
    { config: WRITE, schema: schemas.put },
    async ({ params: { webhookId }, body: { enabled, ...definition }, caller: { actor: by } }) => {
      const { disabled, ...known } = await require(webhookId);
      const checked = checkedDefinition(services, definition);
      if (!isSame(known, checked)) await recorded(records.change(webhookId, checked, by));
      if (enabled && disabled !== undefined) await recorded(records.enable(webhookId, by));
      if (!enabled && disabled === undefined)
        await recorded(records.disable(webhookId, 'an operator disabled it', false, by));
      return view(await require(webhookId));
    },
  );

  app.delete(
    '/v1/webhooks/:webhookId',
    { config: WRITE, schema: schemas.delete },
    async ({ params: { webhookId }, caller: { actor: by } }, reply) => {
      await require(webhookId);
      await recorded(records.delete(webhookId, by));
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/webhooks/:webhookId/rotate-secret',
    { config: WRITE, schema: schemas.rotate },
    async ({ params: { webhookId }, caller: { actor: by } }) => {
      const { secret } = await require(webhookId);
      const next = { version: secret.version + 1, keyId: webhooks.keys.id };
      await recorded(records.rotateSecret(webhookId, next, by));
      const rotated = await require(webhookId);
      return {
        webhookId,
        secret: secretOf(services, rotated),
        formerSecretUntil: instantOut(rotated.former?.until ?? services.now()),
      };
    },
  );

  app.post(
    '/v1/webhooks/:webhookId/test',
    { config: WRITE, schema: schemas.test },
    async ({ params: { webhookId } }) => {
      const { handled, durationMs } = await webhooks.test(await require(webhookId));
      return {
        delivered: handled.outcome === 'ack',
        ...(handled.status !== undefined && { status: handled.status }),
        ...(handled.outcome !== 'ack' && { error: handled.reason }),
        durationMs,
      };
    },
  );

  app.get(
    '/v1/webhooks/:webhookId/deliveries',
    { config: READ, schema: schemas.deliveries },
    async ({ params: { webhookId } }, reply) => {
      const model = await modelFor(projections, {}, reply);
      const { attempts, parked } = await webhooks.statusOf(await require(webhookId));
      return {
        webhookId,
        attempts: attempts.map(attemptOut).reverse(),
        parked: parked
          .slice(0, MAX_PARKED_SHOWN)
          .map((message) => parkedOut(message, model.facts.ids.at(message.position) ?? '')),
      };
    },
  );

  app.post(
    '/v1/webhooks/:webhookId/deliveries/:eventId/redeliver',
    { config: WRITE, schema: schemas.redeliver },
    async ({ params: { webhookId, eventId }, caller: { actor: by } }, reply) => {
      const model = await modelFor(projections, {}, reply);
      await require(webhookId);
      const { position } = model.locate(eventId) ?? {};
      if (position === undefined) throw new Problem('not-found', `event ${eventId} does not exist`);
      await recorded(records.requestDeliveries({ webhookId, position }, by));
      reply.code(202);
      return { webhookId, messages: 1 };
    },
  );

  app.post(
    '/v1/webhooks/:webhookId/replay-parked',
    { config: WRITE, schema: schemas.replay },
    async ({ params: { webhookId }, caller: { actor: by } }, reply) => {
      const { parked } = await webhooks.statusOf(await require(webhookId));
      if (parked.length > 0) await recorded(records.requestDeliveries({ webhookId }, by));
      reply.code(202);
      return { webhookId, messages: parked.length };
    },
  );
}

function byAge(
  a: Pick<Webhook, 'createdAt' | 'webhookId'>,
  b: Pick<Webhook, 'createdAt' | 'webhookId'>,
): number {
  return a.createdAt - b.createdAt || compareCodeUnits(a.webhookId, b.webhookId);
}

/** @throws Problem `invalid-request` */
function checkedDefinition(
  { webhooks }: HttpServices,
  { url, description, types = [] }: WebhookIn,
): WebhookDefinition {
  const why = webhooks.problemOf(url);
  if (why !== undefined) throw invalidRequest([{ pointer: '/url', detail: `${why}; given ${url}` }]);
  types.forEach((type, i) => {
    if (!FEED_CHOICES.includes(type)) {
      const detail = `must be one of ${FEED_CHOICES.join(', ')}; given ${type}`;
      throw invalidRequest([{ pointer: `/types/${i}`, detail }]);
    }
  });
  return { url, types, ...(description !== undefined && { description }) };
}

function isSame(a: WebhookDefinition, b: WebhookDefinition): boolean {
  const parts = ({ url, description, types }: WebhookDefinition) => [url, description ?? null, types];
  return JSON.stringify(parts(a)) === JSON.stringify(parts(b));
}

function secretOf({ webhooks }: HttpServices, { webhookId, secret }: Webhook): string {
  const text = webhooks.keys.secretOf(webhookId, secret);
  if (text === undefined) throw new Error(`webhook ${webhookId} was not created with the key of this ledger`);
  return text;
}

function webhookOut(webhook: Webhook, status: GroupStatus, publicKey: string | undefined): WebhookOut {
  const { webhookId, url, description, types, disabled, createdAt, former } = webhook;
  const { checkpoint, outstanding, parked, failingSince, lastSuccessAt } = status;
  return {
    webhookId,
    url,
    ...(description !== undefined && { description }),
    types: [...types],
    state: disabled === undefined ? 'enabled' : 'disabled',
    ...(disabled !== undefined && {
      disabled: { since: instantOut(disabled.since), reason: disabled.reason },
    }),
    createdAt: instantOut(createdAt),
    ...(former !== undefined && { formerSecretUntil: instantOut(former.until) }),
    ...(publicKey !== undefined && { publicKey }),
    delivery: {
      position: String(checkpoint),
      outstanding,
      parked: parked.length,
      ...(failingSince !== undefined && { failingSince: instantOut(failingSince) }),
      ...(lastSuccessAt !== undefined && { lastSuccessAt: instantOut(lastSuccessAt) }),
    },
  };
}

function attemptOut({ position, at, ...attempt }: DeliveryAttempt) {
  return { ...attempt, position: String(position), at: instantOut(at) };
}

function parkedOut({ position, attempts, parkedAt, error }: ParkedMessage, eventId: string) {
  return { position: String(position), eventId, attempts, parkedAt: instantOut(parkedAt), error };
}
