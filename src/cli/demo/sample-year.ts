import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../domain/time.ts';
import { ClusterLifecycles } from './cluster-lifecycles.ts';
import {
  ACCOUNTS,
  type Account,
  type Cluster,
  newCluster,
  PURPOSES,
  type Purpose,
} from './sample-accounts.ts';
import { SeededRandom } from './seeded-random.ts';
import type { Timeline } from './timeline.ts';

const YEAR_DAYS = 365;

/** Maximum time between a deletion and its recording. */
const MAX_LATE_MS = 9 * DAY_MS;

/** Number of accounts that exist when the year begins. */
const FOUNDING_ACCOUNTS = 14;

/**
 * Adds the facts of the year that ends with the day of `now` to the timeline. They depend on the day only, so that ids are the
 * same at every start on that day.
 */
export function addSampleYear(timeline: Timeline, now: Instant): void {
  const end = Math.floor(now / DAY_MS) * DAY_MS + DAY_MS;
  for (const [i, account] of ACCOUNTS.entries()) {
    const random = new SeededRandom(account.accountId);
    const joinedAfter =
      i % 3 === 0 && i < 3 * FOUNDING_ACCOUNTS
        ? random.between(0, 4)
        : 6 + Math.floor(330 * random.next() ** 1.2);
    new AccountYear(timeline, random, account, end).addFacts(joinedAfter);
  }
}

/** Creates the facts of one account in the year. */
class AccountYear {
  readonly #random: SeededRandom;
  readonly #account: Account;
  readonly #begin: Instant;
  readonly #end: Instant;
  readonly #lifecycles: ClusterLifecycles;

  constructor(timeline: Timeline, random: SeededRandom, account: Account, end: Instant) {
    this.#random = random;
    this.#account = account;
    this.#begin = end - YEAR_DAYS * DAY_MS;
    this.#end = end;
    this.#lifecycles = new ClusterLifecycles(timeline, random);
  }

  addFacts(joinedAfter: number): void {
    const joined = this.#atWork(this.#begin + joinedAfter * DAY_MS);
    this.#lifecycles.register(this.#cluster('mgmt', joined), joined);
    const { size, hasPreviews } = this.#account;
    for (const [i, purpose] of PURPOSES.slice(0, size).entries()) {
      const share = i === 0 ? 0 : (i - 0.5 + this.#random.next()) / size;
      const from = joined + 35 * MINUTE_MS + Math.floor((this.#end - joined) * share);
      this.#slot(purpose, i === 0 ? from : this.#atWork(from));
    }
    if (hasPreviews) this.#previews();
  }

  /** Adds the clusters of one purpose, one after the other. */
  #slot(purpose: Purpose, from: Instant): void {
    const isProduction = purpose.startsWith('prod');
    for (let at = from; at < this.#end; ) {
      const days = isProduction ? this.#random.between(110, 240) : this.#random.between(25, 160);
      const until = this.#atWork(at + days * DAY_MS);
      const cluster = this.#cluster(purpose, at);
      this.#lifecycles.register(cluster, at);
      this.#incidents(cluster, at, Math.min(until, this.#end));
      // A deletion that is confirmed and not recorded yet would be one of the open problems, which are added on purpose.
      const isLate = this.#random.chance(0.1) && until + MAX_LATE_MS < this.#end - DAY_MS;
      const lateBy = isLate ? this.#random.between(2 * DAY_MS, MAX_LATE_MS) : undefined;
      this.#lifecycles.delete(cluster, until, lateBy);
      // A production cluster is replaced while the old one still runs; other clusters return after a pause.
      at = isProduction
        ? until - this.#random.between(30, 90) * MINUTE_MS
        : this.#atWork(until + this.#random.between(1, 30) * DAY_MS);
    }
  }

  /** Adds short-lived clusters of the last months. For some, the deletion is recorded before the registration. */
  #previews(): void {
    for (let at = this.#end - 75 * DAY_MS; at < this.#end; at += this.#random.between(30, 70) * HOUR_MS) {
      const from = this.#atWork(at);
      const cluster = this.#cluster('preview', from);
      const lifetime = this.#random.between(3 * HOUR_MS, 40 * HOUR_MS);
      const isOvertaken = this.#random.chance(0.1);
      this.#lifecycles.register(cluster, from, isOvertaken ? lifetime + 3 * HOUR_MS : undefined);
      this.#lifecycles.delete(cluster, from + lifetime);
    }
  }

  #incidents(cluster: Cluster, from: Instant, until: Instant): void {
    const randomInstant = () => this.#random.between(from + DAY_MS, until - 7 * DAY_MS);
    if (until - from < 14 * DAY_MS) return;
    if (this.#random.chance(0.25)) {
      const at = randomInstant();
      const isLong = this.#random.chance(0.5);
      const [min, max] = isLong ? [26 * HOUR_MS, 120 * HOUR_MS] : [40 * MINUTE_MS, 9 * HOUR_MS];
      this.#lifecycles.outage(cluster, at, at + this.#random.between(min, max));
    }
    if (this.#random.chance(0.04)) {
      const at = randomInstant();
      const reason = `disputed with ticket ${this.#random.between(10_000, 99_999)}`;
      this.#lifecycles.stopBilling(cluster, at, at + this.#random.between(DAY_MS, 6 * DAY_MS), reason);
    }
    if (this.#random.chance(0.04)) {
      const at = randomInstant();
      const mistake = this.#lifecycles.stopBilling(cluster, at, undefined, 'customer is leaving');
      const reason = 'stopped by mistake: the request was about another account';
      this.#lifecycles.void(mistake, at + this.#random.between(2 * HOUR_MS, 4 * DAY_MS), reason);
    }
    if (this.#random.chance(0.06)) this.#lifecycles.cancelDeletion(cluster, this.#atWork(randomInstant()));
  }

  #cluster(purpose: Purpose, at: Instant): Cluster {
    return newCluster(this.#random, this.#account, purpose, (at - this.#begin) / (YEAR_DAYS * DAY_MS));
  }

  /** Returns a time in working hours on the day of an instant, or on the next Monday. */
  #atWork(at: Instant): Instant {
    const day = Math.floor(at / DAY_MS);
    const weekday = (day + 4) % 7; // 1970-01-01 was a Thursday.
    const workday = weekday === 6 ? day + 2 : weekday === 0 ? day + 1 : day;
    return workday * DAY_MS + this.#random.between(7 * HOUR_MS, 18 * HOUR_MS);
  }
}
