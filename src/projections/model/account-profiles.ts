import { type AccountProfile, readableProfile, useOfLimits } from '../../domain/account-profile.ts';
import type { Instant } from '../../domain/time.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { AlertBook } from '../alerts/alert-book.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import type { LimitWatch } from './limit-watch.ts';
import type { StringInterner } from './string-interner.ts';

/** The latest profile of an account, with its place in the log. */
export interface RecordedProfile {
  readonly profile: AccountProfile;
  readonly position: Position;
  readonly at: Instant;
}

/** The parts of the model that the comparison with limits reads. */
interface Sources {
  readonly accounts: StringInterner<AccountNumber>;
  readonly clusterTypes: StringInterner<number>;
  readonly limits: LimitWatch;
  readonly alerts: AlertBook;
}

/** The profiles of accounts, and the alerts about their limits. */
export class AccountProfiles {
  readonly #sources: Sources;
  /** By account id. */
  readonly #profiles: Map<string, RecordedProfile>;

  constructor(sources: Sources, profiles: Iterable<readonly [string, RecordedProfile]> = []) {
    this.#sources = sources;
    this.#profiles = new Map(profiles);
  }

  /** Applies an event of the stream of an account. @param now the newest time of recording. */
  apply(accountId: string, { type, data, position, recordedAt: at }: LogEvent, now: Instant): void {
    const profile = readableProfile(type, data);
    if (profile === undefined) return;
    this.#profiles.set(accountId, { profile, position, at });
    if (profile.limits !== undefined) {
      this.#compare(accountId, profile.limits, undefined, { now, at });
      return;
    }
    const account = this.#sources.accounts.find(accountId);
    if (account !== undefined) this.#sources.limits.forget(account);
    this.#sources.alerts.limits(accountId, [], at);
  }

  /**
   * Compares the limits of the owners of a cluster after a fact of it.
   * @param now the newest time of recording: unlike `at`, the time of this fact, it never goes back.
   */
  compareLimits(
    owners: readonly AccountNumber[],
    cluster: ClusterNumber,
    times: { readonly now: Instant; readonly at: Instant },
  ): void {
    if (this.#profiles.size === 0) return;
    for (const account of owners) {
      const accountId = this.#sources.accounts.text(account);
      const limits = this.#profiles.get(accountId)?.profile.limits;
      if (limits !== undefined) this.#compare(accountId, limits, cluster, times);
    }
  }

  /** Raises an alert for each limit of an account that is reached, and resolves those that no longer are. */
  #compare(
    accountId: string,
    limits: Readonly<Record<string, number>>,
    changed: ClusterNumber | undefined,
    { now, at }: { readonly now: Instant; readonly at: Instant },
  ): void {
    const { accounts, clusterTypes, limits: watch, alerts } = this.#sources;
    const account = accounts.find(accountId);
    const billed = new Map<string | null, number>();
    if (account !== undefined)
      for (const [type, count] of watch.billedByType(account, changed, now))
        billed.set(type === null ? null : clusterTypes.text(type), count);
    alerts.limits(accountId, useOfLimits(limits, billed), at);
  }

  /** Returns the latest profile of an account; `undefined` if it has none. */
  of(accountId: string): RecordedProfile | undefined {
    return this.#profiles.get(accountId);
  }

  /** Ids of the accounts that have a profile, in no particular order. */
  get accountIds(): Iterable<string> {
    return this.#profiles.keys();
  }

  /** All of them, for a snapshot. */
  get all(): [string, RecordedProfile][] {
    return [...this.#profiles];
  }
}
