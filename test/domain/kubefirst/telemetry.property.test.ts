import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { billCluster } from '../../../src/domain/billing/billing.ts';
import { decide } from '../../../src/domain/facts/decide-fact.ts';
import type { Fact, KnownFact } from '../../../src/domain/facts/fact.ts';
import { KnownFacts } from '../../../src/domain/facts/known-facts.ts';
import { identityOf, type KnownCluster, ledgerIdOf } from '../../../src/domain/kubefirst/identity.ts';
import { accountOf, KubefirstPolicy } from '../../../src/domain/kubefirst/registration.ts';
import { judgeTelemetry, TrackEvent } from '../../../src/domain/kubefirst/telemetry.ts';

const POLICY = KubefirstPolicy.parse({});
const HOUR = 3_600_000;
const EPOCH = Date.UTC(2026, 0);

/** A ledger in memory: facts by cluster, and the clusters that follow from them. */
class Book {
  readonly facts = new Map<string, KnownFact[]>();
  refused = 0;

  take(event: TrackEvent, at: number): void {
    const verdict = judgeTelemetry(event, at, this.known(event.properties.cluster_id), POLICY);
    if (verdict.kind === 'unknown' || verdict.kind === 'ambiguous') this.refused += 1;
    if (verdict.kind === 'record') this.#record(verdict.fact);
  }

  #record(fact: Fact): void {
    const facts = this.facts.get(fact.clusterId) ?? [];
    if (
      facts.some(({ fact: { type, effectiveAt } }) => type === fact.type && effectiveAt === fact.effectiveAt)
    )
      return;
    const decision = decide(new KnownFacts(facts), fact, { now: EPOCH + 10_000 * HOUR, mayBackdate: true });
    expect(decision.ok).toBe(true);
    const position = facts.length;
    this.facts.set(fact.clusterId, [
      ...facts,
      { eventId: `${fact.clusterId}-${position}`, order: position, fact },
    ]);
  }

  known(kubefirstId: string): readonly KnownCluster[] {
    return [...this.facts].flatMap(([clusterId, facts]) => {
      const identity = identityOf(clusterId);
      const { registration, deletion } = billCluster(facts);
      if (identity?.kubefirstId !== kubefirstId || registration === undefined) return [];
      const { accountId, billable = true, effectiveAt: registeredAt } = registration.fact;
      const deletedAt = deletion?.fact.effectiveAt;
      const nothing = { clusterType: undefined, domain: undefined, recordsIn: undefined };
      return [{ ...identity, clusterId, accountId, billable, ...nothing, registeredAt, deletedAt }];
    });
  }

  billed(): readonly (readonly [number, number | null])[] {
    return [...this.facts.values()]
      .flatMap((facts) => billCluster(facts).intervals)
      .map(({ from, to }) => [from, to] as const)
      .sort(([a], [b]) => a - b);
  }
}

const event = (name: string, parent = 'mmmmmm') =>
  TrackEvent.parse({ event: name, properties: { cluster_id: 'wwwwww', parent_cluster_id: parent } });
const install = event('kubefirst.cluster_install.completed');
const deletion = event('kubefirst.cluster_delete.completed');

/**
 * Lives of a cluster that is created again and again under one id, as alternating hours of installation and
 * deletion.
 */
const lives = fc
  .uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 8 })
  .map((hours) =>
    hours
      .sort((a, b) => a - b)
      .map((hour, i) => ({ at: EPOCH + hour * HOUR, event: i % 2 === 0 ? install : deletion })),
  );

describe('telemetry of a cluster that is created under its old id again and again', () => {
  test('is billed once per life, from installation to deletion', () => {
    fc.assert(
      fc.property(lives, (said) => {
        const book = new Book();
        for (const { event: each, at } of said) book.take(each, at);
        const expected = said
          .filter((_, i) => i % 2 === 0)
          .map(({ at }, i) => [at, said[2 * i + 1]?.at ?? null]);
        expect([book.billed(), book.refused]).toEqual([expected, 0]);
      }),
    );
  });

  test('gives the same facts however often and whenever events are repeated', () => {
    fc.assert(
      fc.property(lives, fc.infiniteStream(fc.nat()), (said, picks) => {
        const once = new Book();
        const often = new Book();
        for (const [i, { event: each, at }] of said.entries()) {
          once.take(each, at);
          often.take(each, at);
          const again = said[(picks.next().value ?? 0) % (i + 1)];
          if (again !== undefined) often.take(again.event, again.at);
        }
        expect([often.billed(), often.refused]).toEqual([once.billed(), 0]);
      }),
    );
  });

  test('never bills more clusters than were installed, in any order of events', () => {
    fc.assert(
      fc.property(
        lives.chain((said) => fc.shuffledSubarray(said, { minLength: said.length })),
        (shuffled) => {
          const book = new Book();
          for (const { event: each, at } of shuffled) book.take(each, at);
          expect(book.billed().length).toBeLessThanOrEqual(
            shuffled.filter((each) => each.event === install).length,
          );
        },
      ),
    );
  });
});

test('a ledger id can be parsed back into its parts', () => {
  const id = fc.stringMatching(/^[a-z0-9]{6}$/);
  const name = fc.option(fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/), { nil: undefined });
  fc.assert(
    fc.property(id, id, name, fc.nat(), (managementId, kubefirstId, given, createdSecond) => {
      const identity = { managementId, kubefirstId, name: given, createdSecond };
      expect(identityOf(ledgerIdOf(identity))).toEqual(identity);
    }),
  );
  for (const other of ['c1', 'a.b.c', 'a.b.c.d', 'a-b.c.d.1', 'a.b.C.1', 'a.b..1'])
    expect(identityOf(other)).toBeUndefined();
});

test('the account comes from the management cluster, the nearest domain, the default, or the management cluster id', () => {
  const policy = KubefirstPolicy.parse({
    accountsByManagementId: { mmmmmm: 'by-management' },
    accountsByDomain: { 'acme.example': 'acme', 'dev.acme.example': 'acme-dev' },
  });
  expect(accountOf(policy, 'mmmmmm', 'acme.example')).toBe('by-management');
  expect(accountOf(policy, 'xxxxxx', 'a.dev.acme.example')).toBe('acme-dev');
  expect(accountOf(policy, 'xxxxxx', 'prod.acme.example')).toBe('acme');
  expect(accountOf(policy, 'xxxxxx', 'notacme.example')).toBe('xxxxxx');
  expect(accountOf({ ...policy, accountId: 'all' }, 'xxxxxx', undefined)).toBe('all');
  expect(accountOf(policy, 'constructor', 'constructor')).toBe('constructor');
});
