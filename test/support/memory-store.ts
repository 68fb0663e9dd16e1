import { appendEach } from '../../src/eventstore/append-each.ts';
import type {
  Append,
  Batch,
  EventStore,
  Expected,
  LogEvent,
  NewEvent,
  ReadOptions,
  RecordedEvent,
} from '../../src/eventstore/event-store.ts';
import { SharedLog } from '../torture/simulate/shared-log.ts';

/** A store in memory, which answers at once. Several of them over one log are the stores of replicas. */
export class MemoryStore implements EventStore {
  readonly isSoleWriter: boolean;
  readonly loss = undefined;
  /** Positions that a signed checkpoint was noted for. */
  readonly signedPositions: number[] = [];
  readonly log: SharedLog;

  constructor({ isSoleWriter = true, log = new SharedLog() } = {}) {
    this.isSoleWriter = isSoleWriter;
    this.log = log;
  }

  async append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    return this.log.append(stream, events, expected);
  }

  appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<number>[]> {
    return appendEach(this, appends);
  }

  /** Of the ways to read, those that the ledger uses on state streams: all, or the last ones backwards. */
  async *readStream(
    stream: string,
    { direction = 'forwards', limit }: ReadOptions = {},
  ): AsyncGenerator<RecordedEvent> {
    const events = this.log.stream(stream);
    yield* (direction === 'forwards' ? [...events] : events.toReversed()).slice(0, limit);
  }

  async *readAll(after: number): AsyncGenerator<readonly LogEvent[]> {
    yield this.log.events.slice(after);
  }

  async *follow(after: number, signal: AbortSignal): AsyncGenerator<Batch> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    let position = after;
    while (!signal.aborted) {
      const events = this.log.events.slice(position);
      position += events.length;
      yield { events, caughtUp: true };
      if (position >= this.log.events.length) await Promise.race([this.log.grown, aborted]);
    }
  }

  async head(): Promise<number> {
    return this.log.events.length;
  }

  async keepLast(): Promise<void> {}

  async stateStreams(): Promise<string[]> {
    return this.log.stateStreams();
  }

  signed(position: number): void {
    this.signedPositions.push(position);
  }

  health() {
    return { reachable: true, unreachableSince: undefined, detail: undefined };
  }

  async close(): Promise<void> {}
}
