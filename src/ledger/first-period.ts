import type { Beginning } from '../domain/billing/statement-beginning.ts';
import { LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import {
  BILLING_BEGAN,
  BILLING_STREAM,
  FIRST_PERIOD_CHOSEN,
  FIRST_PERIOD_STREAM,
} from '../domain/stream-table.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { isAppended } from './append-at-end.ts';
import { type Deadline, retryUntil, writeDeadline } from './append-with-retry.ts';
import { eventId } from './event-id.ts';

/** How a process is about to make a period the first with statements: by closing it, or by recording a beginning. */
export type FirstPeriodChoice =
  | { readonly by: 'closing'; readonly period: Period; readonly actor: string }
  | BeginningChoice;

interface BeginningChoice extends Beginning {
  readonly by: 'beginning';
  readonly actor: string;
}

/**
 * Decides between processes that make different periods the first one at the same time. Each later period follows the one
 * before, so its stream decides. The first one depends on the facts that a process has read, and a beginning is in a stream of
 * its own. So each process chooses before it records anything, and the first choice decides. If its process does not carry it
 * out, the next one does.
 */
export class FirstPeriod {
  readonly #store: EventStore;
  readonly #now: () => Instant;

  constructor(store: EventStore, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Chooses, unless a choice was made before.
   * @returns the first choice, durable.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFailed if it may or may not be recorded: choose again. @throws StoreFull
   */
  async choose(choice: FirstPeriodChoice): Promise<FirstPeriodChoice> {
    const deadline = writeDeadline();
    const data: JsonObject = { ...choice };
    const id = eventId(FIRST_PERIOD_STREAM, JSON.stringify(data));
    const event = { id, type: FIRST_PERIOD_CHOSEN, data, metadata: {}, recordedAt: this.#now() };
    if (await isAppended(this.#store, FIRST_PERIOD_STREAM, event, -1, deadline)) return choice;
    return this.#first(deadline);
  }

  /**
   * Records the chosen beginning of statements.
   * @returns the id of the event once it is durable; `undefined` if a beginning was recorded before.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  async recordBeginning({ period, reason, actor }: BeginningChoice): Promise<string | undefined> {
    const data = { period, reason };
    const id = eventId(BILLING_STREAM, JSON.stringify(data));
    const metadata = { source: LEDGER_SOURCE, actor };
    const event = { id, type: BILLING_BEGAN, data, metadata, recordedAt: this.#now() };
    return (await isAppended(this.#store, BILLING_STREAM, event, -1, writeDeadline())) ? id : undefined;
  }

  #first(deadline: Deadline): Promise<FirstPeriodChoice> {
    return retryUntil(async () => {
      for await (const { data } of this.#store.readStream(FIRST_PERIOD_STREAM, { limit: 1 }))
        return data as unknown as FirstPeriodChoice;
      throw new Error(`${FIRST_PERIOD_STREAM} is empty after a conflict`);
    }, deadline);
  }
}
