import { afterAll, describe, expect, test } from 'vitest';
import {
  BATCH,
  inBatchMode,
  inBinaryMode,
  inStructuredMode,
  type Message,
  registered,
  STRUCTURED,
} from '../support/cloud-events.ts';
import { requestWith } from '../support/raw-http.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { readLog } from '../support/store-events.ts';

/**
 * A malformed request gets a problem that names the field, is never answered with 5xx, and records no fact.
 */

const ledger = sharedLedger();

const APRIL = '2026-04-01T00:00:00Z';
const valid = registered('good', APRIL);
const observed = { ...valid, id: 'observed', type: 'io.clusterledger.cluster.unreachable.v1' };
const stop = { ...valid, type: 'io.clusterledger.billing.stopped.v1' };
const voiding = { ...valid, type: 'io.clusterledger.fact.voided.v1' };
const without = (field: string) =>
  Object.fromEntries(Object.entries(valid).filter(([name]) => name !== field));
const withData = (data: object) => ({ ...valid, data: { ...valid.data, ...data } });

/** The text of a valid event with a part replaced by what `JSON.stringify` would never write. */
const withText = (marker: string, text: string) =>
  JSON.stringify(withData({ name: marker })).replace(`"${marker}"`, text);

async function refuses(message: Message): Promise<{ status: number; pointers: string[] }> {
  const { status, body, headers, text } = await ledger().send(message);
  expect(status, text).toBeGreaterThanOrEqual(400);
  expect(status, text).toBeLessThan(500);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status, type: expect.stringMatching(/^urn:cluster-ledger:problem:/) });
  expect(body.detail.length).toBeGreaterThan(0);
  return { status, pointers: (body.errors ?? []).map(({ pointer }: { pointer: string }) => pointer) };
}

afterAll(async () => {
  // No fact was recorded of all this: the log has only the well-formed events, each as a rejected event.
  const stored = await readLog(ledger().rooms.store);
  expect(new Set(stored.map(({ type }) => type))).toEqual(new Set(['EventRejected']));
  expect((await ledger().get('/v1/clusters')).body.items).toEqual([]);
});

