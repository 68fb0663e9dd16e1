import type { AccountProfile } from '../domain/account-profile.ts';
import {
  ACCOUNT_DESCRIBED,
  ALERT_ACKNOWLEDGED,
  ALERTS_STREAM,
  accountStream,
  DECISIONS_STREAM,
  OUTAGE_DECIDED,
} from '../domain/stream-table.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { appendRecord } from './append-record.ts';

/** Records the decisions of operators about alerts and about the validator, each at the end of its stream. */
export class OperatorDecisions {
  readonly #store: EventStore;
  readonly #now: () => Instant;

  constructor(store: EventStore, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Records that an operator has acknowledged an alert: until an instant if one is given, otherwise until it is resolved.
   * @returns the id of the event once it is durable. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  acknowledge(
    alertId: string,
    by: string,
    { note, until }: { readonly note?: string | undefined; readonly until?: Instant | undefined } = {},
  ): Promise<string> {
    const data = {
      alertId,
      by,
      ...(note !== undefined && { note }),
      ...(until !== undefined && { until: formatInstant(until) }),
    };
    return this.#append(ALERTS_STREAM, ALERT_ACKNOWLEDGED, data, by);
  }

  /**
   * Records that runs of the validator stay effective until an instant although its breaker is open. An instant in the past
   * cancels an earlier decision.
   * @returns the id of the event once it is durable. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  proceedUntil(until: Instant, by: string, note: string | undefined): Promise<string> {
    const data = { until: formatInstant(until), by, ...(note !== undefined && { note }) };
    return this.#append(DECISIONS_STREAM, OUTAGE_DECIDED, data, by);
  }

  /**
   * Records the profile of an account, whole: it replaces the one before.
   * @returns the id of the event, once it is durable. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  describeAccount(accountId: string, profile: AccountProfile, by: string): Promise<string> {
    return this.#append(accountStream(accountId), ACCOUNT_DESCRIBED, { ...profile } as JsonObject, by);
  }

  #append(stream: string, type: string, data: JsonObject, actor: string): Promise<string> {
    return appendRecord(this.#store, stream, { type, data, actor }, this.#now);
  }
}
