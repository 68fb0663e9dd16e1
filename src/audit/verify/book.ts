import { type Billed, billedAt, changesBetween, differsWithin, NEVER, type Span } from './billed.ts';
import type { BillingFact } from './billing-fact.ts';
import { type Amounts, difference, measure, sumOf, type Usage } from './measures.ts';

/** docs/billing-rules.md, "Periods, statements, adjustments". */
export interface Statement {
  readonly accountId: string;
  readonly period: string;
  /** Decimal. */
  readonly watermark: string;
  readonly usage: Usage;
  readonly adjustments: readonly {
    readonly period: string;
    readonly before: Usage;
    readonly after: Usage;
    readonly delta: Amounts;
    /** Event ids. */
    readonly facts: readonly string[];
  }[];
  readonly total: Amounts;
}

/** A period that was closed, and the last position that its statements know. */
export interface ClosedPeriod {
  readonly period: string;
  readonly watermark: number;
}

interface Cluster {
  readonly facts: BillingFact[];
  /** As known at the watermark before the last one, and at the last one. */
  was: Billed;
  is: Billed;
}

/** By account, then by earlier period: what changed it, by position. */
type Causes = Map<string, Map<string, Map<number, string>>>;

/**
 * Billing worked out once more, from facts and the watermarks of closings and from nothing else: it shares no code with the
 * ledger that made the statements. Facts and closings are given in the order of the log.
 */
export class Book {
  readonly #clusters = new Map<string, Cluster>();
  /** The clusters that were ever registered to an account. */
  readonly #clustersOf = new Map<string, Set<Cluster>>();
  readonly #closed: ClosedPeriod[] = [];
  /** Clusters with facts behind the last watermark. */
  #news = new Set<Cluster>();
  #changed: readonly Cluster[] = [];

  add(fact: BillingFact): void {
    if (fact.type === 'other') return;
    const cluster = this.#clusters.get(fact.clusterId) ?? { facts: [], was: NEVER, is: NEVER };
    this.#clusters.set(fact.clusterId, cluster);
    cluster.facts.push(fact);
    this.#news.add(cluster);
    if (fact.accountId === undefined) return;
    const owned = this.#clustersOf.get(fact.accountId) ?? new Set();
    this.#clustersOf.set(fact.accountId, owned.add(cluster));
  }

  /**
   * The statements of the period that is closed next, in order of the accounts.
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

  /** The usage of an account in `[from, to)`, as known at a position. */
  usage(accountId: string, from: number, to: number, position: number): Usage {
    const clusters = [...(this.#clustersOf.get(accountId) ?? [])].map(({ facts }) =>
      billedAt(facts, position),
    );
    return measure(
      clusters.filter(({ owner }) => owner === accountId).map(({ spans }) => spans),
      from,
      to,
    );
  }

  #moveTo(watermark: number): void {
    for (const cluster of this.#changed) cluster.was = cluster.is;
    this.#changed = [...this.#news];
    for (const cluster of this.#changed) cluster.is = billedAt(cluster.facts, watermark);
    this.#news = new Set(this.#changed.filter(({ facts }) => (facts.at(-1)?.position ?? 0) > watermark));
  }

  /** Which facts changed what of which earlier period. */
  #causes(before: number, watermark: number): Causes {
    const causes: Causes = new Map();
    for (const { facts, was, is } of this.#changed) {
      if (!this.#closed.some(({ period }) => differsWithin(was, is, ...monthOf(period)))) continue;
      const changes = changesBetween(facts, before, watermark);
      for (const owner of new Set([was.owner, is.owner])) {
        if (owner === undefined) continue;
        const [own, owned] = [ofOwner(was, owner), ofOwner(is, owner)];
        for (const { period } of this.#closed) {
          const [from, end] = monthOf(period);
          if (!differsWithin(own, owned, from, end)) continue;
          // What is effective from the end of a period on cannot have changed it.
          for (const { by, at } of changes) if (at < end) note(causes, owner, period, by);
        }
      }
    }
    return causes;
  }

  #statement(
    accountId: string,
    { period, watermark }: ClosedPeriod,
    causes: ReadonlyMap<string, ReadonlyMap<number, string>>,
  ): Statement | undefined {
    const clusters = [...(this.#clustersOf.get(accountId) ?? [])];
    const spansOf = (of: (cluster: Cluster) => Billed): (readonly Span[])[] =>
      clusters.map(of).flatMap(({ owner, spans }) => (owner === accountId ? [spans] : []));
    const known = spansOf(({ is }) => is);
    const knownBefore = causes.size === 0 ? [] : spansOf(({ was }) => was);
    const usage = measure(known, ...monthOf(period));
    const adjustments = this.#closed.flatMap(({ period: earlier }) => {
      const facts = causes.get(earlier);
      if (facts === undefined) return [];
      const before = measure(knownBefore, ...monthOf(earlier));
      const after = measure(known, ...monthOf(earlier));
      if (isSame(before, after)) return [];
      const inOrder = [...facts].sort(([a], [b]) => a - b).map(([, eventId]) => eventId);
      return [{ period: earlier, before, after, delta: difference(before, after), facts: inOrder }];
    });
    if (usage.billableClusters === 0 && adjustments.length === 0) return undefined;
    const total = sumOf([usage, ...adjustments.map(({ delta }) => delta)]);
    return { accountId, period, watermark: String(watermark), usage, adjustments, total };
  }
}

/** What of a cluster is billed to an account: nothing where it is another's. */
function ofOwner({ owner, spans }: Billed, own: string): Billed {
  return { owner: own, spans: owner === own ? spans : [] };
}

function note(causes: Causes, owner: string, period: string, by: BillingFact): void {
  const periods = causes.get(owner) ?? new Map<string, Map<number, string>>();
  const facts = periods.get(period) ?? new Map<number, string>();
  causes.set(owner, periods.set(period, facts.set(by.position, by.eventId)));
}

function isSame(one: Usage, other: Usage): boolean {
  return (Object.keys(one) as (keyof Usage)[]).every((name) => one[name] === other[name]);
}

const MONTH = /^(19[7-9]\d|[2-9]\d{3})-(0[1-9]|1[0-2])$/;

/** Whether a text names a month that can be billed. */
export function isMonth(text: unknown): text is string {
  return typeof text === 'string' && MONTH.test(text) && text !== '9999-12';
}

/** A UTC month, half-open, in ms since the epoch. @param period `YYYY-MM`. */
export function monthOf(period: string): [from: number, to: number] {
  const [year = 0, month = 0] = period.split('-').map(Number);
  return [Date.UTC(year, month - 1), Date.UTC(year, month)];
}

/** The month after another. */
export function monthAfter(period: string): string {
  return new Date(monthOf(period)[1]).toISOString().slice(0, 7);
}
