import { z } from 'zod';
import { KeyOut, NewKeyOut } from '../../api/keys.ts';
import { Next } from '../../api/values.ts';
import {
  type AccessKey,
  KEY_STATES,
  KeyId,
  KeyName,
  keyState,
  MAX_KEY_DAYS,
} from '../../domain/access/access-key.ts';
import { ROLES } from '../../domain/access/caller.ts';
import { AccountId, line } from '../../domain/facts/fact.ts';
import { DAY_MS, formatInstant, type Instant } from '../../domain/time.ts';
import type { KeyRejection } from '../../ledger/access-keys.ts';
import { answer, problems } from '../contract.ts';
import { InstantText, instantOut, Paging } from '../params/fields.ts';
import { openPage, pageOf } from '../params/paging.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

const tags = ['Keys'];
const KeyPath = z.strictObject({ keyId: KeyId.describe('The part of a key between clk_ and the secret.') });

const Creation = z.strictObject({
  name: KeyName.describe('Who uses the key. Keys of producers with one name are one producer.'),
  role: z.enum(ROLES),
  accountId: AccountId.optional().describe(
    'The account of a customer. Required for this role, and only for it.',
  ),
  expiresAt: InstantText.optional().describe(
    `When the key expires; at most ${MAX_KEY_DAYS} days from now, which is the default.`,
  ),
});

const Revocation = z.strictObject({
  reason: line(1_000).optional().describe('Why, for auditors.'),
});

const createSchema = {
  operationId: 'createKey',
  tags,
  summary: 'Create an API key',
  description:
    'The answer shows the key once. The ledger stores the SHA-256 of its secret. With the first key, every request needs one, so that the first key must be one of an operator.',
  body: Creation,
  response: {
    201: answer('The new key, shown only this once.', NewKeyOut),
    ...problems('operator-key-first'),
  },
};

const listSchema = {
  operationId: 'listKeys',
  tags,
  summary: 'List the API keys, in the order of their creation',
  description: 'Expired and revoked keys are listed too, since what was done with them remains.',
  querystring: z.strictObject({
    state: z.enum(KEY_STATES).optional().describe('Only keys in this state.'),
    role: z.enum(ROLES).optional().describe('Only keys of this role.'),
    ...Paging,
  }),
  response: {
    200: answer('A page of the keys.', z.strictObject({ items: z.array(KeyOut), ...Next })),
    ...problems(),
  },
};

const getSchema = {
  operationId: 'getKey',
  tags,
  summary: 'Get an API key',
  description: 'Shows the state of the key and its last use, but never its secret.',
  params: KeyPath,
  response: { 200: answer('The key.', KeyOut), ...problems() },
};

const revokeSchema = {
  operationId: 'revokeKey',
  tags,
  summary: 'Revoke an API key',
  description:
    'The key is refused at once by this process, and within 30 seconds by every other one. Answers that are being sent to its holder end. Revoking a key again changes nothing.',
  params: KeyPath,
  body: Revocation.nullish(),
  response: { 200: answer('The revoked key.', KeyOut), ...problems('last-operator-key') },
};

