import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BATCH, inBinaryMode, type PostedEvent, STRUCTURED } from '../support/cloud-events.ts';
import { requestWith } from '../support/raw-http.ts';
import { sharedLedger } from '../support/shared-ledger.ts';

/**
 * Posts valid events with a defect, and arbitrary requests. The answer is never 500, and a rejected request records no fact.
 * A failure prints the seed and the smallest request that reproduces it.
 */

const ledger = sharedLedger();

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const odd: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    null,
    true,
    0,
    -0,
    1e308,
    -1,
    0.1,
    '',
    ' ',
    '0',
    'null',
    '2026-02-30T00:00:00Z',
    '2026-04-01T00:00:00.0001Z',
    '9999-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00Z',
    '__proto__',
    '\u0000',
    '\u2028',
    '\ud83d\ude00',
    '../../etc/passwd',
    "'; DROP TABLE events; --",
    '=HYPERLINK("x")',
    'x'.repeat(2_000),
    [],
    {},
    [[]],
    { a: { b: [] } },
    'io.clusterledger.cluster.deleted.v1',
    'io.clusterledger.fact.voided.v1',
    '0b6f7f5e-6d0c-5a55-9d8b-0c3a54f0f0a1',
  ),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.integer(),
  fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>,
);

const keys = fc.oneof(
  fc.constantFrom(
    'specversion',
    'id',
    'source',
    'type',
    'subject',
    'time',
    'datacontenttype',
    'dataschema',
    'data',
    'data_base64',
    'accountId',
    'name',
    'billable',
    'labels',
    'cause',
    'voids',
    'reason',
    'evidence',
    'since',
    '__proto__',
    'constructor',
    'toString',
    'ledgerposition',
    'traceid',
    '',
  ),
  fc.string({ maxLength: 12 }),
);

/** One thing done to an event: to its envelope or to its data. */
const mutations = fc.record({ inData: fc.boolean(), key: keys, value: fc.option(odd) });
type Mutation = typeof mutations extends fc.Arbitrary<infer M> ? M : never;

let made = 0;
const templates = fc
  .constantFrom<[string, Record<string, Json>][]>(
    ['cluster.registered', { accountId: 'acme', name: 'one', labels: { team: 'a' }, billable: true }],
    ['cluster.deleted', { reason: 'gone' }],
    ['cluster.unreachable', { since: '2026-04-01T00:00:00.000Z', evidence: { tries: 3 } }],
    ['billing.stopped', { cause: 'manual', reason: 'unpaid' }],
    ['fact.voided', { voids: '0b6f7f5e-6d0c-5a55-9d8b-0c3a54f0f0a1', reason: 'a mistake' }],
  )
  .map(([name, data]) => ({
    specversion: '1.0',
    id: `fuzz-${++made}`,
    source: 'urn:fuzz',
    type: `io.clusterledger.${name}.v1`,
    subject: 'fuzzed',
    time: '2026-04-01T00:00:00Z',
    data,
  }));

const mutated = fc
  .tuple(templates, fc.array(mutations, { minLength: 1, maxLength: 3 }))
  .map(([event, done]) => {
    const copy: Record<string, Json> = structuredClone(event);
    for (const mutation of done) mutate(copy, mutation);
    return copy;
  });

function mutate(event: Record<string, Json>, { inData, key, value }: Mutation): void {
  const data = event['data'];
  const target = inData && typeof data === 'object' && data !== null && !Array.isArray(data) ? data : event;
  if (value === null) delete target[key];
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

/** Asserts what holds of every answer, given how far the log was before it. */
async function holds(status: number, body: string, contentType: string, before: number): Promise<void> {
  expect(status, body).toBeLessThan(500);
  const after = await ledger().head();
  if (status >= 400) {
    expect(contentType).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(body).status).toBe(status);
    // A refused event of the ledger is kept once, not as a fact.
    expect(after - before).toBeLessThanOrEqual([400, 409, 413, 422].includes(status) ? 1 : 0);
    const { events } = (await ledger().get(`/v1/feed?after=${before}`)).body;
    expect(events).toEqual([]);
  } else if (status === 201) {
    expect(after).toBeGreaterThan(before);
  }
}

test('an event with any defect is rejected without a fact or is recorded', async () => {
  await fc.assert(
    fc.asyncProperty(mutated, async (event) => {
      const before = await ledger().head();
      const answer = await ledger().send({
        headers: { 'content-type': STRUCTURED },
        body: JSON.stringify(event),
      });
      await holds(answer.status, answer.text, answer.headers.get('content-type') ?? '', before);
    }),
    { numRuns: 400 },
  );
});

