import { EventStoreDBClient, type ResolvedEvent, type StreamingRead } from '@eventstore/db-client';
import { withDeadline } from '../../util/with-deadline.ts';
import { disposeClient } from './client-channel.ts';
import { completeRead } from './complete-read.ts';
import { readEnd } from './end-of-server-log.ts';
import { readFailure, recoversByItself } from './error-mapping.ts';
import type { Reachability } from './reachability.ts';
import type { SeenPosition } from './seen-position.ts';
import type { Timings } from './timings.ts';

const DISPOSE_MS = 1_000;
const READABLE = { highWaterMark: 256 };

type ReadStreamOptions = NonNullable<Parameters<EventStoreDBClient['readStream']>[1]>;

/**
 * Reads through a client of its own. A client that no longer works is replaced. The former client continues to serve the reads
 * in progress and is disposed of when the last of them has ended, so that the failure of one read ends no other.
 */
export class Reader {
  readonly #connection: string;
  readonly #timings: Timings;
  readonly #reachability: Reachability;
  readonly #seen: SeenPosition;
  #current: SharedClient;
  #isLogReadable = false;
  /** Former clients that still have reads in progress. */
  readonly #retired = new Set<SharedClient>();

  /** @throws an error of the client if the connection string is not valid. */
  constructor(connection: string, timings: Timings, reachability: Reachability, seen: SeenPosition) {
    this.#connection = connection;
    this.#seen = seen;
    this.#timings = timings;
    this.#reachability = reachability;
    this.#current = new SharedClient(connection);
  }

  /**
   * Reads a stream from the leader. A stream that does not exist has no events.
   * @throws StoreUnavailable if the read is not complete, or the node lacks what this process has seen.
   */
  async *readStream(stream: string, options: ReadStreamOptions): AsyncGenerator<ResolvedEvent> {
    yield* this.use('read', (client) => this.#readUpToDate(client, stream, options));
    this.#reachability.succeeded('read');
  }

  async *#readUpToDate(
    client: EventStoreDBClient,
    stream: string,
    options: ReadStreamOptions,
  ): AsyncGenerator<ResolvedEvent> {
    const { commit } = this.#seen;
    await this.#seen.require(client, commit);
    const read = client.readStream(stream, { ...options, requiresLeader: true }, READABLE);
    yield* completeRead(read, this.#timings.readMs);
    // The client may have connected to another node since the check.
    await this.#seen.require(client, commit);
  }

  /**
   * Iterates over something that uses the client.
   * @throws StoreUnavailable for any error. If the client cannot recover from the error, it is replaced.
   */
  async *use<E>(
    operation: 'read' | 'follow',
    open: (client: EventStoreDBClient) => AsyncIterable<E>,
  ): AsyncGenerator<E> {
    const shared = this.#current;
    shared.users++;
    try {
      yield* open(shared.client);
    } catch (error) {
      if (!recoversByItself(error)) this.#replace(shared);
      this.#reachability.failed(operation, error);
      throw readFailure(error);
    } finally {
      shared.users--;
      this.#disposeIfUnused(shared);
    }
  }

  /**
   * Checks, until it succeeds once, that the log of the server can be read, so that the ledger will see what it appends.
   * @throws StoreRefused, StoreUnavailable
   */
  async requireLogReadable(): Promise<void> {
    if (this.#isLogReadable) return;
    const end = (client: EventStoreDBClient) => completeRead(readEnd(client), this.#timings.readMs);
    for await (const _ of this.use('follow', end));
    this.#isLogReadable = true;
    this.#reachability.succeeded('follow');
  }

  /** Reads one event of a stream, to find out whether reads work. @throws an error of the client, StoreUnavailable */
  probeStream(stream: string): Promise<void> {
    return this.#probe((client) => client.readStream(stream, { maxCount: 1 }, READABLE));
  }

  /** Reads the last event of the server, to find out whether its log can be read. @throws an error of the client, StoreUnavailable */
  probeLog(): Promise<void> {
    return this.#probe(readEnd);
  }

  async #probe<E>(open: (client: EventStoreDBClient) => StreamingRead<E>): Promise<void> {
    const shared = this.#current;
    try {
      for await (const _ of completeRead(open(shared.client), this.#timings.readMs));
    } catch (error) {
      if (!recoversByItself(error)) this.#replace(shared);
      throw error;
    }
  }

  #replace(failed: SharedClient): void {
    if (failed !== this.#current) return;
    this.#current = new SharedClient(this.#connection);
    this.#retired.add(failed);
    this.#disposeIfUnused(failed);
  }

  #disposeIfUnused(shared: SharedClient): void {
    if (shared.users === 0 && this.#retired.delete(shared)) void disposeClient(shared.client);
  }

  /** Ends all reads in progress, which then throw, and closes the connections. */
  async close(): Promise<void> {
    const clients = [this.#current, ...this.#retired];
    this.#retired.clear();
    const disposed = Promise.allSettled(clients.map(({ client }) => disposeClient(client)));
    await withDeadline(disposed, DISPOSE_MS, () => new Error('late')).catch(() => undefined);
  }
}

/** A client with the number of reads and subscriptions that use it. */
class SharedClient {
  readonly client: EventStoreDBClient;
  users = 0;

  constructor(connection: string) {
    this.client = EventStoreDBClient.connectionString(connection);
  }
}
