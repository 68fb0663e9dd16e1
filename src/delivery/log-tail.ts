import type { EventStore, LogEvent } from '../eventstore/event-store.ts';
import type { Projections } from '../projections/projections.ts';
import type { Position } from '../util/log-numbers.ts';

/** Number of the newest events that stay in memory, so that consumers at the end of the log need not read the store. */
const NEWEST_EVENTS = 1_024;

/**
 * Reads the log up to the position of the projections. All consumers of this process share one follower: an event that is new
 * is read from the store once, however many consumers wait for it.
 */
export class LogTail {
  readonly #store: Pick<EventStore, 'readAll'>;
  readonly #projections: Projections;
  /** The newest events, without gaps. */
  #newest: LogEvent[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(store: Pick<EventStore, 'readAll'>, projections: Projections) {
    this.#store = store;
    this.#projections = projections;
    projections.subscribe((events) => this.#keep(events));
  }

  /** Position of the last event that can be read. */
  get head(): Position {
    return this.#projections.model.position;
  }

  /** Whether the projections have all events that the log had when the ledger started. */
  get isCaughtUp(): boolean {
    return this.#projections.isCaughtUp;
  }

  /**
   * Calls `listener` each time that the log has grown. @returns a function that ends this.
   */
  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the events after a position up to the head, in batches. The iteration may be left early. @throws StoreUnavailable */
  async *read(after: Position): AsyncGenerator<readonly LogEvent[]> {
    const { head } = this;
    if (after >= head) return;
    const first = this.#newest[0]?.position ?? Number.POSITIVE_INFINITY;
    if (after + 1 >= first) {
      yield this.#newest.slice(after + 1 - first);
      return;
    }
    for await (const batch of this.#store.readAll(after)) {
      const isLast = (batch.at(-1)?.position ?? 0) >= head;
      yield isLast ? batch.filter(({ position }) => position <= head) : batch;
      if (isLast) return;
    }
  }

  /** Reads the event at a position. @returns `undefined` if there is none. @throws StoreUnavailable */
  async eventAt(position: Position): Promise<LogEvent | undefined> {
    for await (const [event] of this.read(position - 1)) return event;
    return undefined;
  }

  #keep(events: readonly LogEvent[]): void {
    const last = this.#newest.at(-1)?.position;
    if (last !== undefined && events[0]?.position !== last + 1) this.#newest = [];
    for (const event of events) this.#newest.push(event);
    // Cutting at twice the size makes the cost per event constant.
    if (this.#newest.length > 2 * NEWEST_EVENTS) this.#newest = this.#newest.slice(-NEWEST_EVENTS);
    for (const listener of this.#listeners) listener();
  }
}
