import { describe, expect, test } from 'vitest';
import { AccessKeys } from '../../src/ledger/access-keys.ts';
import { newKeyText, parseKeyText } from '../../src/ledger/key-text.ts';
import { event, registered } from '../support/cloud-events.ts';
import { bearer, createKey, sendAs } from '../support/keys.ts';
import { ledgerForTest, NOON } from '../support/ledger.ts';
import { double } from '../support/stores.ts';
import { until } from '../support/until.ts';

const DAY_MS = 86_400_000;

describe('a key', () => {
  test('has a prefix, an id, and a secret with a checksum', () => {
    const { id, secret, text } = newKeyText();
    expect(text).toMatch(/^clk_[a-z0-9]{12}_[A-Za-z0-9]{38}$/);
    expect(parseKeyText(text)).toEqual({ id, secret, text });
    const changed = text.slice(0, -8) + (text.at(-8) === 'A' ? 'B' : 'A') + text.slice(-7);
    expect(parseKeyText(changed)).toBeUndefined();
  });

  test('is shown once, and the log has only the hash of its secret', async () => {
    const ledger = await ledgerForTest();
    const { id, key } = await createKey(ledger, undefined, { role: 'operator', name: 'Ada' });
    const list = await ledger.get('/v1/keys', bearer(key));
    expect(list.body.items).toEqual([
      {
        ...{ id, name: 'Ada', role: 'operator', state: 'active', createdBy: 'loopback' },
        ...{ createdAt: NOON, expiresAt: '2027-04-15T12:00:00.000Z', lastUsedAt: NOON },
      },
    ]);
    const events: unknown[] = [];
    for await (const { type, data, metadata } of ledger.rooms.store.readStream('access'))
      events.push({ type, data, metadata });
    expect(events).toEqual([
      {
        type: 'KeyCreated',
        data: {
          ...{ keyId: id, role: 'operator', name: 'Ada', expiresAt: '2027-04-15T12:00:00.000Z' },
          secretHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
        metadata: { source: 'urn:cluster-ledger', actor: 'loopback' },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain(key.split('_')[2]);
  });

  test('raises key-expiring 14 days before it expires, until a later one of the same user replaces it or it is revoked', async () => {
    const ledger = await ledgerForTest();
    const operator = await createKey(ledger, undefined, { role: 'operator' });
    const inDays = (days: number) => new Date(ledger.now + days * DAY_MS).toISOString();
    const pro = { role: 'producer', name: 'pro-app', expiresAt: inDays(100) };
    const expiring = await createKey(ledger, operator.key, pro);
    const other = await createKey(ledger, operator.key, { ...pro, name: 'other-app' });
    const open = async () => {
      const path = '/v1/alerts?state=open&kind=key-expiring';
      const { body } = await ledger.get(path, bearer(operator.key));
      return body.items.map(({ subject }: { subject: string }) => subject).sort();
    };
    ledger.pass(85 * DAY_MS);
    expect(await open()).toEqual([]);
    ledger.pass(2 * DAY_MS);
    expect(await open()).toEqual([expiring.id, other.id].sort());
    await createKey(ledger, operator.key, { ...pro, expiresAt: inDays(90) });
    expect(await open()).toEqual([other.id]);
    ledger.pass(15 * DAY_MS);
    expect(await open()).toEqual([other.id]);
    await sendAs(ledger, operator.key, 'POST', `/v1/keys/${other.id}/revoke`);
    expect(await open()).toEqual([]);
  });

  test('is the actor of what is done with it', async () => {
    const ledger = await ledgerForTest();
    const operator = await createKey(ledger, undefined, { role: 'operator' });
    const producer = await createKey(ledger, operator.key, { role: 'producer' });
    const event = JSON.stringify(registered('c1', '2026-04-10T00:00:00.000Z'));
    const headers = { ...bearer(producer.key), 'content-type': 'application/cloudevents+json' };
    expect((await ledger.fetch('/v1/events', { method: 'POST', headers, body: event })).status).toBe(201);
    const window = 'from=2026-04-01T00:00:00Z&to=2026-05-01T00:00:00Z';
    const { body } = await ledger.get(`/v1/accounts/acme/usage/explain?${window}`, bearer(operator.key));
    expect(body.clusters[0].intervals[0].openedBy.actor).toBe(producer.id);
    expect((await ledger.get('/v1/me', bearer(producer.key))).body).toEqual({
      actor: producer.id,
      role: 'producer',
    });
  });

  test('still works, and shows its last use, after a restart', async () => {
    const ledger = await ledgerForTest();
    const { key } = await createKey(ledger, undefined, { role: 'operator' });
    await ledger.get('/v1/me', bearer(key));
    ledger.pass(60_000);
    await ledger.get('/v1/me', bearer(key));
    await ledger.reopen();
    expect((await ledger.get('/v1/me')).status).toBe(401);
    ledger.pass(600_000);
    const { body } = await ledger.get('/v1/keys', bearer(key));
    expect(body.items[0].lastUsedAt).toBe('2026-04-15T12:11:00.000Z');
  });

  test('expires when its time has come, and after 365 days at most', async () => {
    const ledger = await ledgerForTest();
    const operator = await createKey(ledger, undefined, { role: 'operator' });
    const { key } = await createKey(ledger, operator.key, {
      role: 'billing',
      expiresAt: '2026-04-15T13:00:00.000Z',
    });
    ledger.pass(3_599_000);
    expect((await ledger.get('/v1/periods', bearer(key))).status).toBe(200);
    ledger.pass(1_000);
    const { status, body } = await ledger.get('/v1/periods', bearer(key));
    expect([status, body.detail]).toEqual([401, expect.stringMatching(/is expired$/)]);
    for (const expiresAt of ['2026-04-15T12:00:00Z', new Date(ledger.now + 366 * DAY_MS).toISOString()]) {
      const fields = { name: 'too long', role: 'billing', expiresAt };
      const answer = await sendAs(ledger, operator.key, 'POST', '/v1/keys', fields);
      expect(answer.status).toBe(400);
      expect(answer.body.errors[0].pointer).toBe('/expiresAt');
    }
  });

  test('has an account if it is for a customer, and only then', async () => {
    const ledger = await ledgerForTest();
    const { key } = await createKey(ledger, undefined, { role: 'operator' });
    for (const fields of [{ role: 'customer' }, { role: 'billing', accountId: 'acme' }]) {
      const { status, body } = await sendAs(ledger, key, 'POST', '/v1/keys', { name: 'x', ...fields });
      expect(status).toBe(400);
      expect(body.errors[0].pointer).toBe('/accountId');
    }
  });
});

describe('a key of a producer', () => {
  test.each(['billing.stopped', 'billing.resumed', 'fact.voided'])(
    'cannot post %s, which only an operator decides; the event is kept with its actor',
    async (name) => {
      const ledger = await ledgerForTest();
      const [fact] = await ledger.record(registered('c1', '2026-04-10T00:00:00.000Z'));
      const operator = await createKey(ledger, undefined, { role: 'operator' });
      const producer = await createKey(ledger, operator.key, { role: 'producer' });
      const data = name === 'fact.voided' ? { voids: fact?.eventId, reason: 'x' } : { cause: 'manual' };
      const body = JSON.stringify(event(name, 'c1', NOON, data));
      const headers = { 'content-type': 'application/cloudevents+json' };
      const post = (key: string) =>
        ledger.fetch('/v1/events', { method: 'POST', headers: { ...headers, ...bearer(key) }, body });
      const refused = await post(producer.key);
      expect([refused.status, refused.body.type]).toEqual([
        403,
        'urn:cluster-ledger:problem:correction-needs-operator',
      ]);
      const { body: kept } = await ledger.get('/v1/rejected-events', bearer(operator.key));
      expect(kept.items).toMatchObject([{ clusterId: 'c1', actor: producer.id }]);
      const { body: alerts } = await ledger.get('/v1/alerts', bearer(operator.key));
      expect(alerts.items[0].happened).toContain(`${producer.id} posted it`);
      expect((await post(operator.key)).status).toBe(201);
    },
  );

  test('reads the clusters and facts that keys of its name posted, and no others', async () => {
    const ledger = await ledgerForTest();
    const { key: by } = await createKey(ledger, undefined, { role: 'operator' });
    const [first, next, other] = await Promise.all(
      ['pro-app', 'pro-app', 'other'].map((name) => createKey(ledger, by, { role: 'producer', name })),
    );
    const body = JSON.stringify(registered('c1', '2026-04-10T00:00:00.000Z'));
    const headers = { ...bearer(first?.key ?? ''), 'content-type': 'application/cloudevents+json' };
    const { eventId } = (await ledger.fetch('/v1/events', { method: 'POST', headers, body })).body;
    await sendAs(ledger, by, 'POST', '/v1/clusters/c1/billing-stops', {});
    for (const path of ['/v1/clusters/c1', '/v1/clusters/c1/events', `/v1/events/${eventId}`]) {
      expect((await ledger.get(path, bearer(next?.key ?? ''))).status, path).toBe(200);
      expect((await ledger.get(path, bearer(other?.key ?? ''))).status, path).toBe(404);
    }
    const { items } = (await ledger.get('/v1/clusters/c1/events', bearer(next?.key ?? ''))).body;
    expect(items.map((item: { ledgereventid: string }) => item.ledgereventid)).toEqual([eventId]);
  });
});

test('two replicas on EventStoreDB know the keys of each other, and a revoked one is dead on both', async () => {
  const environment = { LEDGER_NAMESPACE: `keys-${Date.now()}` };
  const options = { store: double.connection, environment };
  const one = await ledgerForTest(options);
  // All replicas sign with one key.
  const two = await ledgerForTest({ ...options, signedLog: { keyFile: one.keyFile } });
  const { key: by } = await createKey(one, undefined, { role: 'operator' });
  two.pass(30_000);
  expect((await two.get('/v1/me')).status).toBe(401);
  const { id, key } = await createKey(two, by, { role: 'auditor' });
  one.pass(2_000);
  expect((await one.get('/v1/me', bearer(key))).status).toBe(200);
  await sendAs(one, by, 'POST', `/v1/keys/${id}/revoke`);
  expect((await one.get('/v1/me', bearer(key))).status).toBe(401);
  two.pass(30_000);
  expect((await two.get('/v1/me', bearer(key))).status).toBe(401);
});

describe('a revoked key', () => {
  test('is refused at once, with its actor and reason in the list', async () => {
    const ledger = await ledgerForTest();
    const operator = await createKey(ledger, undefined, { role: 'operator' });
    const { id, key } = await createKey(ledger, operator.key, { role: 'auditor' });
    expect((await ledger.get('/v1/alerts', bearer(key))).status).toBe(200);
    const revoke = () =>
      sendAs(ledger, operator.key, 'POST', `/v1/keys/${id}/revoke`, { reason: 'was in a repository' });
    expect((await revoke()).body).toMatchObject({ state: 'revoked', revokedBy: operator.id });
    expect((await ledger.get('/v1/alerts', bearer(key))).status).toBe(401);
    const again = await revoke();
    expect(again.status).toBe(200);
    expect(again.body.revocationReason).toBe('was in a repository');
  });

  test('is refused by another replica within 30 seconds', async () => {
    const ledger = await ledgerForTest();
    const operator = await createKey(ledger, undefined, { role: 'operator' });
    const { id, key } = await createKey(ledger, operator.key, { role: 'auditor' });
    const now = () => ledger.now;
    const replica = new AccessKeys(ledger.rooms.store, {
      ...{ now, recordingTime: now, monotonic: now },
      hasOtherOperators: false,
    });
    const parsed = parseKeyText(key) as NonNullable<ReturnType<typeof parseKeyText>>;
    expect((await replica.verify(parsed))?.revoked).toBeUndefined();
    await sendAs(ledger, operator.key, 'POST', `/v1/keys/${id}/revoke`);
    ledger.pass(30_000);
    expect((await replica.verify(parsed))?.revoked).toMatchObject({ by: operator.id });
  });

  test('ends the answers that are being sent to its holder', async () => {
    const ledger = await ledgerForTest();
    const operator = await createKey(ledger, undefined, { role: 'operator' });
    const { id, key } = await createKey(ledger, operator.key, { role: 'billing' });
    const waiting = ledger.get('/v1/feed?after=1&wait=30', bearer(key)).then(
      () => 'answered',
      () => 'cut',
    );
    await until(() => Promise.resolve(ledger.rooms.openAnswers.count > 0));
    await ledger.rooms.openAnswers.check();
    expect(ledger.rooms.openAnswers.count).toBe(1);
    await sendAs(ledger, operator.key, 'POST', `/v1/keys/${id}/revoke`);
    await ledger.rooms.openAnswers.check();
    expect(await waiting).toBe('cut');
  });

  test('ends the stream of events that its holder reads', async () => {
    const ledger = await ledgerForTest();
    const operator = await createKey(ledger, undefined, { role: 'operator' });
    const { id, key } = await createKey(ledger, operator.key, { role: 'auditor' });
    const response = await fetch(`http://127.0.0.1:${ledger.port}/v1/stream`, { headers: bearer(key) });
    const ended = response.text().then(
      () => 'ended',
      () => 'cut',
    );
    await ledger.rooms.openAnswers.check();
    expect(ledger.rooms.openAnswers.count).toBe(1);
    await sendAs(ledger, operator.key, 'POST', `/v1/keys/${id}/revoke`);
    await ledger.rooms.openAnswers.check();
    expect(await ended).toBe('cut');
  });

  test('cannot be the last one of an operator, because nobody could create another one', async () => {
    const ledger = await ledgerForTest();
    const { id, key } = await createKey(ledger, undefined, { role: 'operator' });
    const { status, body } = await sendAs(ledger, key, 'POST', `/v1/keys/${id}/revoke`);
    expect([status, body.type]).toEqual([409, 'urn:cluster-ledger:problem:last-operator-key']);
    const other = await createKey(ledger, key, { role: 'operator' });
    expect((await sendAs(ledger, other.key, 'POST', `/v1/keys/${id}/revoke`)).status).toBe(200);
  });
});

describe('a ledger without keys', () => {
  test('takes every caller on a loopback address for an operator, until the first key exists', async () => {
    const ledger = await ledgerForTest();
    expect((await ledger.get('/v1/me')).body).toEqual({ actor: 'loopback', role: 'operator' });
    const rejected = await sendAs(ledger, undefined, 'POST', '/v1/keys', { name: 'x', role: 'billing' });
    expect([rejected.status, rejected.body.type]).toEqual([
      409,
      'urn:cluster-ledger:problem:operator-key-first',
    ]);
    await createKey(ledger, undefined, { role: 'operator' });
    expect((await ledger.get('/v1/me')).status).toBe(401);
  });

  test('serves a host of another name only with a key', async () => {
    const ledger = await ledgerForTest();
    const asked = async (headers: Record<string, string>) => {
      const { statusCode } = await ledger.rooms.app.inject({
        url: '/v1/me',
        headers: { host: 'ledger.example.com', ...headers },
      });
      return statusCode;
    };
    expect(await asked({})).toBe(421);
    const { key } = await createKey(ledger, undefined, { role: 'operator' });
    expect(await asked(bearer(key))).toBe(200);
    expect(await asked({})).toBe(401);
  });
});

describe('the bootstrap key', () => {
  const environment = { LEDGER_BOOTSTRAP_KEY: 'a-secret-of-the-deployment' };
  const secret = environment.LEDGER_BOOTSTRAP_KEY;

  test('counts as the key of an operator until the first one exists', async () => {
    const ledger = await ledgerForTest({ environment });
    expect((await ledger.get('/v1/me')).status).toBe(401);
    expect((await ledger.get('/v1/me', bearer(secret))).body).toEqual({
      actor: 'bootstrap',
      role: 'operator',
    });
    expect((await ledger.get('/v1/me', bearer(`${secret}x`))).status).toBe(401);
    const billing = await sendAs(ledger, secret, 'POST', '/v1/keys', { name: 'x', role: 'billing' });
    expect(billing.body.type).toBe('urn:cluster-ledger:problem:operator-key-first');
    const { key } = await createKey(ledger, secret, { role: 'operator' });
    expect((await ledger.get('/v1/me', bearer(secret))).status).toBe(401);
    expect((await ledger.get('/v1/me', bearer(key))).status).toBe(200);
    await ledger.reopen();
    expect((await ledger.get('/v1/me', bearer(secret))).status).toBe(401);
  });
});

describe('requests', () => {
  test('beyond the limit of a key are answered 429, and those of other keys are not', async () => {
    const ledger = await ledgerForTest({ environment: { LEDGER_HTTP_RATE_LIMIT: '5' } });
    const operator = await createKey(ledger, undefined, { role: 'operator' });
    const auditor = await createKey(ledger, operator.key, { role: 'auditor' });
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await ledger.get('/v1/me', bearer(auditor.key))).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    const { headers, body } = await ledger.get('/v1/me', bearer(auditor.key));
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(body.type).toBe('urn:cluster-ledger:problem:rate-limited');
    expect((await ledger.get('/v1/me', bearer(operator.key))).status).toBe(200);
    expect((await ledger.get('/livez')).status).toBe(200);
  });

  test('are answered 429 once an address has sent too many wrong keys', async () => {
    const ledger = await ledgerForTest({
      environment: {
        LEDGER_HTTP_RATE_LIMIT: '3',
        LEDGER_HTTP_TRUST_PROXY: '[127.0.0.0/8]',
        LEDGER_BOOTSTRAP_KEY: 'a-secret-of-the-deployment',
      },
    });
    const from = async (address: string) =>
      (await ledger.get('/v1/me', { ...bearer('wrong'), 'x-forwarded-for': address })).status;
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push(await from('192.0.2.1'));
    expect(statuses).toEqual([401, 401, 401, 429]);
    expect(await from('192.0.2.2')).toBe(401);
  });

  test('leave no key and no token in the log of the process', async () => {
    const ledger = await ledgerForTest();
    const { key } = await createKey(ledger, undefined, { role: 'operator' });
    await ledger.get('/v1/me', bearer(`${key}x`));
    await ledger.get(`/v1/me?key=${key}`, bearer(key));
    expect(JSON.stringify(ledger.logged)).not.toContain(key.split('_')[2]);
  });
});
