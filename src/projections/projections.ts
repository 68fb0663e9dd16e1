import { rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore, LogEvent } from '../eventstore/event-store.ts';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
import { EventLoopYielder } from '../util/event-loop-yielder.ts';
import type { Position } from '../util/log-numbers.ts';
import type { Logger } from '../util/logger.ts';
import { type EventLocation, LedgerModel } from './model/ledger-model.ts';
import {
  encodeModel,
  readSnapshot,
  type Snapshot,
  type SnapshotOrigin,
  writeSnapshot,
} from './model/snapshot.ts';
import { replayLog } from './replay-log.ts';
import { type DigestKeeper, StatementCheck } from './statement-check.ts';

export interface ProjectionsOptions {
  /** File of the snapshot; by default there is none. */
  readonly snapshotFile?: string;
  /** Distinguishes the snapshots of this log from those of another history. Without it, only the last event is compared. */
  readonly starts?: LogHistory;
  /** Stores the digests of single statements. Without it, a drift does not name an account. */
  readonly statementDigests?: DigestKeeper;
  readonly log: Logger;
  /** Called once if following fails permanently. The process must then stop. */
  readonly onFailed?: (error: unknown) => void;
}

/** The part of `LogStarts` that `Projections` uses. */
export interface LogHistory {
  /** The origin of snapshots that this process writes; `undefined` until its start is recorded. */
  readonly origin: SnapshotOrigin | undefined;
  /** Records this start. @throws StoreUnavailable */
  begin(snapshot: CheckedSnapshot | undefined): Promise<SnapshotVerdict>;
}

/** Whether a snapshot belongs to the log. */
export interface SnapshotVerdict {
  /** Why it does not; `undefined` if it does. */
  readonly mismatch: string | undefined;
  /** Whether the log is behind the snapshot. The snapshot is then kept, because it shows that. */
  readonly isBehind: boolean;
}

/** A snapshot that is to be checked. */
export interface CheckedSnapshot {
  readonly origin: SnapshotOrigin;
  readonly position: Position;
  /** Whether the log has the last event of the snapshot at its position. */
  readonly isEndInLog: boolean;
}

const RETRY_MS = 500;

/**
 * Returns the number of events after which a new snapshot is written. It grows with the log, as the cost of a snapshot does. A
 * start after a crash replays a tenth of the log, 10,000 events, or what was recorded in 30 seconds, whichever is most.
 */
function snapshotAfter(position: Position): number {
  return Math.max(10_000, position / 10);
}

/**
 * Minimum time between two snapshots. Writing one holds the event loop, and under load the events of one second would be enough
 * for the next one. What is recorded in that time is replayed in a few seconds.
 */
const MIN_SNAPSHOT_INTERVAL_MS = 30_000;

/**
 * Keeps a `LedgerModel` at the end of the log: restores a snapshot or starts empty, then follows the log. One follower feeds
 * it, so that all answers hold at one position.
 */
export class Projections {
  readonly #store: EventStore;
  readonly #options: ProjectionsOptions;
  readonly #stop = new AbortController();
  #model = new LedgerModel();
  #following: Promise<void> = Promise.resolve();
  readonly #restored = Promise.withResolvers<void>();
  #keepsSnapshot = false;
  #isCaughtUp = false;
  #failure: unknown;
  #snapshotAt = 0;
  /** When the last snapshot was begun, on the clock of `performance.now()`. */
  #snapshotTime = Number.NEGATIVE_INFINITY;
  #snapshots = { written: 0, failed: 0, position: 0 };
  #writing: Promise<void> = Promise.resolve();
  /** Compares the statements of closed periods with their closings. */
  readonly statements: StatementCheck;
  readonly #waiting = new Set<() => void>();
  #waitsForNobody = false;
  readonly #listeners: ((events: readonly LogEvent[]) => void)[] = [];

  constructor(store: EventStore, options: ProjectionsOptions) {
    this.#store = store;
    this.#options = options;
    const { log, statementDigests: keeper } = options;
    this.statements = new StatementCheck({
      keeper,
      onDrift: (drift) =>
        log.error(
          { alert: 'statement-drift', ...drift },
          'the statements of a closed period differ from its closing',
        ),
      onNotKept: (period, err) =>
        log.warn({ period, err }, 'the digests of the statements of a closed period could not be stored'),
    });
  }

  /** The current model. A rebuild replaces it, so do not keep a reference. */
  get model(): LedgerModel {
    return this.#model;
  }

  /** Whether the model has all events that the log had at the start. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** The error that ended following; `undefined` while it continues. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Numbers of snapshots that were written, and could not be, and the position of the newest one; 0 if there is none. */
  get snapshots(): { readonly written: number; readonly failed: number; readonly position: Position } {
    return this.#snapshots;
  }

  /** Calls `listener` with each batch of events that the model has taken in. */
  subscribe(listener: (events: readonly LogEvent[]) => void): void {
    this.#listeners.push(listener);
  }

