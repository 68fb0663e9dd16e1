import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EARLIEST_PLAUSIBLE } from '../../src/domain/facts/decide-fact.ts';
import { originHash, originHashOf } from '../../src/domain/facts/origin-hash.ts';
import { clusterStream } from '../../src/domain/stream-table.ts';
import type { LogEvent } from '../../src/eventstore/event-store.ts';
import { ClusterHistory, type RecordedFact, recordedFactOf } from '../../src/ledger/cluster-history.ts';
import { factEvent } from '../../src/ledger/fact-event.ts';
import { planFor, planInto } from '../../src/ledger/plan-append.ts';
import type { Submission } from '../../src/ledger/submission.ts';
import { LedgerModel } from '../../src/projections/model/ledger-model.ts';
import { outlineCluster } from '../../src/projections/queries/outline-cluster.ts';
import { randomFacts } from '../support/random-facts.ts';

const HOUR_MS = 3_600_000;
const HOURS = 8;
const posting = {
  now: EARLIEST_PLAUSIBLE + HOURS * HOUR_MS,
  recordedAt: EARLIEST_PLAUSIBLE + HOURS * HOUR_MS,
  mayBackdate: true,
};

/** A fact to post. A void names the fact at an index of the history, and a repeat the origin of an earlier submission. */
const posts = fc.record({
  fact: randomFacts({
    clusterId: fc.constant('c'),
    effectiveAt: fc.integer({ min: -1, max: HOURS }).map((n) => EARLIEST_PLAUSIBLE + n * HOUR_MS),
    ownerOf: () => fc.constantFrom('acme', 'acme', 'globex'),
    newOwner: fc.constantFrom('acme', 'globex'),
    cause: fc.constantFrom('unreachable', 'missing', 'manual'),
    observation: fc.constantFrom('ClusterUnreachable', 'ClusterDeletionRequested'),
    voids: fc.constant('7b5f0000-0000-4000-8000-000000000000'),
    weights: { registered: 3, changed: 4, deleted: 1, switched: 4, observed: 2, voided: 3 },
  }),
  source: fc.constantFrom('urn:a', 'urn:b'),
  id: fc.integer({ min: 0, max: 12 }).map(String),
  voided: fc.nat({ max: 12 }),
});
type Post = typeof posts extends fc.Arbitrary<infer T> ? T : never;

function submissionOf({ fact, source, id, voided }: Post, facts: readonly RecordedFact[]): Submission {
  const target = facts[voided]?.eventId;
  const named = fact.type === 'FactVoided' && target !== undefined ? { ...fact, voids: target } : fact;
  return { fact: named, origin: { source, id, actor: 'tester' }, event: { id } };
}

/** Records posts in a history and in a model, as a ledger does. */
function record(recorded: readonly Post[]): { full: ClusterHistory; log: LogEvent[]; model: LedgerModel } {
  const full = new ClusterHistory();
  const model = new LedgerModel();
  const log: LogEvent[] = [];
  for (const post of recorded) {
    const before = full.length;
    planInto(full, [submissionOf(post, full.facts)], posting);
    for (const { fact, origin, recordedAt, revision } of full.facts.slice(before)) {
      const event = factEvent(fact, origin, recordedAt);
      log.push({ ...event, stream: clusterStream('c'), revision, position: log.length + 1 });
      model.apply(log.at(-1) as LogEvent);
    }
  }
  return { full, log, model };
}

test('what is decided on the outline of recorded facts is what is decided on the facts', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(posts, { minLength: 1, maxLength: 16 }),
      fc.array(posts, { maxLength: 8 }),
      (recorded, posted) => {
        const { full, log, model } = record(recorded);
        const outline = outlineCluster(model, 'c');
        expect(outline === undefined).toBe(log.length === 0);
        if (outline === undefined) return;
        const outlined = new ClusterHistory([], outline);
        expect(outlined.length).toBe(full.length);
        for (const post of posted) {
          const submission = submissionOf(post, full.facts);
          for (const revision of outlined.unread([submission.origin]))
            outlined.addRead(recordedFactOf('c', log[revision] as LogEvent));
          const expected = planFor(full, [submission], posting);
          expect(planFor(outlined, [submission], posting)).toEqual(expected);
          for (const outcome of expected.outcomes)
            seen.add(outcome.outcome === 'rejected' ? outcome.rejection.code : outcome.outcome);
          // The next post is decided on what this one adds.
          expect(planInto(outlined, [submission], posting)).toEqual(planInto(full, [submission], posting));
        }
      },
    ),
    { numRuns: 2_000 },
  );
  expect([...seen].sort()).toEqual([
    'appended',
    'cluster-deleted',
    'duplicate',
    'effective-implausible',
    'event-id-reused',
    'registration-conflict',
    'transfer-needs-operator',
    'void-target-not-voidable',
    'void-target-unknown',
  ]);
});

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', ',"id":"', '\ud800', ''));

test('the hash of an origin is the same whether the metadata of a fact are read as text or as an object', () => {
  const origins = fc.record({ source: text, id: text, actor: text, extensions: fc.dictionary(text, text) });
  const inAnyOrder = origins.chain((origin) =>
    fc.constantFrom(origin, Object.fromEntries(Object.entries(origin).toReversed()) as typeof origin),
  );
  fc.assert(
    fc.property(inAnyOrder, (metadata) => {
      const { source, id } = metadata;
      expect(originHashOf({ metadata })).toBe(originHash(source, id));
      const json = { metadata: JSON.stringify(metadata) };
      expect(originHashOf({ metadata, json })).toBe(originHash(source, id));
    }),
    { numRuns: 2_000 },
  );
});
