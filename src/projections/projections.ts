import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore } from '../eventstore/event-store.ts';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
import { EventLoopYielder } from '../util/event-loop-yielder.ts';
import type { Position } from '../util/log-numbers.ts';
import type { Logger } from '../util/logger.ts';
import { type EventLocation, LedgerModel } from './model/ledger-model.ts';
import { encodeModel, readSnapshot, writeSnapshot } from './model/snapshot.ts';
import { type DigestKeeper, StatementCheck } from './statement-check.ts';

export interface ProjectionsOptions {
  /** File of the snapshot; without it none is kept. */
  readonly snapshotFile?: string;
  /** Where the digests of single statements are kept; without it a drift names no account. */
  readonly statementDigests?: DigestKeeper;
  readonly log: Logger;
  /** Told once when following has failed for good: the process must stop. */
  readonly onFailed?: (error: unknown) => void;
}

const RETRY_MS = 500;

/**
 * Events after which a new snapshot is written: the more there are, the more it costs, so that writing them stays a small
 * part of the work, and a start after a crash replays a tenth of the log at the most.
 */
function snapshotAfter(position: Position): number {
  return Math.max(10_000, position / 10);
}

/**
 * Keeps a `LedgerModel` at the end of the log: from a snapshot or from zero, then following. One follower feeds it, so all
 * answers agree with each other at one position.
 */
export class Projections {
  readonly #store: EventStore;
  readonly #options: ProjectionsOptions;
  readonly #stop = new AbortController();
  #model = new LedgerModel();
  #following: Promise<void> = Promise.resolve();
  #isCaughtUp = false;
  #failure: unknown;
  #snapshotAt = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Whether what was closed is still what it was. */
  readonly statements: StatementCheck;
  readonly #waiting = new Set<() => void>();
  #waitsForNobody = false;

  constructor(store: EventStore, options: ProjectionsOptions) {
    this.#store = store;
    this.#options = options;
    const { log, statementDigests: keeper } = options;
    this.statements = new StatementCheck({
      keeper,
      onDrift: (drift) =>
        log.error({ alert: 'statement-drift', ...drift }, 'a closed period is not what it was'),
      onNotKept: (period, err) =>
        log.warn({ period, err }, 'the digests of its statements could not be kept'),
    });
  }

  /** The state to answer from; a rebuild replaces it, so ask each time. */
  get model(): LedgerModel {
    return this.#model;
  }