const fields: [what: string, event: unknown, pointer: string][] = [
  // The envelope.
  ['a list', [valid], ''],
  ['text', 'event', ''],
  ['a number', 7, ''],
  ['null', null, ''],
  ['an empty object', {}, '/type'],
  ['no specversion', without('specversion'), '/specversion'],
  ['another specversion', { ...valid, specversion: '0.3' }, '/specversion'],
  ['a specversion that is a number', { ...valid, specversion: 1.0 }, '/specversion'],
  ['no id', without('id'), '/id'],
  ['an empty id', { ...valid, id: '' }, '/id'],
  ['an id that is a number', { ...valid, id: 5 }, '/id'],
  ['an id of 256 letters', { ...valid, id: 'x'.repeat(256) }, '/id'],
  ['an id with a line end', { ...valid, id: 'a\nb' }, '/id'],
  ['no source', without('source'), '/source'],
  ['a source that is null', { ...valid, source: null }, '/source'],
  ['no type', without('type'), '/type'],
  ['a type of somebody else', { ...valid, type: 'com.example.thing' }, '/type'],
  ['a type of a version to come', { ...valid, type: 'io.clusterledger.cluster.registered.v2' }, '/type'],
  ['a type that is an object', { ...valid, type: {} }, '/type'],
  ['no subject', without('subject'), '/subject'],
  ['a subject that is a list', { ...valid, subject: ['good'] }, '/subject'],
  ['an empty subject', { ...valid, subject: '' }, '/subject'],
  ['a subject with a blank', { ...valid, subject: 'a b' }, '/subject'],
  ['a subject that climbs', { ...valid, subject: '../x' }, '/subject'],
  ['a subject of 129 letters', { ...valid, subject: 'x'.repeat(129) }, '/subject'],
  ['a subject that looks like an A', { ...valid, subject: 'А' }, '/subject'],
  ['XML as its content type', { ...valid, datacontenttype: 'application/xml' }, '/datacontenttype'],
  ['a schema that is a number', { ...valid, dataschema: 1 }, '/dataschema'],
  ['data in two forms', { ...valid, data_base64: 'e30=' }, '/data_base64'],
  ['data that is not base64', { ...without('data'), data_base64: 'e30' }, '/data_base64'],
  ['data in base64 that is not JSON', { ...without('data'), data_base64: 'e3s=' }, '/data_base64'],
  ['data in base64 with an unknown field', { ...without('data'), data_base64: 'eyJ4IjoxfQ==' }, '/data/x'],
  ['an attribute in upper case', { ...valid, traceId: 'x' }, '/traceId'],
  ['an attribute with a dash', { ...valid, 'trace-id': 'x' }, '/trace-id'],
  ['an attribute with a slash', { ...valid, 'a/b~c': 'x' }, '/a~1b~0c'],
  ['an attribute without a name', { ...valid, '': 'x' }, '/'],
  ['an attribute that is an object', { ...valid, traceid: {} }, '/traceid'],
  ['an attribute that is a fraction', { ...valid, traceid: 0.5 }, '/traceid'],
  ['an attribute beyond 32 bits', { ...valid, traceid: 2 ** 31 }, '/traceid'],
  ['a place in the log that the producer chose', { ...valid, ledgerposition: '1' }, '/ledgerposition'],
  ['a recorded time that the producer chose', { ...valid, recordedtime: APRIL }, '/recordedtime'],
  // Time.
  ['no time', without('time'), '/time'],
  ['a time that is a number', { ...valid, time: 1_775_001_600 }, '/time'],
  ['a time that is null', { ...valid, time: null }, '/time'],
  ['an empty time', { ...valid, time: '' }, '/time'],
  ['a day that February does not have', { ...valid, time: '2026-02-30T00:00:00Z' }, '/time'],
  ['February 29 of another year', { ...valid, time: '2026-02-29T00:00:00Z' }, '/time'],
  ['second 61', { ...valid, time: '2025-12-31T23:59:61Z' }, '/time'],
  ['hour 24', { ...valid, time: '2026-03-31T24:00:00Z' }, '/time'],
  ['no zone', { ...valid, time: '2026-04-01T00:00:00' }, '/time'],
  ['a day alone', { ...valid, time: '2026-04-01' }, '/time'],
  ['a blank for the T', { ...valid, time: '2026-04-01 00:00:00Z' }, '/time'],
  ['a time before 1970', { ...valid, time: '1969-12-31T23:59:59Z' }, '/time'],
  ['a year of 5 digits', { ...valid, time: '+10000-01-01T00:00:00Z' }, '/time'],
  // Data.
  ['no data', without('data'), '/data'],
  ['data that is null', { ...valid, data: null }, '/data'],
  ['data that is a list', { ...valid, data: [] }, '/data'],
  ['data that is text', { ...valid, data: '{}' }, '/data'],
  ['a field that is not known', withData({ price: 1 }), '/data/price'],
  ['a field in another case', withData({ AccountId: 'acme' }), '/data/AccountId'],
  ['no account', { ...valid, data: { name: 'x' } }, '/data/accountId'],
  ['an account that is a number', withData({ accountId: 4711 }), '/data/accountId'],
  ['an account that is a formula', withData({ accountId: '=1+1' }), '/data/accountId'],
  ['an account that is null', withData({ accountId: null }), '/data/accountId'],
  ['no name', { ...valid, data: { accountId: 'acme' } }, '/data/name'],
  ['an empty name', withData({ name: '' }), '/data/name'],
  ['a name with a NUL', withData({ name: 'a\0b' }), '/data/name'],
  ['a name of 254 letters', withData({ name: 'x'.repeat(254) }), '/data/name'],
  ['billable in words', withData({ billable: 'yes' }), '/data/billable'],
  ['billable as a number', withData({ billable: 1 }), '/data/billable'],
  ['billable null', withData({ billable: null }), '/data/billable'],
  ['labels that are a list', withData({ labels: ['a'] }), '/data/labels'],
  ['a label that is a number', withData({ labels: { a: 1 } }), '/data/labels/a'],
  ['a label with a blank in its name', withData({ labels: { 'a b': 'x' } }), '/data/labels/a b'],
  [
    '65 labels',
    withData({ labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, ''])) }),
    '/data/labels',
  ],
  ['a credential', withData({ connection: 'eyJhbGciOi.eyJz.c2ln' }), '/data/connection'],
  ['a key', withData({ connection: '-----BEGIN KEY-----' }), '/data/connection'],
  ['a stop without a cause', { ...stop, data: {} }, '/data/cause'],
  ['a stop without data', { ...stop, data: undefined }, '/data'],
  ['a stop for a cause that is not known', { ...stop, data: { cause: 'weather' } }, '/data/cause'],
  ['a stop for the cause that is the ledger’s own', { ...stop, data: { cause: 'deleted' } }, '/data/cause'],
  [
    'a reason of 1,001 letters',
    { ...stop, data: { cause: 'manual', reason: 'x'.repeat(1_001) } },
    '/data/reason',
  ],
  [
    'an observation since February 30',
    { ...observed, data: { since: '2026-02-30T00:00:00.000Z' } },
    '/data/since',
  ],
  ['an observation since a number', { ...observed, data: { since: 1 } }, '/data/since'],
  ['evidence that is text', { ...observed, data: { evidence: 'x' } }, '/data/evidence'],
  [
    'a void without a reason',
    { ...voiding, data: { voids: '0b6f7f5e-6d0c-5a55-9d8b-0c3a54f0f0a1' } },
    '/data/reason',
  ],
  ['a void of no event id', { ...voiding, data: { voids: 'e1', reason: 'x' } }, '/data/voids'],
  [
    'a void of an id in upper case',
    { ...voiding, data: { voids: '0B6F7F5E-6D0C-5A55-9D8B-0C3A54F0F0A1', reason: 'x' } },
    '/data/voids',
  ],
];

