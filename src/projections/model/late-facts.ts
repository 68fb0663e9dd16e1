import type { Interval } from '../../domain/billing/billing.ts';
import type { PeriodClosing } from '../../domain/billing/period.ts';
import { changesWithin, firstChange, type OwnedInterval } from '../../domain/billing/statement.ts';
import { type Instant, periodOf, periodWindow } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { AlertBook } from '../alerts/alert-book.ts';
import type { BilledChange } from './billed-rows.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import type { StringInterner } from './string-interner.ts';

/** The parts of the model that a report of late facts reads. */
interface Sources {
  readonly facts: FactTable;
  readonly accounts: StringInterner<AccountNumber>;
  readonly clusterTypes: StringInterner<number>;
  readonly alerts: AlertBook;
  /** Returns the billed intervals of a cluster as known at a position. */
  readonly intervals: (cluster: ClusterNumber, asOf: Position) => readonly Interval[];
  /** Returns the start of the first period with statements; `undefined` if that is not recorded. */
  readonly begins: () => Instant | undefined;
}

/** Raises alerts about facts that change the usage of an account in a closed period. */
export class LateFacts {
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /**
   * Reports what a fact changed before the end of the last closed period.
   * @param changes how the fact changed the billed intervals of its cluster.
   */
  report(
    changes: readonly BilledChange[],
    closedTo: Instant,
    fact: { readonly position: Position; readonly at: Instant },
  ): void {
    if (changes.length === 0) return;
    const [was, is] = [this.#toIntervals(changes, -1), this.#toIntervals(changes, 1)];
    this.#report(was, is, closedTo, fact);
  }

  /**
   * Reports the facts between the watermark of a closing and the closing itself.
   * @param last returns the position of the last fact of a cluster.
   */
  reportClosing(
    { period, watermark }: PeriodClosing,
    { position, at }: { readonly position: Position; readonly at: Instant },
    last: (cluster: ClusterNumber) => Position,
  ): void {
    const { facts, alerts, intervals } = this.#sources;
    const { to } = periodWindow(period);
    alerts.closed(watermark, at);
    const clusters = new Set<ClusterNumber>();
    for (let known = watermark + 1; known < position; known++) clusters.add(facts.clusterAt(known));
    clusters.delete(-1);
    for (const cluster of clusters) {
      const lastFact = last(cluster);
      const [was, is] = [intervals(cluster, watermark), intervals(cluster, lastFact)];
      this.#report(was, is, to, { position: lastFact, at });
    }
  }

  #toIntervals(changes: readonly BilledChange[], sign: BilledChange['sign']): OwnedInterval[] {
    const { accounts, clusterTypes } = this.#sources;
    return changes
      .filter((change) => change.sign === sign)
      .sort((a, b) => a.from - b.from)
      .map(({ from, to, account, type }) => ({
        from,
        to: to === Number.POSITIVE_INFINITY ? null : to,
        accountId: accounts.text(account),
        clusterType: type === -1 ? null : clusterTypes.text(type),
      }));
  }

  #report(
    was: readonly OwnedInterval[],
    is: readonly OwnedInterval[],
    closedTo: Instant,
    { position, at }: { readonly position: Position; readonly at: Instant },
  ): void {
    const begins = this.#sources.begins();
    const eventId = this.#sources.facts.ids.at(position);
    const statement = periodOf(closedTo);
    for (const accountId of new Set([...was, ...is].map((interval) => interval.accountId))) {
      const [before, after] = [was, is].map((all) =>
        all.filter((interval) => interval.accountId === accountId),
      ) as [OwnedInterval[], OwnedInterval[]];
      const since = firstChange(before, after);
      if (since === undefined || since >= closedTo) continue;
      // Statements never have what was used before they begin.
      const isAdjusted = begins === undefined || changesWithin(before, after, { from: begins, to: closedTo });
      const period = periodOf(isAdjusted && begins !== undefined ? Math.max(since, begins) : since);
      this.#sources.alerts.late({ accountId, position, at, period, eventId, isAdjusted, statement });
    }
  }
}
