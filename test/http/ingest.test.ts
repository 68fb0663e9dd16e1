import { CloudEvent, HTTP } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import {
  BATCH,
  deleted,
  event,
  inBinaryMode,
  inStructuredMode,
  type PostedEvent,
  registered,
  STRUCTURED,
  stopped,
} from '../support/cloud-events.ts';
import { type Answer, ledgerForTest, NOON, type TestLedger } from '../support/ledger.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

/** The only fact of a cluster, as the ledger gives it out. */
async function onlyFactOf(ledger: TestLedger, clusterId: string): Promise<Record<string, unknown>> {
  const { body } = await ledger.get(`/v1/clusters/${clusterId}/events`);
  expect(body.items).toHaveLength(1);
  return body.items[0];
}

describe('an event', () => {
  test('is answered with its position when it is durable', async () => {
    const ledger = await ledgerForTest();
    const answer = await ledger.post(registered('c1', APRIL));
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      outcome: 'appended',
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      clusterId: 'c1',
      revision: 0,
      position: '1',
      recordedAt: NOON,
    });
  });

  test('is the same fact in each of the three modes', async () => {
    const ledger = await ledgerForTest();
    const data = { accountId: 'acme', name: 'Zürich "one" 100 %', labels: { team: 'a' }, billable: false };
    const inMode = (subject: string) =>
      event('cluster.registered', subject, APRIL, data, {
        id: 'ü %41"',
        traceparent: '00-ä',
        dataschema: 'urn:s',
      });
    await ledger.post(inMode('c1'));
    await ledger.postBinary(inMode('c2'));
    await ledger.postBatch([inMode('c3')]);
    const facts = [];
    for (const clusterId of ['c1', 'c2', 'c3']) {
      const { subject, ledgerposition, ledgereventid, ...fact } = await onlyFactOf(ledger, clusterId);
      expect([subject, typeof ledgerposition, typeof ledgereventid]).toEqual([clusterId, 'string', 'string']);
      facts.push(fact);
    }
    expect(facts[0]).toMatchObject({ id: 'ü %41"', traceparent: '00-ä', dataschema: 'urn:s', data });
    expect(facts[1]).toEqual(facts[0]);
    expect(facts[2]).toEqual(facts[0]);
  });

  test.each([
    'cluster.deleted',
    'cluster.deletion-requested',
    'cluster.deletion-confirmed',
    'cluster.deletion-cancelled',
    'cluster.deletion-failed',
    'cluster.unreachable',
    'cluster.reachable',
  ])('%s needs no data in any mode', async (name) => {
    const ledger = await ledgerForTest();
    expect((await ledger.post(event(name, 'c1', APRIL))).status).toBe(201);
    expect(await ledger.postBinary(event(name, 'c2', APRIL))).toMatchObject({ status: 201 });
    const { body } = await ledger.postBatch([event(name, 'c3', APRIL)]);
    expect(body.results[0].outcome).toBe('appended');
  });

  test('keeps its extension attributes with their types', async () => {
    const ledger = await ledgerForTest();
    const extensions = { comexampletext: 'ä', comexampleflag: false, comexamplecount: -7, data0: 'x' };
    await ledger.post(event('cluster.reachable', 'c1', APRIL, undefined, extensions));
    expect(await onlyFactOf(ledger, 'c1')).toMatchObject(extensions);
  });

  test('may name a charset, and its content type in any case', async () => {
    const ledger = await ledgerForTest();
    const { body } = inStructuredMode(registered('c1', APRIL));
    const headers = { 'content-type': 'Application/CloudEvents+JSON; Charset="UTF-8"' };
    expect((await ledger.send({ headers, body: body as string })).status).toBe(201);
  });

  test('may have quoted and percent-encoded attributes in binary mode', async () => {
    const ledger = await ledgerForTest();
    const { headers, body } = inBinaryMode(registered('c1', APRIL));
    const attributes = { 'ce-id': '"a \\"b\\" c"', 'ce-comexample': 'Euro%20%E2%82%AC%20%F0%9F%98%80' };
    await ledger.send({ headers: { ...headers, ...attributes }, body: body as string });
    expect(await onlyFactOf(ledger, 'c1')).toMatchObject({ id: 'a "b" c', comexample: 'Euro € 😀' });
  });

  test('is stored with millisecond precision in UTC, for any time zone', async () => {
    const ledger = await ledgerForTest();
    await ledger.post(registered('c1', '2026-04-01T02:00:00.120+02:00'));
    expect(await onlyFactOf(ledger, 'c1')).toMatchObject({ time: '2026-04-01T00:00:00.120Z' });
  });
});

