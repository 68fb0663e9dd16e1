import { describe, expect, test } from 'vitest';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import {
  ACCOUNT_DESCRIBED,
  accountStream,
  PERIOD_CLOSED,
  periodStream,
} from '../../../src/domain/stream-table.ts';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { deleted, registered, resumed, seen, stopped, voided } from '../../domain/facts/facts.ts';
import { applyTo, idAt, modelOf } from '../../support/models.ts';

const START = Date.parse('2026-01-01');
const minute = (n: number) => new Date(START + n * 60_000).toISOString();

/** A cluster with many stops, resumptions and observations, of an account with limits, after a period was closed. */
function crowdedModel(facts: number): LedgerModel {
  const model = modelOf([registered('2025-12-01')]);
  for (let i = 1; i < facts; i++) {
    const kinds = [stopped(minute(i)), resumed(minute(i)), seen(minute(i), 'ClusterUnreachable')];
    applyTo(model, kinds[i % 3] as Fact);
  }
  const totals = { billableClusters: 1, clusterSeconds: '1.000' };
  const watermark = String(model.position);
  const closing = { period: '2026-01', watermark, accounts: 1, totals, statementsDigest: 'd', rules: 2 };
  other(model, PERIOD_CLOSED, periodStream('2026-01'), closing);
  other(model, ACCOUNT_DESCRIBED, accountStream('acme'), { limits: { '*': 1 } });
  expect(model.closedPeriods.last?.period).toBe('2026-01');
  return model;
}

function other(model: LedgerModel, type: string, stream: string, data: Record<string, unknown>): void {
  const position = model.position + 1;
  const event = { id: idAt(position), type, stream, data: data as never, metadata: {}, revision: 0 };
  model.apply({ ...event, position, recordedAt: position });
}

/** Counts how often facts in memory are read while ten more of a kind are applied. */
function readsFor(facts: number, factOf: (n: number) => Fact): number {
  const model = crowdedModel(facts);
  // The first late fact builds the index of the cluster.
  applyTo(model, stopped(minute(7)));
  applyTo(model, seen(minute(7), 'ClusterUnreachable'));
  let reads = 0;
  const { facts: table } = model;
  const [effectiveAt, previousAt] = [table.effectiveAt.bind(table), table.previousAt.bind(table)];
  Object.assign(table, {
    effectiveAt: (position: number) => effectiveAt(position + 0 * reads++),
    previousAt: (position: number) => previousAt(position + 0 * reads++),
  });
  const revisionOf = model.positionsOf(0).length;
  reads = 0;
  for (let n = 0; n < 10; n++) applyTo(model, factOf(n), revisionOf + n);
  return reads;
}

/** A stop for a cause that no other fact mentions, or its end. */
const switched = (n: number, at: string) => (n % 2 === 0 ? stopped(at, 'missing') : resumed(at, 'missing'));

const changed = (at: string, accountId: string): Fact => ({
  ...{ type: 'ClusterChanged', clusterId: 'c1', effectiveAt: Date.parse(at) },
  accountId,
});

describe('the cost of applying a fact', () => {
  test.each<[string, (n: number) => Fact]>([
    ['a stop in a closed period', (n) => stopped(minute(3 * n + 40.5))],
    ['a resumption in a closed period', (n) => resumed(minute(3 * n + 41.5))],
    ['a stop for another cause in a closed period', (n) => stopped(minute(3 * n + 40.5), 'missing')],
    ['a resumption after such a stop', (n) => switched(n, minute(n + 40.5))],
    ['a transfer in a closed period', (n) => changed(minute(n + 40.5), n % 2 === 0 ? 'globex' : 'acme')],
    ['a deletion in a closed period', (n) => deleted(minute(10_000 - 100 * n))],
    [
      'an observation',
      (n) => seen(minute(30_000 + n), n % 2 === 0 ? 'ClusterReachable' : 'ClusterUnreachable'),
    ],
    ['a late observation', (n) => seen(minute(n + 50), 'ClusterReachable')],
    ['a late registration', (n) => registered(minute(n + 60.5))],
    ['a void of a stop in a closed period', (n) => voided(minute(70), idAt(2 + 3 * n + 2))],
    ['a new stop', (n) => stopped(minute(30_000 + n), 'unreachable')],
    ['a deletion ahead of all others', (n) => deleted(minute(30_000 + n))],
  ])('is about the same on 20,000 facts as on 200, for %s', (_, factOf) => {
    expect(readsFor(20_000, factOf)).toBeLessThan(3 * readsFor(200, factOf));
  });
});

test('the clusters of an account with limits are counted once, and not again for each fact', () => {
  const model = crowdedModel(3);
  for (let n = 0; n < 50; n++) applyTo(model, { ...registered('2025-12-01'), clusterId: `other-${n}` });
  let counts = 0;
  const clustersOf = model.owners.clustersOf.bind(model.owners);
  Object.assign(model.owners, { clustersOf: (account: number) => clustersOf(account + 0 * counts++) });
  for (let n = 0; n < 50; n++) applyTo(model, { ...deleted('2025-12-02'), clusterId: `other-${n}` });
  expect(counts).toBe(0);
});
