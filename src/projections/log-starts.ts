import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { LEDGER_STARTED, LEDGER_STARTS_STREAM, LOSSES_STREAM } from '../domain/stream-table.ts';
import { SECOND_MS } from '../domain/time.ts';
import type { EventStore, StoreLoss } from '../eventstore/event-store.ts';
import { StoreClosed, StoreFailed, StoreUnavailable, VersionConflict } from '../eventstore/store-errors.ts';
import type { Position } from '../util/log-numbers.ts';
import type { SnapshotOrigin } from './model/snapshot.ts';
import type { CheckedSnapshot, LogHistory, SnapshotVerdict } from './projections.ts';

/** Positions of a log that were not lost since. */
export interface Epoch {
  /**
   * 1 until positions are lost for the first time. A later epoch has the number of the second in which it begins, counted from 2026:
   * two restores of one backup, which know nothing of each other, begin different epochs.
   */
  readonly epoch: number;
  /** Last position that is the same in this epoch and in the one before. */
  readonly epochFrom: Position;
}

const RETRY_MS = 500;

const FIRST_EPOCH: Epoch = { epoch: 1, epochFrom: 0 };
/** The second 0 of the numbers of epochs. */
const NUMBERS_BEGIN = Date.UTC(2026, 0);

/**
 * Returns the epoch in which a position was given to its event. The pair names the event for good, also after a restore that gave
 * the position to another one. @param epochs of the log, in order.
 */
export function epochOf(position: Position, epochs: readonly Epoch[]): number {
  return (epochs.findLast(({ epochFrom }) => epochFrom < position) ?? FIRST_EPOCH).epoch;
}

/** A start of a ledger on a log. */
interface LogStart extends Epoch {
  readonly startId: string;
  /** End of the log at the start; 0 if the store has more than one writer, since the end is not known then. */
  readonly position: Position;
}

interface LogStartsOptions {
  /** Returns the time that events are stamped with. */
  readonly recordingTime: () => number;
  /** A clock that nobody can set, in milliseconds; by default that of the process. */
  readonly monotonic?: () => number;
  /** Whether starts are only read: this one is then not recorded. */
  readonly isReadOnly?: boolean;
  /** Called if a snapshot shows that a log with one writer lacks events. Nothing is recorded then. */
  readonly onBehind?: (loss: StoreLoss) => void;
  /** Called if this start cannot be recorded after the log was checked. The process must then stop. */
  readonly onFailed?: (error: unknown) => void;
}

/**
 * Records each start of a ledger in the store, which distinguishes a restored log from one that went on: a log without the
 * start that wrote a snapshot, or with a later start that began before the end of the snapshot, has another history than the
 * snapshot. Event ids alone do not show that, because they depend on the content of an event: the same event posted again
 * after a restore has the same id, and may be at the same position.
 */
export class LogStarts implements LogHistory {
  readonly #store: EventStore;
  readonly #options: LogStartsOptions;
  readonly #startId: string = randomUUID();
  #firstStartId: string | undefined;
  #start: LogStart | undefined;
  #epochs: readonly Epoch[] = [FIRST_EPOCH];
  /** Revision of the event of this start, and when it was acknowledged by the monotonic clock. */
  #recorded: { readonly revision: number; readonly at: number } | undefined;