/** Adds the routes that create, list and revoke API keys. */
export function keyRoutes(app: App, services: HttpServices): void {
  const { keys, keyUses, now } = services;

  app.post(
    '/v1/keys',
    { config: { access: {} }, schema: createSchema },
    async ({ body: { name, role, accountId, expiresAt }, caller }, reply) => {
      requireAccountOf(role, accountId);
      const account = accountId === undefined ? {} : { accountId };
      const created = await keys.create(
        { name, role, ...account, expiresAt: expiryOf(expiresAt, now()) },
        caller.actor,
      );
      if (created.outcome === 'rejected') throw problemOfKey(created.rejection);
      const { key, text } = created;
      reply.code(201).header('cache-control', 'no-store').header('location', `/v1/keys/${key.id}`);
      return { ...keyOut(key, undefined, now()), key: text };
    },
  );

  app.get('/v1/keys', { config: { access: { auditor: 'all' } }, schema: listSchema }, async (request) => {
    const { limit, state, role } = request.query;
    const page = openPage(request, 'number');
    const [uses, all] = [await keyUses.all(), await keys.all()];
    // Keys are never removed, so that every page continues at the same place.
    const after = Number(page.after?.[0] ?? -1);
    const selected = all
      .map((key, index) => ({ key, index }))
      .filter(({ key }) => state === undefined || keyState(key, now()) === state)
      .filter(({ key }) => role === undefined || key.role === role);
    const isBehind = ({ index }: { readonly index: number }) => index > after;
    const { items, last } = pageOf(selected, limit, isBehind, ({ index }) => [index]);
    const out = items.map(({ key }) => keyOut(key, uses.get(key.id), now()));
    return { items: out, ...page.next(last, { position: 0 }) };
  });

  app.get(
    '/v1/keys/:keyId',
    { config: { access: { auditor: 'all' } }, schema: getSchema },
    async ({ params: { keyId } }) => {
      const [uses, key] = [await keyUses.all(), await keys.find(keyId)];
      if (key === undefined) throw unknownKey(keyId);
      return keyOut(key, uses.get(keyId), now());
    },
  );

  app.post(
    '/v1/keys/:keyId/revoke',
    { config: { access: {} }, schema: revokeSchema },
    async ({ params: { keyId }, body, caller }) => {
      const revoked = await keys.revoke(keyId, body?.reason, caller.actor);
      if (revoked.outcome === 'unknown') throw unknownKey(keyId);
      if (revoked.outcome === 'rejected') throw problemOfKey(revoked.rejection);
      return keyOut(revoked.key, (await keyUses.all()).get(keyId), now());
    },
  );
}

/** @throws Problem `invalid-request` unless exactly a customer has an account */
function requireAccountOf(role: string, accountId: string | undefined): void {
  if ((role === 'customer') === (accountId !== undefined)) return;
  const detail =
    role === 'customer'
      ? 'must be the account that the customer is bound to; given nothing'
      : `must be absent for the role ${role}: only customers are bound to an account`;
  throw invalidRequest([{ pointer: '/accountId', detail }]);
}

/** @throws Problem `invalid-request` if the instant is in the past or too far ahead */
function expiryOf(expiresAt: Instant | undefined, now: Instant): Instant {
  const latest = now + MAX_KEY_DAYS * DAY_MS;
  const given = expiresAt ?? latest;
  if (given > now && given <= latest) return given;
  const detail = `must be after now, ${formatInstant(now)}, and at most ${MAX_KEY_DAYS} days ahead, ${formatInstant(latest)}; given ${formatInstant(given)}`;
  throw invalidRequest([{ pointer: '/expiresAt', detail }]);
}

function unknownKey(keyId: string): Problem {
  return new Problem('not-found', `key ${keyId} does not exist`);
}

function problemOfKey(rejection: KeyRejection): Problem {
  switch (rejection.code) {
    case 'operator-key-first':
      return new Problem(
        rejection.code,
        'with the first key every request needs one, so that nobody could create further keys: create a key with the role operator first; nothing was created',
      );
    case 'last-operator-key':
      return new Problem(
        rejection.code,
        `key ${rejection.keyId} is the last active key of an operator: create another one first; nothing was revoked`,
      );
  }
}

function keyOut(key: AccessKey, lastUsed: Instant | undefined, now: Instant): KeyOut {
  const { id, name, role, accountId, createdAt, createdBy, expiresAt, revoked } = key;
  return {
    id,
    name,
    role,
    ...(accountId !== undefined && { accountId }),
    state: keyState(key, now),
    createdAt: instantOut(createdAt),
    createdBy,
    expiresAt: instantOut(expiresAt),
    lastUsedAt: lastUsed === undefined ? null : instantOut(lastUsed),
    ...(revoked !== undefined && {
      revokedAt: instantOut(revoked.at),
      revokedBy: revoked.by,
      ...(revoked.reason !== undefined && { revocationReason: revoked.reason }),
    }),
  };
}