  /** Whether all that was in the log at the start has been seen. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Why following ended for good; `undefined` while it goes on. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Restores the snapshot, if it is of use, and follows the log from there. */
  start(): void {
    this.#following = this.#run().catch((error: unknown) => {
      this.#failure = error;
      this.#options.log.error({ err: error }, 'the projections have stopped');
      this.#wake();
      this.#options.onFailed?.(error);
    });
  }

  /** Waits until all that was in the log at the start has been seen; `false` where that took longer than `timeoutMs`. */
  waitUntilCaughtUp(timeoutMs: number): Promise<boolean> {
    return this.#until(() => this.#isCaughtUp, timeoutMs);
  }

  /** Waits until the event at `position` is in the answers; `false` where that took longer than `timeoutMs`. */
  waitForPosition(position: Position, timeoutMs: number): Promise<boolean> {
    return this.#until(() => this.#model.position >= position, timeoutMs);
  }

  /** Waits until an event is in the answers; `undefined` where that took longer than `timeoutMs`. */
  async waitForEvent(eventId: string, timeoutMs: number): Promise<EventLocation | undefined> {
    const find = () => this.#model.locate(eventId);
    return find() ?? ((await this.#until(() => find() !== undefined, timeoutMs)) ? find() : undefined);
  }

  async #until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    if (holds()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const check = () => {
      if (holds()) resolve(true);
      else if (this.#failure !== undefined || this.#waitsForNobody) resolve(false);
    };
    const timer = setTimeout(() => resolve(false), timeoutMs);
    this.#waiting.add(check);
    check();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }

  #wake(): void {
    for (const check of this.#waiting) check();
  }

  async #run(): Promise<void> {
    this.#model = (await this.#restore()) ?? this.#model;
    this.#snapshotAt = this.#model.position;
    await this.#follow();
  }

  async #follow(): Promise<void> {
    for await (const { events, caughtUp } of this.#store.follow(this.#model.position, this.#stop.signal)) {
      for (const event of events) this.#model.apply(event);
      if (caughtUp && !this.#isCaughtUp) {
        this.#isCaughtUp = true;
        void this.#prepare();
      }
      this.#wake();
      if (this.#isCaughtUp) this.statements.check(this.#model);
      const { position } = this.#model;
      if (this.#isCaughtUp && position - this.#snapshotAt >= snapshotAfter(position)) void this.#snapshot();
    }
  }

  /** Spares the first questions what they would have to wait for. */
  async #prepare(): Promise<void> {
    const slices = new EventLoopYielder();
    for (const _ of this.#model.prepare()) {
      if (this.#stop.signal.aborted) return;
      if (slices.isDue) await slices.yield();
    }
  }

  /** Replays the whole log beside what is being answered from, and swaps once it has caught up. */
  async rebuild(): Promise<void> {
    const rebuilt = new LedgerModel();
    while (rebuilt.position < this.#model.position) await this.#replayInto(rebuilt);
    this.#model = rebuilt;
    this.statements.check(rebuilt);
  }

  /** Applies what the log holds, and never more than the model that follows has seen. */
  async #replayInto(rebuilt: LedgerModel): Promise<void> {
    for await (const events of this.#store.readAll(rebuilt.position)) {
      for (const event of events) {
        if (event.position > this.#model.position) return;
        rebuilt.apply(event);
      }
    }
  }

  async #restore(): Promise<LedgerModel | undefined> {
    const { snapshotFile, log } = this.#options;
    if (snapshotFile === undefined) return undefined;
    const ignored = (why: string) =>
      log.warn({ snapshotFile, why }, 'the snapshot is ignored; replaying the log');
    const model = await readSnapshot(snapshotFile, ignored);
    if (model === undefined || model.position === 0) return undefined;
    if (await this.#isOfThisLog(model)) return model;
    ignored('it was made from another log');
    return undefined;
  }

  /** Asks the store, for as long as it takes to be reached. */
  async #isOfThisLog(model: LedgerModel): Promise<boolean> {
    while (!this.#stop.signal.aborted) {
      try {
        return await this.#holds(model);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#options.log.info({ err: error }, 'waiting for the store');
        await wait(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
    return false;
  }

  async #holds(model: LedgerModel): Promise<boolean> {
    for await (const [event] of this.#store.readAll(model.position - 1)) {
      return event?.id === model.facts.ids.at(model.position);
    }
    return false;
  }

  /** Writes the model as it is now, once what was being written before is; following goes on meanwhile. */
  async #snapshot(): Promise<void> {
    const { snapshotFile, log } = this.#options;
    const { position } = this.#model;
    if (snapshotFile === undefined || position === this.#snapshotAt) return;
    this.#snapshotAt = position;
    const bytes = encodeModel(this.#model);
    this.#writing = this.#writing
      .then(() => writeSnapshot(snapshotFile, bytes))
      .catch((error: unknown) => {
        log.warn({ err: error, snapshotFile }, 'the snapshot could not be written');
      });
    await this.#writing;
  }

  /** Lets go of everybody who waits, now and from now on: the ledger is closing. */
  stopWaiting(): void {
    this.#waitsForNobody = true;
    this.#wake();
  }

  /** Ends following and writes a last snapshot. */
  async stop(): Promise<void> {
    this.stopWaiting();
    this.#stop.abort();
    await this.#following;
    await this.statements.stop();
    if (this.#failure === undefined && this.#isCaughtUp) await this.#snapshot();
    await this.#writing;
  }
}
