import type { Interval } from '../../domain/billing/billing.ts';
import type { PeriodClosing } from '../../domain/billing/period.ts';
import { type Instant, periodOf, periodWindow } from '../../domain/time.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { AlertBook } from '../alerts/alert-book.ts';
import { type BillingDifference, DifferentIntervals } from './billing-difference.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import type { StringInterner } from './string-interner.ts';

/** The parts of the model that a report of late facts reads. */
interface Sources {
  readonly facts: FactTable;
  readonly accounts: StringInterner<AccountNumber>;
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
   * @param difference how the fact changed the billing of its cluster.
   */
  report(
    difference: BillingDifference,
    closedTo: Instant,
    fact: { readonly position: Position; readonly at: Instant },
  ): void {
    this.#report(difference, (account) => this.#sources.accounts.text(account), closedTo, fact);
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
      const difference = new DifferentIntervals(was, is);
      this.#report(difference, (accountId) => accountId, to, { position: lastFact, at });
    }
  }

  #report<Id>(
    difference: BillingDifference<Id>,
    nameOf: (account: Id) => string,
    closedTo: Instant,
    { position, at }: { readonly position: Position; readonly at: Instant },
  ): void {
    const begins = this.#sources.begins();
    for (const [accountId, account] of inOrder(difference.accounts, nameOf)) {
      const since = difference.first(account, { from: Number.NEGATIVE_INFINITY, to: closedTo });
      if (since === undefined) continue;
      // Statements never have what was used before they begin.
      const adjusted =
        begins === undefined ? since : difference.first(account, { from: begins, to: closedTo });
      this.#sources.alerts.late({
        accountId,
        position,
        at,
        period: periodOf(adjusted === undefined || begins === undefined ? since : Math.max(since, begins)),
        eventId: this.#sources.facts.ids.at(position),
        isAdjusted: adjusted !== undefined,
        isLeftOut: begins !== undefined && since < begins,
        statement: periodOf(closedTo),
      });
    }
  }
}

/** Returns accounts with their names, by name, so that the order of alerts does not depend on how the difference is known. */
function inOrder<Id>(accounts: Iterable<Id>, nameOf: (account: Id) => string): [name: string, account: Id][] {
  return Array.from(accounts, (account): [string, Id] => [nameOf(account), account]).sort(([a], [b]) =>
    compareCodeUnits(a, b),
  );
}