test('the same event in a batch has the same outcome', async () => {
  const code = (problem: { type?: string } | undefined) => problem?.type ?? 'recorded';
  await fc.assert(
    fc.asyncProperty(mutated, async (event) => {
      const body = JSON.stringify(event);
      const single = await ledger().send({ headers: { 'content-type': STRUCTURED }, body });
      const batch = await ledger().send({ headers: { 'content-type': BATCH }, body: `[${body}]` });
      // An event that is not readable JSON makes the whole batch invalid.
      const answered = batch.status === 200 ? batch.body.results[0].problem : batch.body;
      expect(code(answered)).toBe(single.status < 300 ? 'recorded' : code(single.body));
    }),
    { numRuns: 200 },
  );
});

test('a body with bytes changed, cut or put in is rejected without a fact or is recorded', async () => {
  const edits = fc.array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat({ max: 8 }),
      put: fc.uint8Array({ maxLength: 6 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
  await fc.assert(
    fc.asyncProperty(templates, edits, fc.constantFrom(STRUCTURED, BATCH), async (event, done, type) => {
      let bytes = Buffer.from(JSON.stringify(type === BATCH ? [event] : event));
      for (const { at, cut, put } of done) {
        const start = Math.floor(at * bytes.length);
        bytes = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + cut)]);
      }
      const before = await ledger().head();
      const answer = await ledger().send({ headers: { 'content-type': type }, body: new Uint8Array(bytes) });
      await holds(answer.status, answer.text, answer.headers.get('content-type') ?? '', before);
    }),
    { numRuns: 300 },
  );
});

test('an event in binary mode with any headers is rejected without a fact or is recorded', async () => {
  const name = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{0,12}$/);
  const value = fc.oneof(
    fc.stringMatching(/^[\x20-\x7e]{0,40}$/),
    fc.string({ unit: 'binary', maxLength: 10 }).map((text) => encodeURIComponent(text.toWellFormed())),
    fc.string({
      unit: fc.integer({ min: 0xa0, max: 0xff }).map((c) => String.fromCharCode(c)),
      maxLength: 5,
    }),
  );
  const changes = fc.array(
    fc.tuple(
      fc.oneof(
        name,
        keys.filter((key) => /^[a-z]+$/.test(key)),
      ),
      value,
    ),
    {
      minLength: 1,
      maxLength: 3,
    },
  );
  await fc.assert(
    fc.asyncProperty(templates, changes, async (event, changed) => {
      const { headers, body } = inBinaryMode(event as unknown as PostedEvent);
      for (const [attribute, text] of changed) headers[`ce-${attribute}`] = text;
      const before = await ledger().head();
      const message = { path: '/v1/events', method: 'POST', headers };
      const answer = await requestWith(ledger().port, message, body as string);
      await holds(answer.status, answer.body, answer.headers['content-type'] ?? '', before);
    }),
    { numRuns: 200 },
  );
});

test('a read with any URL is answered or rejected, never with 500', async () => {
  const segment = fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .map((text) => encodeURIComponent(text.toWellFormed()));
  const ids = fc.oneof(fc.constant('fuzzed'), segment);
  const path = fc.oneof(
    fc.constantFrom(
      '/v1/usage',
      '/v1/clusters',
      '/v1/accounts',
      '/v1/feed',
      '/v1/rejected-events',
      '/v1/periods',
      '/v1/me',
      '/readyz',
    ),
    segment.map((id) => `/v1/periods/${id}`),
    segment.map((id) => `/v1/periods/2026-01/statements/${id}`),
    ids.map((id) => `/v1/clusters/${id}/billing`),
    ids.map((id) => `/v1/clusters/${id}/events`),
    segment.map((id) => `/v1/accounts/${id}/usage`),
    segment.map((id) => `/v1/events/${id}`),
    fc.webPath(),
  );
  const parameter = fc.constantFrom(
    'period',
    'from',
    'to',
    'through',
    'asOf',
    'granularity',
    'limit',
    'cursor',
    'after',
    'q',
    'sort',
    'status',
    'accountId',
  );
  const value = fc.oneof(
    fc.constantFrom(
      '2026-04',
      '2026-04-01T00:00:00Z',
      '9999-12-31T23:59:59.999Z',
      '1970-01-01T00:00:00Z',
      '0',
      '1',
      'day',
      '999999999999999',
      '-1',
      'W10',
      'WyJhIl0',
      'Wy0xXQ',
      'WzFlMzA4XQ',
      'WzAuNV0',
    ),
    segment,
  );
  const query = fc.array(fc.tuple(parameter, value), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(path, query, async (at, parameters) => {
      const search = parameters.map(([name, text]) => `${name}=${text}`).join('&');
      const answer = await ledger().get(`${at.startsWith('/') ? at : '/'}?${search}`);
      expect(answer.status, answer.text).toBeLessThan(500);
    }),
    { numRuns: 400 },
  );
});
