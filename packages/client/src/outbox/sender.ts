import type { LedgerClient } from '../client.ts';
import { codeOf, LedgerRefused, LedgerUnreachable, type Problem } from '../errors.ts';
import type { LifecycleEvent, PostedResult, Receipt } from '../events.ts';
import { pause, pauseMs } from '../retry.ts';
import type { OutboxFile, RejectedEvent, WaitingEvent } from './outbox-file.ts';
import { SenderLock } from './sender-lock.ts';

export interface SenderOptions {
  readonly file: string;
  readonly onRecorded?: (event: LifecycleEvent, receipt: Receipt) => void;
  readonly onRejected?: (rejected: RejectedEvent) => void | Promise<void>;
  readonly onTrouble?: (error: Error, pauseMs: number) => void;
}

/** Largest batch: below the 1,000 events and 4 MiB that the ledger takes. */
const BATCH_EVENTS = 500;
const BATCH_BYTES = 3 * 1_024 * 1_024;

/** How often a sender looks for events of other processes, and for the end of another sender, in milliseconds. */
const POLL_MS = 1_000;

/** Pause before the app is told again about a rejection, after its callback failed, in milliseconds. */
const TELL_AGAIN_MS = 30_000;

/** Statuses of a problem that no repetition changes: the event is not valid, or contradicts what is recorded. */
const FINAL = new Set([400, 409, 413, 422]);

/** Problems of a role. Another key, or an operator, can post the event; sending it again with this key cannot succeed. */
const FINAL_CODES = new Set(['correction-needs-operator', 'transfer-needs-operator']);

/** Problems of one cluster that a later attempt can get over. The events of other clusters do not wait. */
const OF_ONE_CLUSTER = new Set(['cluster-halted', 'internal']);

/** Sends the events of an outbox: the first of each cluster, then the next, so that they are recorded in order. */
export class Sender {
  /** Why the last attempt failed; undefined if it succeeded. */
  trouble: Error | undefined;
  readonly #file: OutboxFile;
  readonly #client: LedgerClient;
  readonly #options: SenderOptions;
  readonly #lock: SenderLock;
  readonly #stop = new AbortController();
  /** Clusters whose first event cannot be recorded now, with the number of failures and the time of the next attempt. */
  readonly #blocked = new Map<string, { failures: number; until: number }>();
  /** When the app is told again about rejections, after a call of it failed. */
  #tellAgainAt = 0;
  #isWoken = false;
  #endIdling: () => void = () => undefined;
  #failures = 0;
  #ended: Promise<void> = Promise.resolve();

  constructor(file: OutboxFile, client: LedgerClient, options: SenderOptions) {
    this.#file = file;
    this.#client = client;
    this.#options = options;
    this.#lock = new SenderLock(options.file);
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Looks for new events at once, unless the sender pauses after a failure. */
  wake(): void {
    this.#isWoken = true;
    this.#endIdling();
  }

  /** Ends the attempt under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#endIdling();
    await this.#ended;
    this.#lock.release();
  }

  async #run(): Promise<void> {
    // The first attempt follows after the current turn, so that the caller has the outbox before a callback runs.
    await Promise.resolve();
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const isBusy = this.#lock.take() && (await this.#round());
        this.#failures = 0;
        this.trouble = undefined;
        if (!isBusy) await this.#idle();
      } catch (error) {
        if (!signal.aborted) await this.#recover(error as Error);
      }
    }
  }

  /** Sends a batch. @returns whether there may be more to send now. @throws what kept all events from being sent. */
  async #round(): Promise<boolean> {
    await this.#tellRejections();
    const now = Date.now();
    const heads = this.#file.heads(BATCH_EVENTS, (cluster) => (this.#blocked.get(cluster)?.until ?? 0) > now);
    if (heads.length === 0) return false;
    const batch = fitting(heads);
    await this.#post(batch);
    await this.#tellRejections();
    return true;
  }

