import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClusterBilling, Interval } from '../../../src/domain/billing/billing.ts';
import { clippedWindow, usageOf } from '../../../src/domain/billing/usage-meter.ts';
import { isNotice } from '../../../src/domain/facts/decide-fact.ts';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { BillHistory } from '../../../src/projections/model/bill-history.ts';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { positionsToReplay, replay } from '../../../src/projections/queries/replay-account.ts';
import { registered, resumed, stopped } from '../../domain/facts/facts.ts';
import { applyTo, idAt, modelOf } from '../../support/models.ts';
import { randomFacts } from '../../support/random-facts.ts';
import { facts, windows } from '../../support/random-logs.ts';

/** A void names any fact of its cluster that is not a void, also a later one. */
function withAnyTargets(recorded: readonly Fact[]): Fact[] {
  return recorded.map((fact): Fact => {
    if (fact.type !== 'FactVoided') return fact;
    const targets = recorded.flatMap((target, n) =>
      target.type !== 'FactVoided' && target.clusterId === fact.clusterId ? [n] : [],
    );
    const target = targets[Number(fact.voids) % targets.length];
    return { ...fact, voids: idAt((target ?? 98) + 1) };
  });
}

const anyLogs = fc.array(facts, { minLength: 1, maxLength: 30, size: 'max' }).map(withAnyTargets);

/** Facts of one cluster, many of them at one instant. */
const crowdedLogs = fc
  .array(
    randomFacts({
      clusterId: fc.constant('c0'),
      effectiveAt: fc.integer({ min: 0, max: 12 }),
      ownerOf: () => fc.constantFrom('acme', 'globex'),
      newOwner: fc.constantFrom('acme', 'globex', 'initech'),
      cause: fc.constantFrom('unreachable', 'missing', 'manual', 'deleted'),
      observation: fc.constant('ClusterReachable'),
      voids: fc.nat(40).map(String),
      weights: { registered: 2, changed: 4, deleted: 1, switched: 5, observed: 1, voided: 4 },
    }),
    { minLength: 1, maxLength: 30, size: 'max' },
  )
  .map(withAnyTargets);

function intervalAt(intervals: readonly Interval[], at: number): Interval | undefined {
  return intervals.find(({ from, to }) => from <= at && (to === null || at < to));
}

function intervalsIn(model: LedgerModel, history: BillHistory, asOf: number): Interval[] {
  return history.spans(asOf).map(({ account, type, ...span }) => ({
    ...span,
    accountId: model.accounts.text(account),
    clusterType: type === -1 ? null : model.clusterTypes.text(type),
  }));
}

/** Expects the history of every cluster to equal the fold of its facts at a position. */
function isAsFolded(model: LedgerModel, asOf: number): void {
  for (const cluster of model.clusters.texts.keys()) {
    expect(model.intervals(cluster, asOf)).toEqual(model.billing(cluster, asOf).intervals);
  }
}

/** The billed intervals of an account, folded from the facts of every cluster. */
function intervalsOf(model: LedgerModel, account: number, asOf: number) {
  const accountId = model.accounts.text(account);
  return Array.from(model.clusters.texts.keys(), (cluster) =>
    model.billing(cluster, asOf).intervals.filter((interval) => interval.accountId === accountId),
  );
}