describe('a producer with the CloudEvents SDK', () => {
  const attributes = {
    id: 'sdk-1',
    source: '/pro/clusters',
    type: 'io.clusterledger.cluster.registered.v1',
    time: '2026-04-01T00:00:00.000Z',
    data: { accountId: 'acme', name: 'Zürich' },
    traceid: 'abc',
  };
  const sdkEvent = (subject: string) => new CloudEvent({ ...attributes, subject });
  const send = (ledger: TestLedger, { headers, body }: ReturnType<typeof HTTP.structured>): Promise<Answer> =>
    ledger.send({ headers: headers as Record<string, string>, body: body as string });

  test('posts in structured mode', async () => {
    const ledger = await ledgerForTest();
    expect((await send(ledger, HTTP.structured(sdkEvent('c1')))).status).toBe(201);
    expect(await onlyFactOf(ledger, 'c1')).toMatchObject({ ...attributes, subject: 'c1' });
  });

  test('posts in binary mode', async () => {
    const ledger = await ledgerForTest();
    expect((await send(ledger, HTTP.binary(sdkEvent('c1')))).status).toBe(201);
    expect(await onlyFactOf(ledger, 'c1')).toMatchObject({ ...attributes, subject: 'c1' });
  });

  test('posts a batch', async () => {
    const ledger = await ledgerForTest();
    const body = JSON.stringify([sdkEvent('c1'), sdkEvent('c2')]);
    const answer = await ledger.send({ headers: { 'content-type': `${BATCH}; charset=utf-8` }, body });
    expect(answer.body.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'appended',
      'appended',
    ]);
  });

  test('gets a duplicate for the same event in another mode', async () => {
    const ledger = await ledgerForTest();
    const first = await send(ledger, HTTP.structured(sdkEvent('c1')));
    const again = await send(ledger, HTTP.binary(sdkEvent('c1')));
    expect(again).toMatchObject({ status: 200, body: { ...first.body, outcome: 'duplicate' } });
  });

  test('can parse the events of the feed', async () => {
    const ledger = await ledgerForTest();
    await send(ledger, HTTP.structured(sdkEvent('c1')));
    const { body } = await ledger.get('/v1/feed');
    const read = HTTP.toEvent({ headers: { 'content-type': BATCH }, body: JSON.stringify(body.events) });
    expect(read).toMatchObject([
      { id: 'sdk-1', source: '/pro/clusters', subject: 'c1', ledgerposition: '1' },
    ]);
  });
});