  /** Restores the snapshot, if it is usable, and follows the log from there. */
  start(): void {
    this.#following = this.#run().catch((error: unknown) => {
      this.#failure = error;
      this.#restored.resolve();
      this.#options.log.error({ err: error }, 'the projections have stopped');
      this.#wake();
      this.#options.onFailed?.(error);
    });
  }

  /** Waits until the snapshot was compared with the log. */
  get restored(): Promise<void> {
    return this.#restored.promise;
  }

  /** Waits until the model has all events that the log had at the start. @returns `false` after `timeoutMs`. */
  waitUntilCaughtUp(timeoutMs: number): Promise<boolean> {
    return this.#until(() => this.#isCaughtUp, timeoutMs);
  }

  /** Waits until the model has the event at `position`. @returns `false` after `timeoutMs`. */
  waitForPosition(position: Position, timeoutMs: number): Promise<boolean> {
    return this.#until(() => this.#model.position >= position, timeoutMs);
  }

  /** Waits until the model has an event. @returns its place, or `undefined` after `timeoutMs`. */
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
    this.#restored.resolve();
    this.#snapshotAt = this.#snapshots.position = this.#model.position;
    await this.#follow();
  }

  async #follow(): Promise<void> {
    for await (const { events, caughtUp } of this.#store.follow(this.#model.position, this.#stop.signal)) {
      for (const event of events) this.#model.apply(event);
      for (const listener of this.#listeners) listener(events);
      if (caughtUp && !this.#isCaughtUp) {
        this.#isCaughtUp = true;
        void this.#prepare();
      }
      this.#wake();
      if (this.#isCaughtUp) this.statements.check(this.#model);
      if (this.#isCaughtUp && this.#isSnapshotDue) void this.#snapshot();
    }
  }

  get #isSnapshotDue(): boolean {
    const { position } = this.#model;
    if (position - this.#snapshotAt < snapshotAfter(position)) return false;
    return performance.now() - this.#snapshotTime >= MIN_SNAPSHOT_INTERVAL_MS;
  }

  /** Computes histories before the first requests, so that these need not wait. */
  async #prepare(): Promise<void> {
    const slices = new EventLoopYielder();
    for (const _ of this.#model.prepare()) {
      if (this.#stop.signal.aborted) return;
      if (slices.isDue) await slices.yield();
    }
  }

  /** Replays the whole log into a second model, and replaces the current one once the second has caught up. */
  async rebuild(): Promise<void> {
    const rebuilt = new LedgerModel();
    while (rebuilt.position < this.#model.position)
      for await (const _ of replayLog(this.#store, rebuilt, this.#model.position));
    this.#model = rebuilt;
    this.statements.check(rebuilt);
  }

  async #restore(): Promise<LedgerModel | undefined> {
    const { snapshotFile, log } = this.#options;
    const ignored = (why: string) =>
      log.warn({ snapshotFile, why }, 'the snapshot is ignored and removed; replaying the log');
    const snapshot = snapshotFile === undefined ? undefined : await readSnapshot(snapshotFile, ignored);
    const verdict = await this.#whenReachable(() => this.#judge(snapshot));
    const { mismatch, isBehind } = verdict ?? { mismatch: undefined, isBehind: false };
    if (snapshot !== undefined && mismatch === undefined) return snapshot.model;
    if (isBehind) this.#keepsSnapshot = true;
    else if (mismatch !== undefined) ignored(mismatch);
    if (snapshotFile !== undefined && !isBehind) await rm(snapshotFile, { force: true });
    return undefined;
  }

  /** Records this start. @returns whether a snapshot belongs to this log. */
  async #judge(snapshot: Snapshot | undefined): Promise<SnapshotVerdict> {
    const { starts } = this.#options;
    const none = { mismatch: undefined, isBehind: false };
    if (snapshot === undefined) return (await starts?.begin(undefined)) ?? none;
    const { model, origin } = snapshot;
    const isEndInLog = await this.#holds(model);
    if (starts === undefined || origin === undefined) {
      await starts?.begin(undefined);
      return isEndInLog ? none : { mismatch: 'it was made from another log', isBehind: false };
    }
    return starts.begin({ origin, position: model.position, isEndInLog });
  }

  /** Repeats an attempt until the store can be reached. @returns `undefined` if the ledger is stopping. */
  async #whenReachable<T>(attempt: () => Promise<T>): Promise<T | undefined> {
    while (!this.#stop.signal.aborted) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#options.log.info({ err: error }, 'waiting for the store');
        await wait(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** Returns whether the log has the last event of a model at its position. */
  async #holds(model: LedgerModel): Promise<boolean> {
    if (model.position === 0) return true;
    for await (const [event] of this.#store.readAll(model.position - 1)) {
      const { facts, position } = model;
      // The same event posted again after a restore has the same id, but was recorded later.
      return event?.id === facts.ids.at(position) && event.recordedAt === facts.recordedAt(position);
    }
    return false;
  }

  /** Writes the current model after any previous write has ended. Following continues meanwhile. */
  async #snapshot(): Promise<void> {
    const { snapshotFile, log, starts } = this.#options;
    const { position } = this.#model;
    if (snapshotFile === undefined || this.#keepsSnapshot || position === this.#snapshotAt) return;
    // The next start would not know that the snapshot belongs to the log.
    if (starts !== undefined && starts.origin === undefined) return;
    this.#snapshotAt = position;
    this.#snapshotTime = performance.now();
    const bytes = encodeModel(this.#model, starts?.origin);
    this.#writing = this.#writing
      .then(() => writeSnapshot(snapshotFile, bytes))
      .then(() => {
        this.#snapshots.written++;
        this.#snapshots.position = position;
      })
      .catch((error: unknown) => {
        this.#snapshots.failed++;
        log.warn({ err: error, snapshotFile }, 'the snapshot could not be written');
      });
    await this.#writing;
  }

  /** Ends all current and future waits, because the ledger is closing. */
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
