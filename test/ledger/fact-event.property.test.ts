import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fact } from '../../src/domain/facts/fact.ts';
import { parseStoredFact, serializeFact } from '../../src/domain/facts/recorded-fact.ts';
import { clusterStream } from '../../src/domain/stream-table.ts';
import { eventId } from '../../src/ledger/event-id.ts';
import { factEvent } from '../../src/ledger/fact-event.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('"', '\\', '\u2028', '{"type":', 'ä\n', '😀', ''),
);
const payloads = fc.oneof(
  fc.record({ accountId: text, name: text, labels: fc.dictionary(text, text), billable: fc.boolean() }),
  fc.record({ evidence: fc.dictionary(text, fc.jsonValue()), since: text, reason: fc.constant(undefined) }),
  fc.record({ effectiveness: text }, { requiredKeys: [] }),
);
const facts = fc
  .record({
    type: fc.constantFrom('ClusterRegistered', 'ClusterUnreachable', 'BillingStopped'),
    clusterId: fc.oneof(fc.constantFrom('c-1', 'a.b_c'), text),
    effectiveAt: fc.oneof(fc.integer({ min: 0, max: 253_402_300_799_999 }), fc.constantFrom(0, 1, 10)),
  })
  .chain((head) => payloads.map((payload) => ({ ...head, ...payload })))
  .chain((fact) => fc.constantFrom(fact, Object.fromEntries(Object.entries(fact).toReversed())))
  .map((fact) => fact as unknown as Fact);
const origins = fc.record(
  { source: text, id: text, actor: text, extensions: fc.dictionary(text, text) },
  { requiredKeys: ['source', 'id', 'actor'] },
);

test('the event of a fact has the id, the texts and the data that serializing each of them alone gives', () => {
  fc.assert(
    fc.property(facts, origins, (fact, origin) => {
      const event = factEvent(fact, origin, 7);
      const { type, data, metadata } = serializeFact(fact, origin);
      const stream = clusterStream(fact.clusterId);
      expect(event.id).toBe(eventId(stream, origin.source, origin.id, JSON.stringify(fact)));
      expect(event.json).toEqual({ data: JSON.stringify(data), metadata: JSON.stringify(metadata) });
      expect({ type: event.type, data: event.data, metadata: event.metadata }).toEqual({
        type,
        data,
        metadata,
      });
    }),
    { numRuns: 2_000 },
  );
});

test('followers that get the fact itself see what others parse from the log', () => {
  fc.assert(
    fc.property(facts, origins, (fact, origin) => {
      const { type, json, content } = factEvent({ ...fact, cause: 'manual' } as Fact, origin, 7);
      const record = { type, data: JSON.parse(json.data), metadata: JSON.parse(json.metadata) };
      fc.pre(!('accountId' in fact) || typeof fact.accountId === 'string');
      fc.pre(fact.type !== 'ClusterRegistered' || 'accountId' in fact);
      const parsed = parseStoredFact(fact.clusterId, record);
      expect(JSON.parse(JSON.stringify(content))).toEqual(JSON.parse(JSON.stringify(parsed)));
    }),
    { numRuns: 500 },
  );
});

test('an id of a known text never changes', () => {
  expect(eventId('cluster-c', 'urn:x', 'a', '{"ä":"😀"}')).toBe('6cc865c4-d401-54cd-884c-b757a65c2e83');
  expect(eventId('x'.repeat(300_000), 1)).toBe('50e478c8-48a1-5e5b-a418-58e4b3c7d7eb');
});
