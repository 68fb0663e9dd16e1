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

/** Accounts that were customers before the year began. */
const FOUNDERS = 14;

/**
 * Writes the year up to the end of the day of `now` into the chronicle: what the accounts do, and what goes wrong and is put
 * right. It depends on the day alone, so that ids are the same at every start of that day.
 */
export function addSampleYear(chronicle: Timeline, now: Instant): void {
  const end = Math.floor(now / DAY_MS) * DAY_MS + DAY_MS;
  for (const [i, account] of ACCOUNTS.entries()) {
    const dice = new SeededRandom(account.accountId);
    const joinedAfter =
      i % 3 === 0 && i < 3 * FOUNDERS ? dice.between(0, 4) : 6 + Math.floor(330 * dice.next() ** 1.2);
    new Tale(chronicle, dice, account, end).tell(joinedAfter);
  }
}

/** What becomes of one account. */
class Tale {
  readonly #dice: SeededRandom;
  readonly #account: Account;
  readonly #begin: Instant;
  readonly #end: Instant;
  readonly #scenes: ClusterLifecycles;

  constructor(chronicle: Timeline, dice: SeededRandom, account: Account, end: Instant) {
    this.#dice = dice;
    this.#account = account;
    this.#begin = end - YEAR_DAYS * DAY_MS;
    this.#end = end;
    this.#scenes = new ClusterLifecycles(chronicle, dice);
  }

  tell(joinedAfter: number): void {
    const joined = this.#atWork(this.#begin + joinedAfter * DAY_MS);
    this.#scenes.register(this.#cluster('mgmt', joined), joined);
    const { size, hasPreviews } = this.#account;
    for (const [i, purpose] of PURPOSES.slice(0, size).entries()) {
      const share = i === 0 ? 0 : (i - 0.5 + this.#dice.next()) / size;
      const from = joined + 35 * MINUTE_MS + Math.floor((this.#end - joined) * share);
      this.#slot(purpose, i === 0 ? from : this.#atWork(from));
    }
    if (hasPreviews) this.#previews();
  }

  /** One purpose through the year: a cluster, then its successor. */
  #slot(purpose: Purpose, from: Instant): void {
    const isProduction = purpose.startsWith('prod');
    for (let at = from; at < this.#end; ) {
      const days = isProduction ? this.#dice.between(110, 240) : this.#dice.between(25, 160);
      const until = this.#atWork(at + days * DAY_MS);
      const cluster = this.#cluster(purpose, at);
      this.#scenes.register(cluster, at);
      this.#incidents(cluster, at, Math.min(until, this.#end));
      const lateBy = this.#dice.chance(0.1) ? this.#dice.between(2 * DAY_MS, 9 * DAY_MS) : undefined;
      this.#scenes.delete(cluster, until, lateBy);
      // An upgrade is a new cluster beside the old one; what is only tried out comes back when it is missed.
      at = isProduction
        ? until - this.#dice.between(30, 90) * MINUTE_MS
        : this.#atWork(until + this.#dice.between(1, 30) * DAY_MS);
    }
  }

  /** Short-lived clusters of the last months; of some the ledger learns that they are gone before that they were there. */
  #previews(): void {
    for (let at = this.#end - 75 * DAY_MS; at < this.#end; at += this.#dice.between(30, 70) * HOUR_MS) {
      const from = this.#atWork(at);
      const cluster = this.#cluster('preview', from);
      const lifetime = this.#dice.between(3 * HOUR_MS, 40 * HOUR_MS);
      const isOvertaken = this.#dice.chance(0.1);
      this.#scenes.register(cluster, from, isOvertaken ? lifetime + 3 * HOUR_MS : undefined);
      this.#scenes.delete(cluster, from + lifetime);
    }
  }

  #incidents(cluster: Cluster, from: Instant, until: Instant): void {
    const somewhere = () => this.#dice.between(from + DAY_MS, until - 7 * DAY_MS);
    if (until - from < 14 * DAY_MS) return;
    if (this.#dice.chance(0.25)) {
      const at = somewhere();
      const isLong = this.#dice.chance(0.5);
      const [least, most] = isLong ? [26 * HOUR_MS, 120 * HOUR_MS] : [40 * MINUTE_MS, 9 * HOUR_MS];
      this.#scenes.outage(cluster, at, at + this.#dice.between(least, most));
    }
    if (this.#dice.chance(0.04)) {
      const at = somewhere();
      const reason = `disputed with ticket ${this.#dice.between(10_000, 99_999)}`;
      this.#scenes.hold(cluster, at, at + this.#dice.between(DAY_MS, 6 * DAY_MS), reason);
    }
    if (this.#dice.chance(0.04)) {
      const at = somewhere();
      const mistake = this.#scenes.hold(cluster, at, undefined, 'customer is leaving');
      const reason = 'stopped by mistake: the request was about another account';
      this.#scenes.void(mistake, at + this.#dice.between(2 * HOUR_MS, 4 * DAY_MS), reason);
    }
    if (this.#dice.chance(0.06)) this.#scenes.cancelDeletion(cluster, this.#atWork(somewhere()));
  }

  #cluster(purpose: Purpose, at: Instant): Cluster {
    return newCluster(this.#dice, this.#account, purpose, (at - this.#begin) / (YEAR_DAYS * DAY_MS));
  }

  /** A time at which people work on the day of an instant, or on the Monday after. */
  #atWork(at: Instant): Instant {
    const day = Math.floor(at / DAY_MS);
    const weekday = (day + 4) % 7; // 1970-01-01 was a Thursday.
    const workday = weekday === 6 ? day + 2 : weekday === 0 ? day + 1 : day;
    return workday * DAY_MS + this.#dice.between(7 * HOUR_MS, 18 * HOUR_MS);
  }
}