describe('the same event again', () => {
  test('is a duplicate with the position of the first one, in any mode and much later', async () => {
    const ledger = await ledgerForTest();
    const registration = registered('c1', APRIL);
    const first = await ledger.post(registration);
    ledger.pass(100 * 86_400_000);
    const duplicate = { status: 200, body: { ...first.body, outcome: 'duplicate' } };
    expect(await ledger.post(registration)).toMatchObject(duplicate);
    expect(await ledger.postBinary(registration)).toMatchObject(duplicate);
    const { body } = await ledger.postBatch([registration, registration]);
    expect(body.results).toEqual([duplicate.body, duplicate.body]);
    expect(await ledger.head()).toBe(1);
  });

  test('is a duplicate if only the form differs: order of keys, time zone, explicit defaults', async () => {
    const ledger = await ledgerForTest();
    const id = { id: 'e-same' };
    await ledger.post(event('cluster.registered', 'c1', APRIL, { accountId: 'acme', name: 'n' }, id));
    const other = { name: 'n', billable: true, accountId: 'acme' };
    const again = await ledger.post(
      event('cluster.registered', 'c1', '2026-04-01T02:00:00+02:00', other, id),
    );
    expect(again).toMatchObject({ status: 200, body: { outcome: 'duplicate', position: '1' } });
  });

  test('is recorded once if a batch repeats it', async () => {
    const ledger = await ledgerForTest();
    const registration = registered('c1', APRIL);
    const { body } = await ledger.postBatch([registration, registration]);
    expect(body.results).toMatchObject([
      { outcome: 'appended', position: '1' },
      { outcome: 'duplicate', position: '1' },
    ]);
  });

  test('is recorded once if many producers post it concurrently', async () => {
    const ledger = await ledgerForTest();
    const registration = registered('c1', APRIL);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ledger.post(registration)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(await ledger.head()).toBe(1);
  });

  test('is another event for another cluster, and for another source', async () => {
    const ledger = await ledgerForTest();
    const one = stopped('c1', APRIL);
    await ledger.record(one, { ...one, subject: 'c2' }, { ...one, source: 'urn:other' });
    expect((await ledger.get('/v1/feed')).body.events).toHaveLength(3);
  });

  test('is a duplicate after a restart', async () => {
    const ledger = await ledgerForTest();
    const evidence = { tries: 3, ratio: 0.1, big: 1e21, deep: [{ a: null }, 'ü', true], text: '' };
    const events = [
      registered('c1', APRIL, 'acme', { labels: { b: '1', a: '2' }, region: 'eu' }),
      event('cluster.unreachable', 'c1', APRIL, { since: APRIL, evidence }),
      deleted('c1', '2026-04-02T00:00:00Z'),
    ];
    const first = await ledger.record(...events);
    await ledger.reopen();
    for (const [i, posted] of events.entries()) {
      const again = await ledger.post(posted);
      expect(again).toMatchObject({ status: 200, body: { ...first[i], outcome: 'duplicate' } });
    }
  });

  test.each([
    ['a double with 17 digits', '0.10000000000000001'],
    ['a whole number with a fraction', '1.50e1'],
    ['an exponent', '1E+2'],
  ])('is a duplicate after a restart though its evidence holds %s', async (_, number) => {
    const ledger = await ledgerForTest();
    const posted = event('cluster.unreachable', 'c1', APRIL, { evidence: { number: 4711 } });
    const { headers, body } = inStructuredMode(posted);
    const message = { headers, body: (body as string).replace('4711', number) };
    expect((await ledger.send(message)).status).toBe(201);
    expect(await ledger.send(message)).toMatchObject({ status: 200 });
    await ledger.reopen();
    expect(await ledger.send(message)).toMatchObject({ status: 200, body: { outcome: 'duplicate' } });
  });
});

describe('another event under the id of an earlier one', () => {
  const first = registered('c1', APRIL);
  const others: [string, PostedEvent][] = [
    ['other data', { ...first, data: { ...first.data, name: 'another' } }],
    ['another time', { ...first, time: '2026-04-02T00:00:00Z' }],
    ['another type', { ...stopped('c1', APRIL), id: first.id }],
  ];

  test.each(others)('is rejected if it has %s, and nothing is overwritten', async (_, other) => {
    const ledger = await ledgerForTest();
    await ledger.record(first);
    const answer = await ledger.post(other);
    expect(answer).toMatchObject({
      status: 409,
      body: { type: 'urn:cluster-ledger:problem:event-id-reused', errors: [{ pointer: '/id' }] },
    });
    expect(await onlyFactOf(ledger, 'c1')).toMatchObject({ time: APRIL, data: { name: 'c1' } });
  });

  test('is rejected after a restart', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(first);
    await ledger.reopen();
    for (const [, other] of others) expect((await ledger.post(other)).status).toBe(409);
  });

  test('is rejected within one batch', async () => {
    const ledger = await ledgerForTest();
    const { body } = await ledger.postBatch([first, others[0]?.[1] as PostedEvent]);
    expect(body.results).toMatchObject([
      { outcome: 'appended' },
      { outcome: 'rejected', problem: { status: 409 } },
    ]);
  });
});