  constructor(store: EventStore, options: LogStartsOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** The epochs of the log in order; the last one is the current one. They are known once `begin` has resolved. */
  get epochs(): readonly Epoch[] {
    return this.#epochs;
  }

  /** The origin of snapshots that this process writes; `undefined` until this start is recorded. */
  get origin(): SnapshotOrigin | undefined {
    const isRecorded = this.#recorded !== undefined;
    if (!isRecorded || this.#start === undefined || this.#firstStartId === undefined) return undefined;
    return { firstStartId: this.#firstStartId, startId: this.#startId, epoch: this.#start.epoch };
  }

  /**
   * Records this start. If positions were lost since the snapshot, a log with one writer is behind. With several writers, a new
   * epoch begins. A retry after an error is safe. While the log is being checked, it can be read, so the recording is not waited for.
   * @throws StoreUnavailable, StoreFull, StoreFailed
   */
  async begin(snapshot: CheckedSnapshot | undefined): Promise<SnapshotVerdict> {
    const { isSoleWriter } = this.#store;
    const position = isSoleWriter ? await this.#store.head() : 0;
    for (;;) {
      const starts = await this.#earlierStarts();
      const mismatch = snapshot === undefined ? undefined : this.#mismatchOf(starts, snapshot);
      const known = epochsOf([...starts, ...(await this.#acceptedLosses())]);
      const isLost = mismatch === LOST && snapshot !== undefined;
      const { epoch, epochFrom } =
        isLost && !isSoleWriter ? this.#epochAfter(known, snapshot, position) : currentOf(known);
      this.#start = { startId: this.#startId, position, epoch, epochFrom };
      this.#firstStartId = starts[0]?.startId ?? this.#startId;
      this.#epochs = epochsOf([...known, this.#start]);
      const isBehind = mismatch !== undefined && isSoleWriter;
      const verdict = { mismatch, isBehind };
      if (isBehind) this.#options.onBehind?.(lossOf(mismatch, snapshot as CheckedSnapshot, position));
      if (isBehind || this.#options.isReadOnly === true) return verdict;
      if (this.#store.health().unchecked !== undefined) {
        void this.#recordOnceChecked(this.#start, starts.length - 1);
        return verdict;
      }
      if (await this.#isRecorded(this.#start, starts.length - 1)) return verdict;
    }
  }

  /**
   * Returns the time of the server, computed from the event of this start: at most 10 seconds less than its clock shows.
   * `undefined` if the store has no server, or this start is not recorded. @throws StoreUnavailable
   */
  async serverTime(): Promise<number | undefined> {
    if (this.#recorded === undefined) return undefined;
    const { revision, at } = this.#recorded;
    for await (const { storedAt } of this.#store.readStream(LEDGER_STARTS_STREAM, {
      from: revision,
      limit: 1,
    }))
      return storedAt === undefined ? undefined : storedAt + this.#monotonic() - at;
    return undefined;
  }

  /** Returns the number of the epoch that begins now if events were lost. @throws StoreUnavailable */
  async nextEpoch(): Promise<number> {
    const known = epochsOf([...(await this.#earlierStarts()), ...(await this.#acceptedLosses())]);
    return this.#numberAfter(currentOf(known).epoch);
  }

  /**
   * Records that the log was restored, before a ledger starts on it: positions after its end may have been given to other
   * events, so a new epoch begins. @throws StoreUnavailable, StoreFull, StoreFailed, VersionConflict
   */
  async restored(): Promise<Epoch> {
    const position = await this.#store.head();
    const epoch = { epoch: await this.nextEpoch(), epochFrom: position };
    const starts = await this.#earlierStarts();
    const isRecorded = await this.#isRecorded(
      { startId: this.#startId, position, ...epoch },
      starts.length - 1,
    );
    if (!isRecorded) throw new VersionConflict('a ledger has started on the store meanwhile');
    return epoch;
  }

  #epochAfter(known: readonly Epoch[], snapshot: CheckedSnapshot, position: Position): Epoch {
    return {
      epoch: this.#numberAfter(Math.max(currentOf(known).epoch, snapshot.origin.epoch)),
      epochFrom: Math.min(position, snapshot.position),
    };
  }

  /** Returns the number of an epoch that begins now, which is greater than that of an earlier one. */
  #numberAfter(earlier: number): number {
    return Math.max(earlier + 1, Math.floor((this.#options.recordingTime() - NUMBERS_BEGIN) / SECOND_MS));
  }

  #monotonic(): number {
    return (this.#options.monotonic ?? (() => performance.now()))();
  }

  #mismatchOf(
    starts: readonly LogStart[],
    { origin, position, isEndInLog }: CheckedSnapshot,
  ): string | undefined {
    if (starts[0]?.startId !== origin.firstStartId) return 'it was made from another log';
    const wrote = starts.findIndex(({ startId }) => startId === origin.startId);
    if (wrote === -1 || !isEndInLog) return LOST;
    // With several writers, starts of other processes come in between.
    // A start on a store with several writers has no position: the log was copied from there since.
    const next = this.#store.isSoleWriter
      ? starts.slice(wrote + 1).find(({ position: end }) => end > 0)
      : undefined;
    return next !== undefined && next.position < position ? LOST : undefined;
  }

  async #earlierStarts(): Promise<LogStart[]> {
    const starts: LogStart[] = [];
    for await (const { data } of this.#store.readStream(LEDGER_STARTS_STREAM))
      starts.push(data as unknown as LogStart);
    return starts;
  }

  async #acceptedLosses(): Promise<Epoch[]> {
    const epochs: Epoch[] = [];
    for await (const { data } of this.#store.readStream(LOSSES_STREAM)) epochs.push(data as unknown as Epoch);
    return epochs;
  }

  /** Records this start in a log with one writer, so that no other process can have recorded one meanwhile. */
  async #recordOnceChecked(start: LogStart, last: number): Promise<void> {
    try {
      for (;;) {
        try {
          await this.#isRecorded(start, last);
          return;
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error;
          await wait(RETRY_MS, undefined, { ref: false });
        }
      }
    } catch (error) {
      // The store itself reports that it has failed.
      if (!(error instanceof StoreClosed || error instanceof StoreFailed)) this.#options.onFailed?.(error);
    }
  }

  async #isRecorded(start: LogStart, last: number): Promise<boolean> {
    const event = {
      id: this.#startId,
      type: LEDGER_STARTED,
      data: { ...start },
      metadata: {},
      recordedAt: this.#options.recordingTime(),
    };
    try {
      const revision = await this.#store.append(LEDGER_STARTS_STREAM, [event], last === -1 ? 'absent' : last);
      this.#recorded = { revision, at: this.#monotonic() };
      return true;
    } catch (error) {
      if (error instanceof VersionConflict) return false;
      throw error;
    }
  }
}

/** Returns each epoch once, in order. */
function epochsOf(epochs: readonly Epoch[]): Epoch[] {
  const froms = new Map([FIRST_EPOCH, ...epochs].map(({ epoch, epochFrom }) => [epoch, epochFrom]));
  const all = Array.from(froms, ([epoch, epochFrom]) => ({ epoch, epochFrom }));
  return all.sort((a, b) => a.epoch - b.epoch);
}

function currentOf(epochs: readonly Epoch[]): Epoch {
  return epochs.at(-1) as Epoch;
}

const LOST = 'the log has lost events since, such as by a restore';

function lossOf(mismatch: string, snapshot: CheckedSnapshot, head: Position): StoreLoss {
  const why = `the log has ${head} events, and is not the one that the snapshot of ${snapshot.position} events was made from: ${mismatch}`;
  return { why, intactThrough: mismatch === LOST ? Math.min(head, snapshot.position) : 0 };
}
