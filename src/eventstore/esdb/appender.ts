import { type AppendExpectedRevision, type EventData, EventStoreDBClient } from '@eventstore/db-client';
import { withDeadline } from '../../util/with-deadline.ts';
import { InvalidAppend, StoreUnavailable, VersionConflict } from '../store-errors.ts';
import { discard } from './dispose-client.ts';
import { appendFailure, recoversByItself } from './error-mapping.ts';

const DISPOSE_MS = 2_000;

/**
 * Appends through a client of its own, over the client's one long stream of batches.
 *
 * The client keeps the pending appends of all its instances in one table: an error on one stream rejects them all, and an
 * answer that comes for one that is gone throws where nobody can catch it. So there is one such stream at a time: reads go
 * through another client, and a client is replaced only once its stream has ended. The first append on a new stream would
 * arrive after those behind it, so it goes alone.
 */
export class Appender {
  readonly #connection: string;
  readonly #attemptMs: number;
  readonly #told: (error: unknown) => void;
  #client: EventStoreDBClient;
  /** Whether an answer has come on the present stream. */
  #isWarm = false;
  /** The append that goes alone, or the change of clients, that the next ones wait for. */
  #gate: Promise<unknown> = Promise.resolve();
  #lastAnswerAt = 0;
  #replacing: Promise<void> | undefined;

  /**
   * @param attemptMs longest wait for the answer to one attempt.
   * @param told of every append that failed, or with `undefined` of one that did not.
   */
  constructor(connection: string, attemptMs: number, told: (error: unknown) => void) {
    this.#connection = connection;
    this.#attemptMs = attemptMs;
    this.#told = told;
    this.#client = EventStoreDBClient.connectionString(connection);
  }

  /**
   * @returns revision of the last event.
   * @throws VersionConflict, InvalidAppend, StoreUnavailable
   */
  append(stream: string, events: EventData[], expectedRevision: AppendExpectedRevision): Promise<number> {
    return this.#inOrder(async () => {
      const result = await this.#client.appendToStream(stream, events, { expectedRevision });
      return Number(result.nextExpectedRevision);
    });
  }

  /** Sets how many events a stream keeps. @throws StoreUnavailable */
  async setMaxCount(stream: string, maxCount: number): Promise<void> {
    await this.#inOrder(() => this.#client.setStreamMetadata(stream, { maxCount }));
  }

  #inOrder<T>(attempt: () => Promise<T>): Promise<T> {
    if (this.#isWarm) return this.#attempt(attempt);
    const late = () => new StoreUnavailable('the connection could not be made anew in time');
    const alone = withDeadline(this.#gate, 2 * this.#attemptMs, late).then(() => this.#attempt(attempt));
    this.#gate = alone.catch(() => undefined);
    return alone;
  }

  async #attempt<T>(attempt: () => Promise<T>): Promise<T> {
    const late = () => new StoreUnavailable(`the append was not acknowledged within ${this.#attemptMs} ms`);
    try {
      const result = await withDeadline(attempt(), this.#attemptMs, late);
      this.#answered();
      return result;
    } catch (error) {
      const failure = error instanceof StoreUnavailable ? error : appendFailure(error);
      if (failure instanceof VersionConflict || failure instanceof InvalidAppend) this.#answered();
      else this.#failed(error);
      throw failure;
    }
  }

  #answered(): void {
    this.#isWarm = true;
    this.#lastAnswerAt = performance.now();
    this.#told(undefined);
  }

  #failed(error: unknown): void {
    this.#isWarm = false;
    this.#told(error);
    const isSilent =
      error instanceof StoreUnavailable && performance.now() - this.#lastAnswerAt >= this.#attemptMs;
    if (isSilent || (!(error instanceof StoreUnavailable) && !recoversByItself(error))) this.#replaceClient();
  }

  #replaceClient(): void {
    if (this.#replacing !== undefined) return;
    this.#replacing = discard(this.#client)
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
    await withDeadline(discard(this.#client), DISPOSE_MS, () => new Error('late')).catch(() => undefined);
  }
}