describe('a batch', () => {
  test('has one result per event in order, and an invalid event does not affect the others', async () => {
    const ledger = await ledgerForTest();
    const { status, body } = await ledger.postBatch([
      registered('c1', APRIL),
      { ...registered('c2', APRIL), time: 'yesterday' },
      registered('c1', APRIL, 'globex'),
      null,
      deleted('c1', '2026-04-03T00:00:00Z'),
      registered('c3', APRIL),
    ] as PostedEvent[]);
    expect(status).toBe(200);
    expect(body.results).toMatchObject([
      { outcome: 'appended', clusterId: 'c1', revision: 0 },
      { outcome: 'rejected', problem: { status: 400, errors: [{ pointer: '/time' }] } },
      {
        outcome: 'rejected',
        problem: { status: 409, type: 'urn:cluster-ledger:problem:registration-conflict' },
      },
      { outcome: 'rejected', problem: { status: 400 } },
      { outcome: 'appended', clusterId: 'c1', revision: 1 },
      { outcome: 'appended', clusterId: 'c3', revision: 0 },
    ]);
  });

  test('may be empty', async () => {
    const ledger = await ledgerForTest();
    expect(await ledger.postBatch([])).toMatchObject({ status: 200, body: { results: [] } });
  });

  test('may have at most 1,000 events', async () => {
    const ledger = await ledgerForTest();
    const events = Array.from({ length: 1_001 }, (_, i) => registered(`c${i}`, APRIL));
    expect(await ledger.postBatch(events)).toMatchObject({ status: 413 });
    expect(await ledger.head()).toBe(0);
    const { body } = await ledger.postBatch(events.slice(1));
    const positions = body.results.map(({ position }: { position: string }) => Number(position));
    expect(positions).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  });
});

test('a deletion is recorded together with a BillingStopped notice', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', APRIL), deleted('c1', '2026-04-10T00:00:00Z'));
  const { body } = await ledger.get('/v1/feed');
  expect(body.events).toMatchObject([
    { type: 'io.clusterledger.cluster.registered.v1' },
    { type: 'io.clusterledger.cluster.deleted.v1', ledgerposition: '2' },
    {
      type: 'io.clusterledger.billing.stopped.v1',
      source: 'urn:cluster-ledger',
      time: '2026-04-10T00:00:00.000Z',
      ledgerposition: '3',
      data: { cause: 'deleted' },
    },
  ]);
});

test('a recorded fact can be read by its event id', async () => {
  const ledger = await ledgerForTest();
  const registration = registered('c1', APRIL);
  const [recorded] = await ledger.record(registration);
  expect(await ledger.get(`/v1/events/${recorded?.eventId}`)).toMatchObject({
    status: 200,
    body: {
      id: registration.id,
      source: registration.source,
      ledgereventid: recorded?.eventId,
      ledgerrevision: 0,
    },
  });
});

test('an event posted as plain JSON without attributes gets 415 with the accepted media types', async () => {
  const ledger = await ledgerForTest();
  const body = JSON.stringify(registered('c1', APRIL));
  const answer = await ledger.send({ headers: { 'content-type': 'application/json' }, body });
  expect(answer.status).toBe(415);
  expect(answer.body.detail).toContain(STRUCTURED);
});
