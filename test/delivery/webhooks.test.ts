import { createPublicKey, verify as verifySignature } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { deleted, registered, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import {
  ACCEPT,
  answerWith,
  type Received,
  type Receiver,
  receiverForTest,
  verify,
} from '../support/receiver.ts';
import { eventually, until } from '../support/until.ts';

const MARCH = '2026-03-01T00:00:00.000Z';
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const json = (body: object, method = 'POST') => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** Creates a webhook. @returns the answer's body, with its secret. */
async function createWebhook(ledger: TestLedger, receiver: Pick<Receiver, 'url'>, more: object = {}) {
  const { status, body, text } = await ledger.fetch('/v1/webhooks', json({ url: receiver.url, ...more }));
  if (status !== 201) throw new Error(text);
  return body;
}

const webhookOf = async (ledger: TestLedger, id: string) => (await ledger.get(`/v1/webhooks/${id}`)).body;
const openAlerts = async (ledger: TestLedger, kind: string) =>
  (await ledger.get(`/v1/alerts?kind=${kind}&state=open`)).body.items;
const subjects = (messages: readonly { readonly event: { readonly subject: string } }[]) =>
  messages.map(({ event }) => event.subject);

/**
 * Sets the clock on in steps until a condition holds. The monotonic clock goes on as it does: if hours passed while the ledger renews
 * its claim to send, it would have lost it, and would send nothing for as long as the steps follow each other faster than it renews.
 */
async function advanceUntil(ledger: TestLedger, stepMs: number, holds: () => boolean | Promise<boolean>) {
  await until(async () => {
    if (await holds()) return true;
    ledger.setClock(new Date(ledger.now + stepMs).toISOString());
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  });
}

describe('a webhook', () => {
  test('receives each fact once, in the form of the feed, signed so that the published libraries accept it', async () => {
    // The libraries compare the time of a message with the real clock.
    const ledger = await ledgerForTest({ clockGoesOn: true, now: new Date().toISOString() });
    const receiver = await receiverForTest();
    const { secret } = await createWebhook(ledger, receiver);
    await ledger.record(registered('c1', MARCH), deleted('c1', '2026-03-02T00:00:00.000Z'));
    await until(() => receiver.accepted.length === 3);
    const feed = await ledger.get('/v1/feed');
    expect(receiver.accepted.map(({ event }) => event)).toEqual(feed.body.events);
    expect(receiver.accepted.map(({ id }) => id)).toEqual(
      feed.body.events.map((event: { ledgereventid: string }) => event.ledgereventid),
    );
    for (const message of receiver.accepted) verify(secret, message);
    expect(() =>
      verify(`whsec_${Buffer.alloc(32).toString('base64')}`, receiver.accepted[0] as never),
    ).toThrow();
  });

  test('sends only events of the types that it names, from the position that it names', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    await ledger.record(registered('before', MARCH), deleted('before', MARCH));
    await createWebhook(ledger, receiver, { after: '0', types: ['io.clusterledger.cluster.deleted.v1'] });
    await ledger.record(registered('after', MARCH), deleted('after', MARCH));
    await until(() => receiver.accepted.length === 2);
    expect(subjects(receiver.accepted)).toEqual(['before', 'after']);
  });

  test('receives the closing of a period, as each event of a group of types that it names', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    await createWebhook(ledger, receiver, { types: ['io.clusterledger.period.*'] });
    await ledger.record(registered('c1', MARCH));
    expect((await ledger.fetch('/v1/periods/2026-03/close', { method: 'POST' })).status).toBe(200);
    await until(() => receiver.accepted.length === 1);
    expect(receiver.accepted[0]?.event.subject).toBe('2026-03');
  });

  test('is sent the messages that failed again, with the same id, while other clusters go on', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    receiver.answer = (message, response) =>
      (message.event.subject === 'bad' ? answerWith(500) : ACCEPT)(message, response);
    const { webhookId } = await createWebhook(ledger, receiver);
    await ledger.record(registered('bad', MARCH), stopped('bad', MARCH), registered('good', MARCH));
    await until(() => subjects(receiver.accepted).includes('good'));
    expect(subjects(receiver.received)).toEqual(expect.arrayContaining(['bad', 'good']));
    // The second fact of the cluster waits for the first.
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(2);
    receiver.answer = ACCEPT;
    await advanceUntil(ledger, 1_000, () => receiver.accepted.length >= 3);
    // The number of attempts that fail depends on how long the receiver takes to accept the good one.
    const ofBad = receiver.received.filter(({ event }) => event.subject === 'bad');
    expect(ofBad.at(0)?.id).toBe(ofBad.at(1)?.id);
    const typeOf = new Map(ofBad.map(({ id, event }) => [id, event.type.split('.').at(-2)]));
    expect([...typeOf.values()]).toEqual(['registered', 'stopped']);
    await until(async () => (await webhookOf(ledger, webhookId)).delivery.outstanding === 0);
    expect((await webhookOf(ledger, webhookId)).delivery.parked).toBe(0);
  });

  test('parks a message that the receiver refuses eight times while it takes others, and sends it when asked', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    receiver.answer = (message, response) =>
      (message.event.subject === 'poison' ? answerWith(422) : ACCEPT)(message, response);
    const { webhookId } = await createWebhook(ledger, receiver);
    await ledger.record(registered('poison', MARCH));
    let others = 0;
    await advanceUntil(ledger, 20 * MINUTE_MS, async () => {
      others += 1;
      await ledger.record(registered(`other-${others}`, MARCH));
      await until(() => subjects(receiver.accepted).includes(`other-${others}`));
      return (await webhookOf(ledger, webhookId)).delivery.parked === 1;
    });
    const tries = () => receiver.received.filter(({ event }) => event.subject === 'poison');
    // A message that is on its way while the clock jumps is sent again, which does not count as another attempt.
    expect(tries().length).toBeGreaterThanOrEqual(8);
    expect(new Set(tries().map(({ id }) => id)).size).toBe(1);
    const { attempts, parked } = (await ledger.get(`/v1/webhooks/${webhookId}/deliveries`)).body;
    expect(attempts.some((attempt: { outcome: string }) => attempt.outcome === 'parked')).toBe(true);
    expect(parked).toMatchObject([
      { eventId: tries()[0]?.id, attempts: 8, error: 'the receiver answered 422: status 422' },
    ]);
    expect(await openAlerts(ledger, 'delivery-parked')).toHaveLength(1);
    receiver.answer = ACCEPT;
    const replay = await ledger.fetch(`/v1/webhooks/${webhookId}/replay-parked`, { method: 'POST' });
    expect([replay.status, replay.body.messages]).toEqual([202, 1]);
    await until(() => subjects(receiver.accepted).includes('poison'));
    await until(async () => (await webhookOf(ledger, webhookId)).delivery.parked === 0);
    expect(await openAlerts(ledger, 'delivery-parked')).toEqual([]);
  });

  test('delivers everything in order after four days in which its receiver was down, answered 500, flapped and hung', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    const { port } = receiver;
    const { webhookId } = await createWebhook(ledger, receiver);
    const clusters = Array.from({ length: 20 }, (_, i) => `c${i}`);
    const passADay = () => {
      const end = ledger.now + DAY_MS;
      return advanceUntil(ledger, 60 * MINUTE_MS, () => ledger.now >= end);
    };
    const attemptsAfter = (count: number) =>
      advanceUntil(ledger, MINUTE_MS, () => receiver.received.length > count);
    await receiver.stop();
    for (const cluster of clusters) await ledger.record(registered(cluster, MARCH));
    await passADay();
    expect(receiver.received).toEqual([]);
    receiver.answer = answerWith(500);
    await receiver.start(port);
    for (const cluster of clusters) await ledger.record(stopped(cluster, MARCH));
    await passADay();
    await attemptsAfter(5);
    expect(receiver.accepted).toEqual([]);
    // Up for an hour, down for an hour.
    receiver.answer = (message, response) =>
      (Math.floor(ledger.now / (60 * MINUTE_MS)) % 2 === 0 ? ACCEPT : answerWith(503))(message, response);
    await passADay();
    await advanceUntil(ledger, 10 * MINUTE_MS, () => receiver.accepted.length > 0);
    const beforeHanging = receiver.received.length;
    receiver.answer = () => undefined;
    for (const cluster of clusters) await ledger.record(deleted(cluster, MARCH));
    await attemptsAfter(beforeHanging);
    // The time limit of an attempt is one of the real clock.
    await until(async () => {
      const { attempts } = (await ledger.get(`/v1/webhooks/${webhookId}/deliveries`)).body;
      return attempts.some(({ error }: { error?: string }) => error?.includes('did not answer within 15 s'));
    });
    await passADay();
    const { state, delivery } = await webhookOf(ledger, webhookId);
    expect([state, delivery.parked]).toEqual(['enabled', 0]);
    receiver.answer = ACCEPT;
    const all = (await ledger.get('/v1/feed?limit=1000')).body.events as {
      subject: string;
      ledgereventid: string;
    }[];
    const arrived = () => new Set(receiver.accepted.map(({ id }) => id));
    await advanceUntil(ledger, MINUTE_MS, () => arrived().size === all.length);
    for (const cluster of clusters) {
      const expected = all.filter(({ subject }) => subject === cluster).map((event) => event.ledgereventid);
      const got = receiver.accepted.filter(({ event }) => event.subject === cluster).map(({ id }) => id);
      expect([...new Set(got)]).toEqual(expected);
    }
    for (const { id, event } of receiver.received) expect(id).toBe(event.ledgereventid);
  });

  test('is disabled with an alert after five days of failures, and goes on where it stopped once it is enabled', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    receiver.answer = answerWith(500);
    const { webhookId } = await createWebhook(ledger, receiver);
    await ledger.record(registered('c1', MARCH));
    await advanceUntil(
      ledger,
      60 * MINUTE_MS,
      async () => (await webhookOf(ledger, webhookId)).state === 'disabled',
    );
    const { disabled } = await webhookOf(ledger, webhookId);
    expect(disabled.reason).toContain('the receiver answered 500');
    expect(await openAlerts(ledger, 'webhook-disabled')).toHaveLength(1);
    await ledger.record(deleted('c1', MARCH));
    receiver.answer = ACCEPT;
    const { url } = receiver;
    const enabled = await ledger.fetch(`/v1/webhooks/${webhookId}`, json({ url, enabled: true }, 'PUT'));
    expect(enabled.body.state).toBe('enabled');
    await until(() => receiver.accepted.length === 3);
    expect(await openAlerts(ledger, 'webhook-disabled')).toEqual([]);
  });

  test('is disabled at once by 410 Gone', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    receiver.answer = answerWith(410);
    const { webhookId } = await createWebhook(ledger, receiver);
    await ledger.record(registered('c1', MARCH));
    await until(async () => (await webhookOf(ledger, webhookId)).state === 'disabled');
    expect(receiver.received).toHaveLength(1);
  });

  test.each(['120', 'date'])('waits as long as Retry-After asks for (%s)', async (form) => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    let dueAt = 0;
    receiver.answer = (message, response) => {
      const inTwoMinutes = new Date(ledger.now + 120_000).toUTCString();
      dueAt = form === 'date' ? Date.parse(inTwoMinutes) : ledger.now + 120_000;
      answerWith(429, { 'retry-after': form === 'date' ? inTwoMinutes : form })(message, response);
    };
    const { webhookId } = await createWebhook(ledger, receiver);
    await ledger.record(registered('c1', MARCH));
    const deliveries = `/v1/webhooks/${webhookId}/deliveries`;
    await until(async () => (await ledger.get(deliveries)).body.attempts.length === 1);
    receiver.answer = ACCEPT;
    await advanceUntil(ledger, 10_000, () => receiver.accepted.length === 1);
    expect(ledger.now).toBeGreaterThanOrEqual(dueAt);
  });

  test('signs with both secrets for a day after a rotation', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true, now: new Date().toISOString() });
    const receiver = await receiverForTest();
    const { webhookId, secret: first } = await createWebhook(ledger, receiver);
    const { body } = await ledger.fetch(`/v1/webhooks/${webhookId}/rotate-secret`, { method: 'POST' });
    expect(body.secret).not.toBe(first);
    await ledger.record(registered('c1', new Date(ledger.now - DAY_MS).toISOString()));
    await until(() => receiver.accepted.length === 1);
    for (const secret of [first, body.secret]) verify(secret, receiver.accepted[0] as never);
    ledger.pass(25 * 3_600_000);
    await ledger.record(deleted('c1', new Date(ledger.now).toISOString()));
    await until(() => receiver.accepted.length === 3);
    expect(receiver.accepted[0]?.headers['webhook-signature']?.split(' ')).toHaveLength(2);
    expect(receiver.accepted[2]?.headers['webhook-signature']?.split(' ')).toHaveLength(1);
  });

  test('is signed by Ed25519 too if a key is configured, which the public key that it shows verifies', async () => {
    // The first test vector of RFC 8032, section 7.1.
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const known = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    const environment = { LEDGER_WEBHOOKS_SIGNING_KEY: `whsk_${seed.toString('base64')}` };
    const ledger = await ledgerForTest({ clockGoesOn: true, now: new Date().toISOString(), environment });
    const receiver = await receiverForTest();
    const { secret, webhookId } = await createWebhook(ledger, receiver);
    await ledger.record(registered('c1', MARCH));
    await until(() => receiver.accepted.length === 1);
    const [message] = receiver.accepted as [Received];
    // The published libraries accept the signature of the secret beside it.
    verify(secret, message);
    const { publicKey } = await webhookOf(ledger, webhookId);
    expect(publicKey).toBe(`whpk_${Buffer.from(known, 'hex').toString('base64')}`);
    const x = Buffer.from(publicKey.slice(5), 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = message.headers;
    const signature = Buffer.from(/ v1a,(\S+)$/.exec(String(signatures))?.[1] ?? '', 'base64');
    expect(verifySignature(null, Buffer.from(`${id}.${at}.${message.body}`), key, signature)).toBe(true);
    expect(verifySignature(null, Buffer.from(`${id}.${at}.{}`), key, signature)).toBe(false);
  });

  test('can be tested, and any event can be sent to it again', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    const [fact] = await ledger.record(registered('c1', MARCH));
    const { webhookId } = await createWebhook(ledger, receiver);
    const tried = await ledger.fetch(`/v1/webhooks/${webhookId}/test`, { method: 'POST' });
    expect(tried.body).toMatchObject({ delivered: true, status: 204 });
    expect(receiver.accepted[0]?.event.type).toBe('io.clusterledger.webhook.test.v1');
    const path = `/v1/webhooks/${webhookId}/deliveries/${fact?.eventId}/redeliver`;
    expect((await ledger.fetch(path, { method: 'POST' })).status).toBe(202);
    await until(() => receiver.accepted.length === 2);
    expect(receiver.accepted[1]?.id).toBe(fact?.eventId);
    receiver.answer = answerWith(500);
    const failed = await ledger.fetch(`/v1/webhooks/${webhookId}/test`, { method: 'POST' });
    expect(failed.body).toMatchObject({ delivered: false, status: 500 });
  });

  test('continues after a restart where it stood, and does not carry out old requests again', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    const { webhookId } = await createWebhook(ledger, receiver);
    const [fact] = await ledger.record(registered('c1', MARCH));
    await until(() => receiver.accepted.length === 1);
    const path = `/v1/webhooks/${webhookId}/deliveries/${fact?.eventId}/redeliver`;
    await ledger.fetch(path, { method: 'POST' });
    await until(() => receiver.accepted.length === 2);
    // Before the ledger has read the answer of the receiver, a restart sends the message again.
    await until(async () => (await webhookOf(ledger, webhookId)).delivery.outstanding === 0);
    await ledger.reopen();
    await ledger.record(voided('c1', MARCH, String(fact?.eventId)));
    await until(() => receiver.accepted.length === 3);
    expect(receiver.accepted[2]?.event.type).toBe('io.clusterledger.fact.voided.v1');
  });

  test('is not delayed by a webhook whose receiver hangs, or by one whose receiver is dead', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const [hanging, dead, good] = [await receiverForTest(), await receiverForTest(), await receiverForTest()];
    hanging.answer = () => undefined;
    await createWebhook(ledger, hanging);
    await createWebhook(ledger, dead);
    await dead.stop();
    await createWebhook(ledger, good);
    for (let i = 0; i < 30; i++) await ledger.record(registered(`c${i}`, MARCH));
    await until(() => good.accepted.length === 30);
    expect(hanging.received.length).toBeGreaterThan(0);
    expect(hanging.accepted).toEqual([]);
  });

  test.each([
    ['ftp://example.com/', 'must be an https URL'],
    ['not a url', 'must be an absolute URL'],
    ['http://example.com/', 'plain http is allowed only to an IP address'],
    ['https://user:secret@example.com/', 'must not contain a user name or a password'],
    ['https://10.0.0.7/', '10.0.0.7 is private'],
    ['https://169.254.169.254/latest/meta-data', '169.254.169.254 is link-local'],
    ['https://[::ffff:169.254.169.254]/', 'link-local'],
    ['https://0x7f.1/', '127.0.0.1 is loopback'],
  ])('to %s is refused', async (url, why) => {
    const ledger = await ledgerForTest({ clockGoesOn: true, environment: { LEDGER_WEBHOOKS_TARGETS: '{}' } });
    const { status, body } = await ledger.fetch('/v1/webhooks', json({ url }));
    expect([status, body.errors?.[0]?.pointer]).toEqual([400, '/url']);
    expect(body.detail).toContain(why);
  });

  test('to a name that resolves to a private address sends nothing', async () => {
    const receiver = await receiverForTest();
    const ledger = await ledgerForTest({ clockGoesOn: true, environment: { LEDGER_WEBHOOKS_TARGETS: '{}' } });
    const { webhookId } = await createWebhook(ledger, { url: `https://localhost:${receiver.port}/` });
    const tried = await ledger.fetch(`/v1/webhooks/${webhookId}/test`, { method: 'POST' });
    expect(tried.body).toMatchObject({ delivered: false });
    expect(tried.body.error).toMatch(/is loopback, which webhooks.targets does not allow/);
  });

  test('does not follow a redirect', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const [receiver, other] = [await receiverForTest(), await receiverForTest()];
    receiver.answer = answerWith(302, { location: other.url });
    const { webhookId } = await createWebhook(ledger, receiver);
    const tried = await ledger.fetch(`/v1/webhooks/${webhookId}/test`, { method: 'POST' });
    expect(tried.body.error).toContain('redirects are not followed');
    expect(other.received).toEqual([]);
  });

  test('leaves no secret in the store and none in its list', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    const { secret, webhookId } = await createWebhook(ledger, receiver);
    const bytes = secret.slice('whsec_'.length);
    expect((await ledger.get('/v1/webhooks')).text).not.toContain(bytes);
    expect((await ledger.get(`/v1/webhooks/${webhookId}`)).text).not.toContain(bytes);
    for await (const events of ledger.rooms.store.readAll(0))
      expect(JSON.stringify(events)).not.toContain(bytes);
  });

  test('receives nothing more once it is deleted', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const [receiver, other] = [await receiverForTest(), await receiverForTest()];
    const { webhookId } = await createWebhook(ledger, receiver);
    await createWebhook(ledger, other);
    const gone = await ledger.fetch(`/v1/webhooks/${webhookId}`, { method: 'DELETE' });
    expect(gone.status).toBe(204);
    expect((await ledger.get(`/v1/webhooks/${webhookId}`)).status).toBe(404);
    await eventually(async () => {
      await ledger.record(registered(`c${other.accepted.length}-${receiver.accepted.length}`, MARCH));
      await until(() => other.accepted.length > 0);
    });
    expect(receiver.received).toEqual([]);
  });
});