describe('an event with', () => {
  test.each(fields)('%s is invalid, and the problem names the field', async (_, event, pointer) => {
    const { status, pointers } = await refuses(inStructuredMode(event));
    expect(status).toBe(400);
    expect(pointers).toContain(pointer);
  });

  test.each(fields)('%s is invalid in a batch too', async (_, event, pointer) => {
    const { status, body } = await ledger().send(inBatchMode([event]));
    expect(status).toBe(200);
    expect(body.results).toMatchObject([{ outcome: 'rejected', problem: { status: 400 } }]);
    expect(body.results[0].problem.errors.map((error: { pointer: string }) => error.pointer)).toContain(
      pointer,
    );
  });

  test('many mistakes gets a problem that names all of them', async () => {
    const { pointers } = await refuses(
      inStructuredMode({ ...withData({ billable: 1, price: 2 }), time: 'x', id: '' }),
    );
    expect(pointers.sort()).toEqual(['/data/billable', '/data/price', '/id', '/time']);
  });
});

const texts: [what: string, body: string | Uint8Array<ArrayBuffer>, pointer?: string][] = [
  ['nothing', ''],
  ['blanks', '  \n '],
  ['half an object', '{"id":'],
  ['two objects', `${JSON.stringify(valid)}${JSON.stringify(valid)}`],
  ['a comma too many', '{"id":"x",}'],
  ['single quotes', "{'id':'x'}"],
  ['a comment', `/* hello */ ${JSON.stringify(valid)}`],
  ['NaN', withText('HERE', 'NaN')],
  ['Infinity', withText('HERE', '-Infinity')],
  ['a number in hex', withText('HERE', '0x10')],
  ['a number with a leading zero', withText('HERE', '01')],
  ['a byte order mark', `\ufeff${JSON.stringify(valid)}`],
  ['a raw line end in text', withText('HERE', '"a\nb"')],
  ['bytes that are not UTF-8', new Uint8Array([...Buffer.from('{"id":"'), 0xff, 0xfe, ...Buffer.from('"}')])],
  ['half a UTF-8 character', new Uint8Array([...Buffer.from('{"id":"'), 0xc3, ...Buffer.from('"}')])],
  [
    'an overlong UTF-8 character',
    new Uint8Array([...Buffer.from('{"id":"'), 0xc0, 0xaf, ...Buffer.from('"}')]),
  ],
  [
    'a surrogate as UTF-8',
    new Uint8Array([...Buffer.from('{"id":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}')]),
  ],
  ['UTF-16', new Uint8Array(Buffer.from(JSON.stringify(valid), 'utf16le'))],
  ['a key that stands twice', JSON.stringify(valid).replace('{', '{"id":"other",'), '/id'],
  [
    'a key that stands twice, once escaped',
    JSON.stringify(valid).replace('{', '{"\\u0069d":"other",'),
    '/id',
  ],
  ['a key of data that stands twice', withText('HERE', '"x","accountId":"globex"'), '/data/accountId'],
  ['__proto__', JSON.stringify(valid).replace('{', '{"__proto__":{"billable":false},'), '/__proto__'],
  ['__proto__, escaped', JSON.stringify(valid).replace('{', '{"\\u005f_proto__":{},'), '/__proto__'],
  ['__proto__ in data', withText('HERE', '"x","__proto__":{"accountId":"evil"}'), '/data/__proto__'],
  ['constructor', withText('HERE', '"x","constructor":{"prototype":{}}'), '/data/constructor'],
  ['prototype', JSON.stringify(valid).replace('{', '{"prototype":1,'), '/prototype'],
  ['half of a surrogate pair', withText('HERE', '"\\ud800"'), '/data/name'],
  ['the other half of a surrogate pair', withText('HERE', '"x\\udc00y"'), '/data/name'],
  ['a key that is half of a surrogate pair', withText('HERE', '"x","\\ud83d":1'), '/data/\ud83d'.slice(0, 6)],
  ['a number that a double cannot hold', withText('HERE', '9007199254740993'), '/data/name'],
  ['a number of 400 digits', withText('HERE', '9'.repeat(400)), '/data/name'],
  ['a number that is infinite', withText('HERE', '1e999'), '/data/name'],
  [
    'a whole number that a double rounds, with a fraction',
    withText('HERE', '9007199254740993.0'),
    '/data/name',
  ],
  [
    'a whole number that a double rounds, with a power',
    withText('HERE', '12345678901234567890e0'),
    '/data/name',
  ],
  ['a fraction that a double rounds', withText('HERE', '0.1000000000000000055511151231257827'), '/data/name'],
  ['a number that a double takes for 0', withText('HERE', '1e-400'), '/data/name'],
  ['a minus zero', withText('HERE', '-0.0'), '/data/name'],
  ['33 objects in each other', withText('HERE', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`)],
  ['100,000 lists in each other', withText('HERE', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
  ['a million brackets that are never closed', '['.repeat(1_000_000)],
];

describe('a body of', () => {
  test.each(texts)('%s is rejected', async (_, body, pointer) => {
    const { status, pointers } = await refuses({ headers: { 'content-type': STRUCTURED }, body });
    expect(status).toBe(400);
    if (pointer !== undefined) expect(pointers.some((at) => at.startsWith(pointer))).toBe(true);
  });

  test.each(texts)('%s is rejected as a batch', async (_, body) => {
    const list =
      typeof body === 'string'
        ? `[${body}]`
        : new Uint8Array(Buffer.concat([Buffer.from('['), body, Buffer.from(']')]));
    const { status, body: answer } = await ledger().send({ headers: { 'content-type': BATCH }, body: list });
    if (status === 200)
      expect(answer.results).toMatchObject(answer.results.map(() => ({ outcome: 'rejected' })));
    else expect(status).toBe(400);
  });

  test.each([
    ['an object', '{}'],
    ['an event', JSON.stringify(valid)],
    ['null', 'null'],
    ['text', '"events"'],
  ])('%s is not a batch', async (_, body) => {
    const { status, pointers } = await refuses({ headers: { 'content-type': BATCH }, body });
    expect([status, pointers]).toEqual([400, ['']]);
  });

  test('5 MiB is too large in every mode', async () => {
    const body = JSON.stringify({ ...valid, comexample: 'x'.repeat(5 * 1024 * 1024) });
    for (const type of [STRUCTURED, BATCH, 'application/json']) {
      expect((await refuses({ headers: { 'content-type': type }, body })).status).toBe(413);
    }
  });

  test('bytes that are announced as gzip and are not is rejected', async () => {
    const headers = { 'content-type': STRUCTURED, 'content-encoding': 'gzip' };
    expect((await refuses({ headers, body: JSON.stringify(valid) })).status).toBe(400);
  });
});

const binary = inBinaryMode(valid);
const headers: [what: string, headers: Record<string, string | string[]>, pointer: string][] = [
  ['no version', { 'ce-specversion': [] }, '/headers/ce-specversion'],
  ['another version', { 'ce-specversion': '0.3' }, '/headers/ce-specversion'],
  ['no id', { 'ce-id': [] }, '/headers/ce-id'],
  ['an empty id', { 'ce-id': '' }, '/headers/ce-id'],
  ['two ids', { 'ce-id': ['a', 'b'] }, '/headers/ce-id'],
  ['no type', { 'ce-type': [] }, '/headers/ce-type'],
  ['a type that is not known', { 'ce-type': 'x' }, '/headers/ce-type'],
  ['no subject', { 'ce-subject': [] }, '/headers/ce-subject'],
  ['no time', { 'ce-time': [] }, '/headers/ce-time'],
  ['February 30', { 'ce-time': '2026-02-30T00:00:00Z' }, '/headers/ce-time'],
  ['a broken escape', { 'ce-source': '%zz' }, '/headers/ce-source'],
  ['an escape that is not UTF-8', { 'ce-source': '%ff' }, '/headers/ce-source'],
  ['a surrogate in escapes', { 'ce-source': '%ed%a0%80' }, '/headers/ce-source'],
  ['bytes that are not ASCII', { 'ce-source': 'z\u00fcrich' }, '/headers/ce-source'],
  ['a line end in escapes', { 'ce-id': 'a%0Ab' }, '/headers/ce-id'],
  ['an attribute with a dash', { 'ce-trace-id': 'x' }, '/headers/ce-trace-id'],
  ['an attribute with an underscore', { ce_x: 'y', 'ce-a_b': 'x' }, '/headers/ce-a_b'],
  ['an attribute __proto__', { 'ce-__proto__': 'x' }, '/headers/ce-__proto__'],
  ['an attribute constructor', { 'ce-constructor': 'x' }, '/headers/ce-constructor'],
  ['an attribute of the ledger', { 'ce-ledgerposition': '1' }, '/headers/ce-ledgerposition'],
  ['an attribute without a name', { 'ce-': 'x' }, '/headers/ce-'],
  ['data in a header', { 'ce-data': '{}' }, '/headers/ce-data'],
  [
    'its content type in a header of its own',
    { 'ce-datacontenttype': 'text/xml' },
    '/headers/ce-datacontenttype',
  ],
];

describe('an event in binary mode with', () => {
  test.each(headers)('%s is invalid, and the problem names the header', async (_, changed, pointer) => {
    const sent = Object.fromEntries(
      Object.entries({ ...binary.headers, ...changed }).filter(
        ([, value]) => value.length > 0 || value === '',
      ),
    );
    const message = { path: '/v1/events', method: 'POST', headers: sent };
    const { status, body } = await requestWith(ledger().port, message, binary.body as string);
    expect(status, body).toBe(400);
    expect(JSON.parse(body).errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  test.each([
    ['that is null', 'null', '/data'],
    ['that is a list', '[]', '/data'],
    ['with a field that is not known', '{"accountId":"a","name":"n","x":1}', '/data/x'],
    ['without an account', '{"name":"n"}', '/data/accountId'],
    ['with a key that stands twice', '{"name":"n","name":"m","accountId":"a"}', '/data/name'],
  ])('data %s is invalid, and the problem names the field', async (_, body, pointer) => {
    const { status, pointers } = await refuses({ ...binary, body });
    expect(status).toBe(400);
    expect(pointers).toContain(pointer);
  });

  test('no data is invalid if the type requires data', async () => {
    const { 'content-type': _, ...attributes } = binary.headers;
    expect((await refuses({ headers: attributes })).pointers).toEqual(['/data']);
  });
});

describe('a position in a URL with', () => {
  test.each([
    ['/v1/events/e1', '/path/eventId'],
    ['/v1/events/0B6F7F5E-6D0C-5A55-9D8B-0C3A54F0F0A1', '/path/eventId'],
    ['/v1/clusters/%2e%2e%2f', '/path/clusterId'],
    ['/v1/clusters/-x', '/path/clusterId'],
    ['/v1/clusters/__proto__', '/path/clusterId'],
    ['/v1/accounts/@x', '/path/accountId'],
    ['/v1/accounts/a%00/usage?period=2026-04', '/path/accountId'],
    ['/v1/accounts/%F0%9F%98%80', '/path/accountId'],
    ['/v1/accounts/@x/usage/explain?period=2026-04', '/path/accountId'],
    ['/v1/accounts/a%00/replay?period=2026-04', '/path/accountId'],
    ['/v1/accounts/-/diff?period=2026-04&before=0', '/path/accountId'],
    ['/v1/accounts/a/diff?period=2026-04&before=__proto__', '/query/before'],
    ['/v1/accounts/a/replay?period=2026-04&asOf=1e3', '/query/asOf'],
    ['/v1/periods/2026-04/statements?asOf=-0', '/query/asOf'],
    ['/v1/clusters/c/events?asOf=%00', '/query/asOf'],
    ['/v1/clusters/constructor', undefined],
    ['/v1/accounts/toString', undefined],
    ['/v1/events/00000000-0000-0000-0000-000000000000', undefined],
  ])('%s is a mistake of the caller', async (path, pointer) => {
    const { status, body } = await ledger().get(path);
    expect(status).toBe(pointer === undefined ? 404 : 400);
    if (pointer !== undefined) expect(body.errors[0].pointer).toBe(pointer);
  });
});
