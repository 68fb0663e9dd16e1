import {
  type AppendExpectedRevision,
  type EventData,
  EventStoreDBClient,
  jsonEvent,
} from '@eventstore/db-client';
import { withDeadline } from '../../util/with-deadline.ts';
import { StoreRefused, StoreUnavailable, VersionConflict } from '../store-errors.ts';
import { disposeClient } from './client-channel.ts';
import { appendFailure, describe, recoversByItself } from './error-mapping.ts';
import type { Reachability } from './reachability.ts';
import type { SeenPosition } from './seen-position.ts';

const DISPOSE_MS = 2_000;

/**
 * Appends through a client of its own. The client sends all appends over one long-lived gRPC stream (`BatchAppend`).
 *
 * This class works around three properties of `batchAppend` in `@eventstore/db-client` 6.2:
 * - The module has one table of pending appends for all clients of the process. An error on the stream of one client rejects
 *   the pending appends of all of them.
 * - A response for an append that is no longer in the table throws inside an event handler, which ends the process.
 *   Therefore only one such stream exists at a time: reads use another client, and a client is replaced only after its stream
 *   has ended.
 * - The first append on a new stream waits for the connection and could arrive after the appends that follow it. Therefore the
 *   first append is sent alone.
 */
export class Appender {
  readonly #connection: string;
  readonly #attemptMs: number;
  readonly #reachability: Reachability;
  readonly #requireReadable: () => Promise<void>;
  readonly #seen: SeenPosition;
  #client: EventStoreDBClient;
  /** Whether the server has answered on the current stream. */
  #isWarm = false;
  /** Settles when the next append may be sent: after those that wait, or after the client was replaced. */
  #gate: Promise<unknown> = Promise.resolve();
  /** Number of appends that wait for the gate. An append must not overtake them. */
  #waiting = 0;
  #lastAnswerAt = 0;
  #replacing: Promise<void> | undefined;

  /**
   * @param attemptMs maximum time for the acknowledgement of one append.
   * @param requireReadable rejects if the ledger could not read what is appended. Called before the first append of a stream.
   */
  constructor(
    connection: string,
    attemptMs: number,
    reachability: Reachability,
    requireReadable: () => Promise<void>,
    seen: SeenPosition,
  ) {
    this.#connection = connection;
    this.#attemptMs = attemptMs;
    this.#reachability = reachability;
    this.#requireReadable = requireReadable;
    this.#seen = seen;
    this.#client = EventStoreDBClient.connectionString(connection);
  }

  /**
   * Appends events. @returns the revision of the last event.
   * @throws VersionConflict, InvalidAppend, StoreRefused, StoreUnavailable
   */
  append(stream: string, events: EventData[], expectedRevision: AppendExpectedRevision): Promise<number> {
    return this.#reporting(
      this.#inOrder(async () => {
        const result = await this.#client.appendToStream(stream, events, { expectedRevision });
        if (result.position !== undefined) this.#seen.note(result.position.commit);
        return Number(result.nextExpectedRevision);
      }),
    );
  }

  /** Sets the number of events that a stream keeps. @throws StoreRefused, StoreUnavailable */
  async setMaxCount(stream: string, maxCount: number): Promise<void> {
    try {
      await this.#reporting(this.#inOrder(() => this.#client.setStreamMetadata(stream, { maxCount })));
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      throw new StoreUnavailable(`the metadata of ${stream} was not written: ${describe(error)}`, {
        cause: error,
      });
    }
  }

  /**
   * Finds out whether appends work: the server must reject one at the end of a stream that does not exist. Writes nothing.
   * @throws StoreUnavailable, or the error of the client that is the cause
   */
  async probe(stream: string): Promise<void> {
    const event = jsonEvent({ type: 'Probe', data: {} });
    const attempt = () => this.#client.appendToStream(stream, event, { expectedRevision: 0n });
    try {
      await this.#inOrder(attempt);
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw causeOf(error);
    }
  }

  async #reporting<T>(append: Promise<T>): Promise<T> {
    try {
      const result = await append;
      this.#reachability.succeeded('append');
      return result;
    } catch (error) {
      // A refusal without a cause was not sent to the server.
      const isSent = !(error instanceof StoreRefused) || error.cause !== undefined;
      if (!(error instanceof StoreUnavailable)) this.#reachability.succeeded('append');
      else if (isSent) this.#reachability.failed('append', causeOf(error));
      throw error;
    }
  }

  #inOrder<T>(attempt: () => Promise<T>): Promise<T> {
    if (this.#isWarm && this.#waiting === 0) return this.#attempt(attempt);
    const before = this.#gate;
    const { promise: passed, resolve: pass } = Promise.withResolvers<void>();
    this.#gate = before.then(() => passed);
    this.#waiting++;
    return this.#behind(before, attempt, pass).finally(pass);
  }

  /** Sends an append after those that wait before it. The next one follows at once if the server has answered on the stream. */
  async #behind<T>(before: Promise<unknown>, attempt: () => Promise<T>, pass: () => void): Promise<T> {
    let sent: Promise<T>;
    try {
      const late = () => new StoreUnavailable('the connection was not reestablished in time');
      await withDeadline(before, 2 * this.#attemptMs, late);
      if (!this.#isWarm) await this.#requireReadable();
      sent = this.#attempt(attempt);
    } finally {
      this.#waiting--;
    }
    if (this.#isWarm) pass();
    return sent;
  }

  async #attempt<T>(attempt: () => Promise<T>): Promise<T> {
    const late = () => new StoreUnavailable(`the append was not acknowledged within ${this.#attemptMs} ms`);
    try {
      const result = await withDeadline(attempt(), this.#attemptMs, late);
      this.#answered();
      return result;
    } catch (error) {
      const failure = error instanceof StoreUnavailable ? error : appendFailure(error);
      if (failure instanceof StoreUnavailable) this.#failed(error);
      else this.#answered();
      throw failure;
    }
  }

  #answered(): void {
    this.#isWarm = true;
    this.#lastAnswerAt = performance.now();
  }

  #failed(error: unknown): void {
    this.#isWarm = false;
    const isSilent =
      error instanceof StoreUnavailable && performance.now() - this.#lastAnswerAt >= this.#attemptMs;
    if (isSilent || (!(error instanceof StoreUnavailable) && !recoversByItself(error))) this.#replaceClient();
  }

  #replaceClient(): void {
    if (this.#replacing !== undefined) return;
    this.#replacing = disposeClient(this.#client)
      .then(() => {
        this.#client = EventStoreDBClient.connectionString(this.#connection);
        this.#lastAnswerAt = performance.now();
      })
      .finally(() => {
        this.#replacing = undefined;
      });
    this.#gate = Promise.allSettled([this.#gate, this.#replacing]);
  }

  async close(): Promise<void> {
    await withDeadline(disposeClient(this.#client), DISPOSE_MS, () => new Error('late')).catch(
      () => undefined,
    );
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof StoreUnavailable ? (error.cause ?? error) : error;
}
