import { type BilledSpan, billedAt, differsWithin } from './billed.ts';
import type { BillingFact } from './billing-fact.ts';
import { adjustmentOf, type Statement, statementOf } from './book-statement.ts';
import { changesBetween } from './counted-changes.ts';
import { type Breakdown, measure } from './measures.ts';
import { monthOf, monthsBetween } from './months.ts';

/** A period that was closed, and the last position that its statements know. */
export interface ClosedPeriod {
  readonly period: string;
  readonly watermark: number;
}

interface Cluster {
  readonly facts: BillingFact[];
  /** As known at the watermark before the last one, and at the last one. */
  was: readonly BilledSpan[];
  is: readonly BilledSpan[];
}

/** The facts that changed earlier periods, by account, by period and by position. */
type Causes = Map<string, Map<string, Map<number, string>>>;

/**
 * A second computation of billing, from facts, the watermarks of closings and the beginning alone. It shares no code with the
 * ledger that made the statements. Events are given in the order of the log.
 */
export class Book {
  readonly #clusters = new Map<string, Cluster>();
  /** The clusters that any fact gives to an account. */
  readonly #clustersOf = new Map<string, Set<Cluster>>();
  readonly #closed: ClosedPeriod[] = [];
  /** Position of the event with which statements begin. */
  #begunAt = Number.POSITIVE_INFINITY;
  /** Clusters with facts after the last watermark. */
  #news = new Set<Cluster>();
  #changed: readonly Cluster[] = [];

  add(fact: BillingFact): void {
    if (fact.type === 'other') return;
    const cluster = this.#clusters.get(fact.clusterId) ?? { facts: [], was: [], is: [] };
    this.#clusters.set(fact.clusterId, cluster);
    cluster.facts.push(fact);
    this.#news.add(cluster);
    if (fact.accountId === undefined) return;
    const owned = this.#clustersOf.get(fact.accountId) ?? new Set();
    this.#clustersOf.set(fact.accountId, owned.add(cluster));
  }

  /** Adds the beginning: usage before the first closed period is on no statement that knows this position. */
  begin(position: number): void {
    this.#begunAt = position;
  }

  /**
   * Returns the statements of the period that is closed next, in order of the accounts.
   * @param only leaves out all accounts but this.
   */
  close({ period, watermark }: ClosedPeriod, only?: string): Statement[] {
    const before = this.#closed.at(-1)?.watermark ?? 0;
    this.#moveTo(watermark);
    const causes = this.#causes(before, watermark);
    const accounts = only === undefined ? [...this.#clustersOf.keys()].sort() : [only];
    const statements = accounts.map((accountId) =>
      this.#statement(accountId, { period, watermark }, causes.get(accountId) ?? new Map()),
    );
    this.#closed.push({ period, watermark });
    return statements.filter((statement) => statement !== undefined);
  }

  /** Returns the usage of an account in `[from, to)`, as known at a position. */
  usage(accountId: string, from: number, to: number, position: number): Breakdown {
    const clusters = [...(this.#clustersOf.get(accountId) ?? [])];
    const billed = clusters.map(({ facts }) => toAccount(billedAt(facts, position), accountId));
    return measure(billed, from, to);
  }

  #moveTo(watermark: number): void {
    for (const cluster of this.#changed) cluster.was = cluster.is;
    this.#changed = [...this.#news];
    for (const cluster of this.#changed) cluster.is = billedAt(cluster.facts, watermark);
    this.#news = new Set(this.#changed.filter(({ facts }) => (facts.at(-1)?.position ?? 0) > watermark));
  }

  /** Returns the facts that changed earlier periods. */
  #causes(before: number, watermark: number): Causes {
    const causes: Causes = new Map();
    for (const { facts, was, is } of this.#changed) {
      const periods = this.#earlierPeriods(was, is, watermark);
      if (!periods.some((period) => differsWithin(was, is, ...monthOf(period)))) continue;
      const changes = changesBetween(facts, before, watermark);
      for (const accountId of new Set([...was, ...is].map((span) => span.accountId))) {
        const [own, owned] = [toAccount(was, accountId), toAccount(is, accountId)];
        for (const period of periods) {
          const [from, end] = monthOf(period);
          if (!differsWithin(own, owned, from, end)) continue;
          // A fact that is effective from the end of a period on cannot have changed it.
          for (const { by, at } of changes) if (at < end) note(causes, accountId, period, by);
        }
      }
    }
    return causes;
  }

  /** Returns the periods that may be adjusted in which a cluster was or is billed, in order. */
  #earlierPeriods(
    was: readonly BilledSpan[],
    is: readonly BilledSpan[],
    watermark: number,
  ): readonly string[] {
    const closed = this.#closed.map(({ period }) => period);
    const [first] = closed;
    if (first === undefined || this.#begunAt <= watermark) return closed;
    const billedFrom = Math.min(...[was[0], is[0]].map((span) => span?.from ?? Number.POSITIVE_INFINITY));
    if (billedFrom >= monthOf(first)[0]) return closed;
    return [...monthsBetween(billedFrom, first), ...closed];
  }

  #statement(
    accountId: string,
    closing: ClosedPeriod,
    causes: ReadonlyMap<string, ReadonlyMap<number, string>>,
  ): Statement | undefined {
    const clusters = [...(this.#clustersOf.get(accountId) ?? [])];
    const known = clusters.map(({ is }) => toAccount(is, accountId));
    const knownBefore = causes.size === 0 ? [] : clusters.map(({ was }) => toAccount(was, accountId));
    const adjustments = [...causes].sort(byPeriod).flatMap(([earlier, facts]) => {
      const month = monthOf(earlier);
      const inOrder = [...facts].sort(([a], [b]) => a - b).map(([, eventId]) => eventId);
      const [before, after] = [measure(knownBefore, ...month), measure(known, ...month)];
      return adjustmentOf(earlier, before, after, inOrder) ?? [];
    });
    return statementOf(accountId, closing, measure(known, ...monthOf(closing.period)), adjustments);
  }
}

function toAccount(spans: readonly BilledSpan[], accountId: string): readonly BilledSpan[] {
  return spans.filter((span) => span.accountId === accountId);
}

/** Compares entries by their periods, of which no two are the same. */
function byPeriod([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function note(causes: Causes, accountId: string, period: string, by: BillingFact): void {
  const periods = causes.get(accountId) ?? new Map<string, Map<number, string>>();
  const facts = periods.get(period) ?? new Map<number, string>();
  causes.set(accountId, periods.set(period, facts.set(by.position, by.eventId)));
}
