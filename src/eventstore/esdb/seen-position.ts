import type { EventStoreDBClient } from '@eventstore/db-client';
import { withDeadline } from '../../util/with-deadline.ts';
import { StoreUnavailable } from '../store-errors.ts';
import { type Channel, channelOf } from './client-channel.ts';
import { endOfServerLog } from './end-of-server-log.ts';
import type { Timings } from './timings.ts';

/** A read of the end of the log of a node, in progress. */
interface Check {
  /** Commit position that the process had seen when the check began. */
  readonly seen: bigint;
  readonly end: Promise<bigint>;
}

/**
 * The position of the log of the server up to which this process has seen it: the server acknowledged or delivered an event there. A
 * node whose log ends before that lags behind, or was the leader before. What it answers would be short without an error.
 */
export class SeenPosition {
  readonly #timings: Timings;
  #seen = -1n;
  /** Where the log of the node ended at the last check, by connection. */
  readonly #ends = new WeakMap<Channel, bigint>();
  readonly #checks = new WeakMap<Channel, Check>();

  constructor(timings: Timings) {
    this.#timings = timings;
  }

  /** Commit position; -1 before the first event. */
  get commit(): bigint {
    return this.#seen;
  }

  /** Notes that the server has an event at a commit position. */
  note(commit: bigint): void {
    if (commit > this.#seen) this.#seen = commit;
  }

  /**
   * Checks that the node that a client is connected to has everything up to a commit position. It reads the end of its log, unless an
   * earlier check is sufficient.
   * @throws StoreUnavailable if the node lacks something; an error of the client
   */
  async require(client: EventStoreDBClient, commit: bigint): Promise<void> {
    const { readMs } = this.#timings;
    const late = () => new StoreUnavailable(`the client found no node within ${readMs} ms`);
    const channel = await withDeadline(channelOf(client), readMs, late);
    if ((this.#ends.get(channel) ?? -1n) >= commit) return;
    requireNotBehind(await this.#endOf(client, channel, commit), commit);
  }

  #endOf(client: EventStoreDBClient, channel: Channel, commit: bigint): Promise<bigint> {
    const running = this.#checks.get(channel);
    if (running !== undefined && running.seen >= commit) return running.end;
    const end = this.#readEnd(client, channel);
    this.#checks.set(channel, { seen: this.#seen, end });
    return end;
  }

  async #readEnd(client: EventStoreDBClient, channel: Channel): Promise<bigint> {
    const end = (await endOfServerLog(client, this.#timings))?.commit ?? -1n;
    this.#ends.set(channel, end);
    return end;
  }
}

/** @throws StoreUnavailable if the log of a node ends before a commit position that was seen */
export function requireNotBehind(end: bigint, seen: bigint): void {
  if (end >= seen) return;
  throw new StoreUnavailable(
    `the log of the server ends at ${end}, before ${seen}, which was read before: the node lags behind, or its data is older`,
  );
}
