import { LedgerClient, type LedgerClientOptions } from '../client.ts';
import {
  checked,
  type DataOf,
  type EventName,
  type EventOptions,
  type LifecycleEvent,
  lifecycleEvent,
  type NameWithOptionalData,
  type Receipt,
} from '../events.ts';
import { pause } from '../retry.ts';
import { OutboxFile, type RejectedEvent } from './outbox-file.ts';
import { Sender } from './sender.ts';

export interface OutboxOptions extends Omit<LedgerClientOptions, 'attempts' | 'onRetry'> {
  /** A file on a local disk, such as `/var/lib/pro-app/outbox.db`. Processes on one machine can share it. */
  readonly file: string;
  /** A URI reference that names your app, such as `/pro-app`. With the id it identifies an event forever: never change it. */
  readonly source: string;
  /** Number of events that the outbox holds, rejected ones included, before it takes no more: 100,000 by default. */
  readonly maxEvents?: number;
  /**
   * Called when the ledger has recorded an event. For logs and metrics: after a crash between the recording and this call, it
   * is not called.
   */
  readonly onRecorded?: (event: LifecycleEvent, receipt: Receipt) => void;
  /**
   * Called when the ledger has rejected an event, and again after a restart, until one call succeeds. The event affects no bill:
   * alert a person. It stays in the outbox until it is retried or discarded.
   */
  readonly onRejected?: (rejected: RejectedEvent) => void | Promise<void>;
  /** Called after each failed attempt. All events stay in the outbox, and the next attempt follows after the pause. */
  readonly onTrouble?: (error: Error, pauseMs: number) => void;
}

export interface OutboxStatus {
  /** Number of events that wait to be sent. */
  readonly waiting: number;
  /** Number of events that the ledger rejected. */
  readonly rejected: number;
  /** When the oldest waiting event was added. An alert on its age shows that nothing arrives. */
  readonly oldestWaitingSince: Date | undefined;
  /** Why the last attempt of this process failed; undefined if it succeeded. */
  readonly trouble: Error | undefined;
}

const FLUSH_POLL_MS = 50;

/**
 * Keeps events on disk until the ledger has recorded them. An event that `add` has taken arrives once, in the order of its
 * cluster, through crashes of the app and outages of the ledger. Sending goes on in the background while the process runs, and
 * does not keep the process alive.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #file: OutboxFile;
  readonly #sender: Sender;

  private constructor(options: OutboxOptions) {
    this.#options = options;
    // Checks the URL before any file is created.
    const client = new LedgerClient({ ...options, attempts: 1 });
    this.#file = new OutboxFile(options.file);
    this.#sender = new Sender(this.#file, client, options);
    this.#sender.start();
  }

  /**
   * Opens an outbox, and begins to send what it holds.
   * @throws OutboxError with code `unusable` if the file cannot be opened, or is damaged.
   */
  static open(options: OutboxOptions): Outbox {
    return new Outbox(options);
  }

  /**
   * Stores an event. It is on disk when the call returns. If the call throws, nothing was stored.
   * @param name such as `cluster.registered`.
   * @returns the event with its id and time.
   * @throws OutboxError
   */
  add<N extends EventName>(
    name: N,
    clusterId: string,
    ...[data, options]: N extends NameWithOptionalData
      ? [data?: DataOf<N>, options?: EventOptions]
      : [data: DataOf<N>, options?: EventOptions]
  ): LifecycleEvent {
    const event = lifecycleEvent(
      this.#options.source,
      name,
      clusterId,
      data as unknown as DataOf<N>,
      options,
    );
    this.addEvents([event]);
    return event;
  }

  /**
   * Stores several events, all or none. An event that the outbox has is ignored, so that an app can keep events in its own
   * database in the transaction of its change, and hand them over any number of times.
   * @throws OutboxError
   */
  addEvents(events: readonly LifecycleEvent[]): void {
    for (const event of events) checked(event);
    const { maxEvents = 100_000 } = this.#options;
    if (this.#file.add(events, maxEvents, Date.now()) > 0) this.#sender.wake();
  }

  /** Returns what the outbox holds, for health checks and metrics. @throws OutboxError */
  status(): OutboxStatus {
    const { waiting, rejected, oldestAt } = this.#file.counts();
    return {
      waiting,
      rejected,
      oldestWaitingSince: oldestAt === undefined ? undefined : new Date(oldestAt),
      trouble: this.#sender.trouble,
    };
  }

  /** Returns the events that the ledger rejected, oldest first. @throws OutboxError */
  rejected(limit = 1_000): RejectedEvent[] {
    return this.#file
      .rejected(limit)
      .map(({ event, problem, rejectedAt }) => ({ event, problem, rejectedAt }));
  }

  /** Sends a rejected event again, after its cause is fixed. @returns whether the outbox has it. @throws OutboxError */
  retry({ id, source }: Pick<LifecycleEvent, 'id' | 'source'>): boolean {
    const found = this.#file.retry(source, id);
    if (found) this.#sender.wake();
    return found;
  }

  /** Removes a rejected event. @returns whether the outbox had it. @throws OutboxError */
  discard({ id, source }: Pick<LifecycleEvent, 'id' | 'source'>): boolean {
    return this.#file.discard(source, id);
  }

  /**
   * Waits until no event waits, also not one of another process. Rejected events do not count.
   * @throws the reason of the signal when it is aborted. The events stay in the outbox.
   */
  async flush({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    while (!this.#file.isEmpty()) await pause(FLUSH_POLL_MS, signal);
  }

  /** Ends the attempt under way and closes the file. Events that wait are sent after the next opening. */
  async close(): Promise<void> {
    await this.#sender.stop();
    this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
