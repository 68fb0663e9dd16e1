import type { Position, Revision } from '../util/log-numbers.ts';
import type { JsonObject } from './json.ts';

/** An event to append. */
export interface NewEvent {
  /** Lower-case UUID computed from the content of the event, so that a repeat has the same id. */
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
  /** Time of recording in ms since the epoch, by the clock of the writer. A repeat must have the same time. */
  readonly recordedAt: number;
  /** `data` and `metadata` as `JSON.stringify` writes them, if these texts are known. It saves serializing and parsing. */
  readonly json?: StoredJson;
  /**
   * The value that the writer made the data from. Followers in the same process may get it with the event, and need not parse the data;
   * for events that are read from a store, it is absent.
   */
  readonly content?: unknown;
}

/** JSON texts of an event, as stored. */
export interface StoredJson {
  readonly data: string;
  readonly metadata: string;
}

/** One of several appends that are made at once. */
export interface Append {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: Expected;
}

/** An event in a stream. */
export interface RecordedEvent extends NewEvent {
  /** Name of the stream, without the namespace. */
  readonly stream: string;
  /** Index in its stream, from 0. */
  readonly revision: Revision;
  /** When the server of the store stored it, in ms since the epoch by its own clock; absent if the store has no server. */
  readonly storedAt?: number;
}

/** An event in the log. */
export interface LogEvent extends RecordedEvent {
  /** Index in the log, from 1, without gaps. Every store assigns the same positions. */
  readonly position: Position;
  /**
   * Digest of the event by the function that the store was opened with, computed as the event was written; absent for events
   * that are read from the store.
   */
  readonly digest?: Uint8Array | undefined;
}

/** Returns the digest of an event: `DIGEST_BYTES` bytes. It throws if the event has none. */
export type DigestOf = (event: LogEvent) => Uint8Array;

/** Size of a digest in bytes. */
export const DIGEST_BYTES = 32;

/**
 * Expected state of a stream: the revision of its last event, or `'absent'` if it has no events. There is no "any": on
 * EventStoreDB an append with "any" is deduplicated on a best-effort basis only.
 */
export type Expected = Revision | 'absent';

/** Consecutive events of the log. */
export interface Batch {
  readonly events: readonly LogEvent[];
  /** Whether the follower has now received all events that the log had when the batch was read. */
  readonly caughtUp: boolean;
}

export interface ReadOptions {
  /** First revision to read, inclusive. Default: 0 forwards, the last revision backwards. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  /** Maximum number of events. Default: all. */
  readonly limit?: number;
}

/** Acknowledged events that a store lacks. */
export interface StoreLoss {
  readonly why: string;
  /** Last position up to which the log is as it was acknowledged, as far as is known. */
  readonly intactThrough: Position;
}

/** Reachability of the store, for readiness checks. */
export interface StoreHealth {
  readonly reachable: boolean;
  /** Time since which the store is unreachable, in ms since the epoch; `undefined` while it is reachable. */
  readonly unreachableSince: number | undefined;
  /** Description of the failure, for operators. */
  readonly detail: string | undefined;
  /** Number of events of the log that are being checked since the start. Appends wait for that. Absent if nothing is being checked. */
  readonly unchecked?: number;
  /** How often followers had to subscribe again, since this process opened the store; `undefined` if the store is a file. */
  readonly reconnects?: number;
  /** Whether the store stays unreachable until an operator does what `detail` says. */
  readonly needsOperator?: boolean;
}

/**
 * Event store: streams of events, a total order of all events (the log), and optimistic concurrency. The semantics are those
 * of EventStoreDB.
 *
 * A stream whose name begins with `~` is a **state stream** (claims, cursors, indexes). Its events are not a part of the log:
 * they have no position, and followers do not receive them.
 *
 * All methods throw `StoreClosed` after `close`.
 */
export interface EventStore {
  /** Whether this process is the only one that can write to the log. */
  readonly isSoleWriter: boolean;

  /**
   * Why the store lacks events that it has acknowledged; `undefined` if nothing says so. Every append is then rejected with
   * `LogBehind`, until the store is opened again by an operator who accepts the loss.
   */
  readonly loss: StoreLoss | undefined;

  /**
   * Appends all of `events` to a stream, or none of them. Resolves once they are durable. Their positions are known to
   * followers only. Appends reach the store in the order of the calls and get positions in that order, so a caller can start
   * many appends without waiting.
   * @param expected state of the stream that is required. A repeat with the same ids and the same expected state is safe: it
   * writes nothing and returns the same result.
   * @returns the revision of the last event of the append.
   * @throws VersionConflict if the stream is in another state. Nothing was written: read the stream and decide again.
   * @throws StoreUnavailable if the outcome is unknown: repeat with the same ids and the same expected state.
   * @throws StoreRefused if the store is known not to take appends. Nothing was written.
   * @throws StoreFull if the disk is full. Nothing was written; appends work again once there is space.
   * @throws StoreFailed if the outcome is unknown and this process must stop writing.
   * @throws LogBehind if events that were acknowledged are missing. Nothing was written.
   * @throws InvalidAppend if the events can never be written (too large, not JSON, an id that is not a UUID). Nothing was written.
   */
  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<Revision>;

  /**
   * Makes appends to different streams at once, which costs less than one after the other. They get positions in their order,
   * and each of them succeeds or fails on its own, as `append` does.
   * @returns the result of each append, in order. The promise never rejects.
   */
  appendAll(appends: readonly Append[]): Promise<PromiseSettledResult<Revision>[]>;

  /**
   * Reads the events of a stream in order of revision. An absent stream has no events. The iteration may be left early.
   * @throws StoreUnavailable
   */
  readStream(stream: string, options?: ReadOptions): AsyncIterable<RecordedEvent>;

  /**
   * Reads the log after a position, up to its end at the time of the call, in batches. Each batch is read when it is requested.
   * @throws StoreUnavailable
   */
  readAll(after: Position): AsyncIterable<readonly LogEvent[]>;

  /**
   * Reads the log after a position, and then waits for new events. No event is missing or repeated, whether the connection
   * breaks, the server restarts, or its leader changes. Ends only when `signal` is aborted.
   * @throws StoreFailed if the log is not the one that was followed before.
   */
  follow(after: Position, signal: AbortSignal): AsyncIterable<Batch>;

  /** Returns the position of the last event of the log, or 0 if the log is empty. @throws StoreUnavailable */
  head(): Promise<Position>;

  /** Allows the store to delete all but the last `count` events of a state stream. @throws StoreUnavailable */
  keepLast(stream: string, count: number): Promise<void>;

  /** Returns the names of the state streams that have events, sorted. @throws StoreUnavailable */
  stateStreams(): Promise<readonly string[]>;

  /** Notes that a signed checkpoint covers all events up to a position. */
  signed(position: Position): void;

  health(): StoreHealth;

  /** Waits for appends in progress, then closes all connections and files. */
  close(): Promise<void>;
}