describe('the billing history of a cluster', () => {
  test('equals the fold of the facts known at every position, computed at once or step by step', () => {
    fc.assert(
      fc.property(anyLogs, fc.array(fc.nat(30), { maxLength: 5 }), (log, stops) => {
        const model = modelOf(log);
        for (let asOf = 0; asOf <= log.length; asOf++) isAsFolded(model, asOf);
        const along = modelOf([]);
        for (const [i, fact] of log.entries()) {
          applyTo(along, fact);
          if (stops.includes(i)) for (let asOf = 0; asOf <= i + 1; asOf++) isAsFolded(along, asOf);
        }
        for (let asOf = 0; asOf <= log.length; asOf++) isAsFolded(along, asOf);
      }),
      { numRuns: 400 },
    );
  });

  test('equals the fold if the intervals between more than a few facts are computed when they are asked for', () => {
    const instants = fc.integer({ min: -1, max: 14 });
    const reads = fc.array(fc.nat(40), { maxLength: 4 });
    fc.assert(
      fc.property(crowdedLogs, fc.nat(3), reads, instants, instants, (log, most, readAfter, a, b) => {
        const model = modelOf(log);
        const history = new BillHistory();
        const window = { from: Math.min(a, b), to: Math.max(a, b) };
        const within = Array.from({ length: window.to - window.from }, (_, i) => window.from + i);
        for (let position = 1; position <= log.length; position++) {
          const change = history.extend(model.facts, position, most) ?? [];
          const [before, after] = [model.billing(0, position - 1), model.billing(0, position)];
          for (const [account, accountId] of model.accounts.texts.entries()) {
            const typeAt = ({ intervals }: ClusterBilling, at: number) =>
              intervalAt(
                intervals.filter((own) => own.accountId === accountId),
                at,
              )?.clusterType;
            const differs = within.find((at) => typeAt(before, at) !== typeAt(after, at));
            const difference = history.differenceBy(change);
            expect(difference.first(account, window)).toBe(differs);
            if (differs !== undefined) expect([...difference.accounts]).toContain(account);
          }
          for (const at of within) {
            const account = history.at(at).billed?.account;
            const accountId = account === undefined ? undefined : model.accounts.text(account);
            expect(accountId).toBe(intervalAt(after.intervals, at)?.accountId);
          }
          if (!readAfter.includes(position)) continue;
          const { hasActiveFacts } = history.latestState(model.facts);
          expect(hasActiveFacts).toBe(model.activeFacts(0, position).some(({ fact }) => !isNotice(fact)));
          for (let asOf = 0; asOf <= position; asOf++)
            if (history.remembers(asOf))
              expect(intervalsIn(model, history, asOf)).toEqual(model.billing(0, asOf).intervals);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  test('has the usage of its intervals', () => {
    fc.assert(
      fc.property(anyLogs, windows, (log, { window, through }) => {
        const model = modelOf(log);
        const counted = clippedWindow(window, through);
        for (const account of model.accounts.texts.keys()) {
          for (let asOf = 0; asOf <= log.length; asOf++) {
            expect(model.usage(account, asOf, counted)).toEqual(
              usageOf(intervalsOf(model, account, asOf), counted),
            );
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('forgets former intervals if there are too many, and answers as the fold does', () => {
    const day = 86_400_000;
    const start = Date.parse('2026-01-01');
    const at = (n: number) => new Date(start + n * 60_000).toISOString();
    const switches = Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? stopped(at(i)) : resumed(at(i))));
    // Each change concerns all intervals, so that all of them are former ones after the next change.
    const changes = Array.from(
      { length: 1_000 },
      (_, i): Fact => ({
        type: 'ClusterChanged',
        clusterId: 'c1',
        effectiveAt: start - day + i,
        clusterType: i % 2 === 0 ? 'vcluster' : 'workload',
      }),
    );
    const log = [registered('2025-12-01'), ...switches, ...changes.reverse()];
    const model = modelOf(log);
    for (const asOf of [0, 1, 300, 601, 602, 1_200, log.length - 1, log.length]) isAsFolded(model, asOf);
    const along = modelOf([]);
    for (const fact of log) {
      applyTo(along, fact);
      along.intervals(0, along.position);
    }
    for (const asOf of [601, 602, 1_200, log.length]) isAsFolded(along, asOf);
    applyTo(along, resumed(at(1_000)));
    isAsFolded(along, along.position);
  });

  test('has the usage of its facts after 20,000 late facts', async () => {
    const minute = (n: number) => new Date(Date.parse('2026-01-01') + n * 60_000).toISOString();
    const late = Array.from({ length: 20_000 }, (_, i): Fact => {
      const at = minute(((i * 7_919) % 20_000) * 2);
      return i % 2 === 0 ? stopped(at) : resumed(at);
    });
    const model = modelOf([registered('2025-12-01'), ...late]);
    const counted = { from: Date.parse('2026-01-01'), to: Date.parse('2026-02-01') };
    for (const asOf of [0, 1, 2, 10_000, 20_001]) isAsFolded(model, asOf);
    expect(model.usage(0, 20_001, counted)).toEqual(usageOf([model.billing(0, 20_001).intervals], counted));
    const positions = await positionsToReplay(model, 'acme', 801);
    const steps = [...replay(model, 'acme', { window: counted, through: counted.to }, positions)];
    for (const asOf of [1, 2, 400, 801])
      expect(steps[asOf - 1]?.usage).toEqual(model.usage(0, asOf, counted).usage);
  });
});
