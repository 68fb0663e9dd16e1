import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CloudEvent, parseCloudEvent } from '../../src/http/ingest/cloud-event-envelope.ts';
import { EVENT_EXAMPLES } from '../../src/http/ingest/examples.ts';

type Members = Readonly<Record<string, unknown>>;

const attributes = [
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
];
const extensions = ['traceid', 'traceparent', 'ledgerposition', 'Trace', 'trace_id', '7', 'tostring', ''];
const fields = [
  'accountId',
  'name',
  'clusterType',
  'cloudProvider',
  'region',
  'labels',
  'billable',
  'connection',
];
const others = [
  'cause',
  'reason',
  'since',
  'evidence',
  'policy',
  'deletionId',
  'voids',
  'unknown',
  '1',
  'toString',
];

const texts = fc.oneof(
  fc.constantFrom(
    '1.0',
    '',
    'c-1',
    '2026-03-01T09:00:00.000Z',
    '2026-03-01T09:00:00+01:00',
    '2026-02-30T00:00:00Z',
    'application/json',
    'application/json; charset=utf-8',
    'manual',
    'deleted',
    'io.clusterledger.cluster.deleted.v1',
    'io.clusterledger.cluster.deleted.v2',
    '0b6f7f5e-6d0c-5a55-9d8b-0c3a54f0f0a1',
    'eyJh.token',
    'x'.repeat(300),
    'x\u0007',
    '\ud800',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const values = fc.oneof(
  texts,
  fc.constantFrom<unknown[]>(null, true, 0, -1, 2 ** 31, 0.5, [], {}, undefined, Number.NaN),
  fc.dictionary(fc.oneof(fc.constantFrom('team', 'a b', '1'), texts), fc.oneof(texts, fc.jsonValue()), {
    maxKeys: 3,
  }),
  fc.jsonValue({ maxDepth: 3 }),
);
const changes = (keys: readonly string[]) =>
  fc.array(fc.tuple(fc.constantFrom(...keys), fc.option(values, { freq: 4, nil: undefined })), {
    maxLength: 3,
  });

/** Returns an object with some members set or, if their value is `undefined`, removed. */
function changed(members: Members, edits: readonly (readonly [string, unknown])[]): Members {
  const rest = { ...members };
  for (const [key, value] of edits) {
    delete rest[key];
    if (value !== undefined) rest[key] = value;
  }
  return rest;
}

/** Events of every type, each with at most six members that are changed, missing or unknown. */
const events = fc
  .tuple(
    fc.constantFrom(...Object.values(EVENT_EXAMPLES).map(({ value }) => value as Members)),
    changes([...attributes, ...extensions, 'data']),
    changes([...fields, ...others]),
  )
  .map(([event, envelope, data]): unknown => {
    const { data: given, ...others } = event;
    return changed({ ...others, data: changed((given ?? {}) as Members, data) }, envelope);
  });

test('an event is accepted, read and refused as its schema says', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof({ weight: 20, arbitrary: events }, { weight: 1, arbitrary: values }), (event) => {
      const expected = CloudEvent.safeParse(event);
      const parsed = parseCloudEvent(event);
      expect(parsed.success).toBe(expected.success);
      // The order of the members is the order in which the fact is recorded.
      expect(JSON.stringify(parsed.data)).toBe(JSON.stringify(expected.data));
      expect(parsed.data).toEqual(expected.data);
      expect(parsed.error?.issues).toEqual(expected.error?.issues);
      if (parsed.success) accepted++;
    }),
    { numRuns: 3_000 },
  );
  expect(accepted).toBeGreaterThan(100);
});