  /** Posts a batch, and keeps what the ledger answered to each event. @throws what kept all events from being sent. */
  async #post(batch: readonly WaitingEvent[]): Promise<void> {
    if (batch.length > 1) {
      try {
        return this.#settle(batch, await this.#client.postEvents(batch.map(eventOf), this.#stop));
      } catch (error) {
        // One event can make the whole batch invalid. Sent alone, each has an answer of its own.
        if (!(error instanceof LedgerRefused) || !FINAL.has(error.status) || error.problem === undefined)
          throw error;
      }
    }
    for (const waiting of batch) this.#settle([waiting], [await this.#postAlone(eventOf(waiting))]);
  }

  async #postAlone(event: LifecycleEvent): Promise<PostedResult> {
    try {
      return await this.#client.postEvent(event, this.#stop);
    } catch (error) {
      if (error instanceof LedgerRefused && error.problem !== undefined) {
        const { problem } = error;
        if (isFinal(problem) || OF_ONE_CLUSTER.has(codeOf(problem))) return { outcome: 'rejected', problem };
      }
      throw error;
    }
  }

  #settle(batch: readonly WaitingEvent[], results: readonly PostedResult[]): void {
    const recorded: [WaitingEvent, Receipt][] = [];
    const rejected: [number, Problem][] = [];
    for (const [i, waiting] of batch.entries()) {
      const result = results[i] as PostedResult;
      if (result.outcome === 'appended' || result.outcome === 'duplicate') recorded.push([waiting, result]);
      else if (result.outcome === 'rejected' && isFinal(result.problem))
        rejected.push([waiting.place, result.problem]);
      else {
        this.#block(waiting.clusterId, result);
        continue;
      }
      this.#blocked.delete(waiting.clusterId);
    }
    const places = recorded.map(([{ place }]) => place);
    this.#file.settle(places, rejected, Date.now());
    for (const [{ text }, receipt] of recorded)
      this.#tell(() => this.#options.onRecorded?.(JSON.parse(text) as LifecycleEvent, receipt));
  }

  /** Lets the events of one cluster wait, while those of others are sent. */
  #block(clusterId: string, result: PostedResult): void {
    const failures = (this.#blocked.get(clusterId)?.failures ?? 0) + 1;
    const ms = pauseMs(failures, undefined, Math.random());
    this.#blocked.set(clusterId, { failures, until: Date.now() + ms });
    const why =
      result.outcome === 'rejected' ? result.problem.detail : `unknown outcome ${JSON.stringify(result)}`;
    this.#tell(() =>
      this.#options.onTrouble?.(new LedgerUnreachable(`events of the cluster ${clusterId} wait: ${why}`), ms),
    );
  }

  async #tellRejections(): Promise<void> {
    const { onRejected } = this.#options;
    if (Date.now() < this.#tellAgainAt) return;
    for (const { place, ...rejected } of this.#file.rejected(BATCH_EVENTS, true)) {
      if (onRejected === undefined) {
        const { event, problem } = rejected;
        process.emitWarning(
          `The ledger rejected the event ${event.id} of the cluster ${event.subject}: ${problem.detail}`,
          { code: 'CLUSTER_LEDGER_REJECTED' },
        );
      } else if (!(await this.#tell(() => onRejected(rejected)))) {
        this.#tellAgainAt = Date.now() + TELL_AGAIN_MS;
        return;
      }
      this.#file.markTold(place);
    }
  }

  /** Calls the app. @returns whether the call succeeded: a mistake of a callback must not stop the sender. */
  async #tell(call: () => void | Promise<void>): Promise<boolean> {
    try {
      await call();
      return true;
    } catch (error) {
      process.emitWarning(`A callback of the outbox failed: ${(error as Error).stack ?? String(error)}`, {
        code: 'CLUSTER_LEDGER_CALLBACK',
      });
      return false;
    }
  }

  async #recover(error: Error): Promise<void> {
    this.trouble = error;
    const asked = error instanceof LedgerRefused ? error.retryAfterMs : undefined;
    const ms = pauseMs(++this.#failures, asked, Math.random());
    await this.#tell(() => this.#options.onTrouble?.(error, ms));
    await pause(ms, this.#stop.signal, { keepsProcess: false }).catch(() => undefined);
  }

  /** Waits until `wake` or `stop` is called, or other processes may have added events. */
  async #idle(): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS).unref();
        this.#endIdling = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isWoken = false;
  }
}

function eventOf({ text }: WaitingEvent): LifecycleEvent {
  return JSON.parse(text) as LifecycleEvent;
}

function isFinal(problem: Problem): boolean {
  return FINAL.has(problem.status) || FINAL_CODES.has(codeOf(problem));
}

/** Returns the events from the first on that fit into one batch. */
function fitting(heads: readonly WaitingEvent[]): WaitingEvent[] {
  let bytes = 0;
  return heads.filter(({ text }, i) => {
    bytes += Buffer.byteLength(text) + 1;
    return i === 0 || bytes <= BATCH_BYTES;
  });
}
