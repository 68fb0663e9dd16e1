import { setTimeout as wait } from 'node:timers/promises';
import { ALERT_ACKNOWLEDGED, ALERTS_STREAM, DECISIONS_STREAM, OUTAGE_DECIDED } from '../domain/streams.ts';
import { formatInstant, type Instant } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import { eventId } from './event-id.ts';
import { LEDGER_SOURCE } from './ledger.ts';
import { appendWithRetry, type Deadline, retryUntil, writeDeadline } from './retry.ts';

/** What operators decide about alerts and about the validator: written down at the end of a stream, one after the other. */
export class OperatorDecisions {
  readonly #store: EventStore;
  readonly #now: () => Instant;

  constructor(store: EventStore, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Somebody has seen an alert.
   * @returns the id of the event, once it is durable. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  acknowledge(alertId: string, by: string, note: string | undefined): Promise<string> {
    const data = { alertId, by, ...(note !== undefined && { note }) };
    return this.#append(ALERTS_STREAM, ALERT_ACKNOWLEDGED, data, by);
  }

  /**
   * Runs of the validator go on until an instant although its breaker is open; an instant that has passed takes it back.
   * @returns the id of the event, once it is durable. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  proceedUntil(until: Instant, by: string, note: string | undefined): Promise<string> {
    const data = { until: formatInstant(until), by, ...(note !== undefined && { note }) };
    return this.#append(DECISIONS_STREAM, OUTAGE_DECIDED, data, by);
  }

  async #append(stream: string, type: string, data: JsonObject, actor: string): Promise<string> {
    const deadline = writeDeadline();
    for (;;) {
      const last = await retryUntil(() => this.#lastRevision(stream), deadline);
      const recordedAt = this.#now();
      const id = eventId(stream, last + 1, recordedAt, JSON.stringify(data));
      const event = { id, type, data, metadata: { source: LEDGER_SOURCE, actor }, recordedAt };
      if (await this.#isAppended(stream, event, last, deadline)) return id;
      await wait(0);
    }
  }

  async #isAppended(
    stream: string,
    event: Parameters<EventStore['append']>[1][number],
    last: number,
    deadline: Deadline,
  ): Promise<boolean> {
    try {
      await appendWithRetry(this.#store, stream, [event], last === -1 ? 'absent' : last, deadline);
      return true;
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      return false;
    }
  }

  async #lastRevision(stream: string): Promise<number> {
    const options = { direction: 'backwards', limit: 1 } as const;
    for await (const { revision } of this.#store.readStream(stream, options)) return revision;
    return -1;
  }
}
