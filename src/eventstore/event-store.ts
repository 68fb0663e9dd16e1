import type { JsonObject } from './json.ts';

/** What the caller wants recorded. */
export interface NewEvent {
  /** A UUID in lower case, computed from what the event is, so that a repeat carries the same one. */
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
  /** When it is recorded by the clock of who writes it, in ms since the epoch; the same in every repeat. */
  readonly recordedAt: number;
}

/** What was recorded. */
export interface RecordedEvent extends NewEvent {
  /** The name without the namespace. */
  readonly stream: string;
  /** Place in its stream: 0, 1, 2, … */
  readonly revision: number;
  /** `data` and `metadata` as JSON, from stores that keep them as text, for who needs no more than that. */
  readonly json?: StoredJson;
}

/** JSON texts of an event as they are stored. */
export interface StoredJson {
  readonly data: string;
  readonly metadata: string;
}

/** What was recorded in the log, with its place there. */
export interface LogEvent extends RecordedEvent {
  /** 1, 2, 3, … without gaps, the same on every store. */
  readonly position: number;
}

/**
 * The revision of the last event that the caller has seen in the stream, or `'absent'` where it has seen none. There is
 * no "any": on EventStoreDB its de-duplication is best effort.
 */
export type Expected = number | 'absent';

/** A part of the log, in order. */
export interface Batch {
  readonly events: readonly LogEvent[];
  /** Whether, after these events, the follower has seen all that the log held when it looked. */
  readonly caughtUp: boolean;
}

export interface ReadOptions {
  /** First revision to read, inclusive. Default 0 forwards, the last one backwards. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  /** How many events at the most. Default all. */
  readonly limit?: number;
}

/** Whether the store can be reached, for readiness. */
export interface StoreHealth {
  readonly reachable: boolean;
  /** Since when it could not be reached, in ms since the epoch; `undefined` while it can. */
  readonly unreachableSince: number | undefined;
  /** What is wrong, for people. */
  readonly detail: string | undefined;
}

/**
 * Streams of events, a total order over all of them, and optimistic concurrency; the semantics are EventStoreDB's.
 *
 * A stream named `~…` holds **state** (claims, cursors): it stands outside of the log, its events have no position and no
 * follower sees them. All others hold what is recorded of the world.
 *
 * All methods throw `StoreClosed` after `close`.
 */
export interface EventStore {
  /** Whether no other process writes to the log while this one has it open. */
  readonly isSoleWriter: boolean;

  /**
   * Writes all of `events` or none, in one stream, and resolves once they are durable. Their place in the log is told by
   * who follows it. Appends reach the store in the order
   * of the calls, so that a caller may issue many without waiting, and their places in the log are in that order.
   * @param expected the append happens only if the stream is as the caller has seen it. A repeat with the same ids and
   * the same expectation is safe: it answers as the first did and writes nothing.
   * @returns revision of the last event of the append.
   * @throws VersionConflict the stream is not as expected; nothing was written. Read again, decide again.
   * @throws StoreUnavailable outcome unknown: repeat with the same ids and the same expectation.
   * @throws StoreFull nothing was written; writes work again once there is room.
   * @throws StoreFailed outcome unknown, and this process must not go on writing.
   * @throws InvalidAppend the events can never be written (too large, not JSON, an id that is no UUID); nothing was.
   */
  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number>;

  /**
   * The events of a stream in order of revision; none for an absent stream. Leaving early leaks nothing.
   * @throws StoreUnavailable
   */
  readStream(stream: string, options?: ReadOptions): AsyncIterable<RecordedEvent>;

  /**
   * The log after a position up to its end at the time of the call, in batches, which are read as they are asked for.
   * @throws StoreUnavailable
   */
  readAll(after: number): AsyncIterable<readonly LogEvent[]>;

  /**
   * The log after a position, then what is added to it: no gap and no repeat, through reconnects, restarts and changes of
   * leader. Ends when `signal` is aborted, and only then.
   * @throws StoreFailed where the store turns out not to be what was followed before.
   */
  follow(after: number, signal: AbortSignal): AsyncIterable<Batch>;

  /** Position of the last event of the log; 0 where it is empty. @throws StoreUnavailable */
  head(): Promise<number>;

  /** Lets the store forget all but the last `count` events of a state stream. @throws StoreUnavailable */
  keepLast(stream: string, count: number): Promise<void>;

  health(): StoreHealth;

  /** Waits for appends under way and lets go of everything. */
  close(): Promise<void>;
}
