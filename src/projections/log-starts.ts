import { randomUUID } from 'node:crypto';
import { LEDGER_STARTED, LEDGER_STARTS_STREAM } from '../domain/stream-table.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import type { Position } from '../util/log-numbers.ts';
import type { SnapshotOrigin } from './model/snapshot.ts';
import type { CheckedSnapshot, LogHistory } from './projections.ts';

/** Positions of a log that were not lost since. */
interface Epoch {
  /** 1, and one more each time that positions were lost. */
  readonly epoch: number;
  /** Last position that is the same in this epoch and in the one before. */
  readonly epochFrom: Position;
}

const FIRST_EPOCH: Epoch = { epoch: 1, epochFrom: 0 };

/** A start of a ledger on a log. */
interface LogStart extends Epoch {
  readonly startId: string;
  /** End of the log at the start; 0 if the store has more than one writer, since the end is not known then. */
  readonly position: Position;
}

/**
 * Records each start of a ledger in the store, which distinguishes a restored log from one that went on: a log without the
 * start that wrote a snapshot, or with a later start that began before the end of the snapshot, has another history than the
 * snapshot. Event ids alone do not show that, because they depend on the content of an event: the same event posted again
 * after a restore has the same id, and may be at the same position.
 */
export class LogStarts implements LogHistory {
  readonly #store: EventStore;
  readonly #now: () => number;
  readonly #isReadOnly: boolean;
  readonly #startId: string = randomUUID();
  #firstStartId: string | undefined;
  #start: LogStart | undefined;
  #epochs: readonly Epoch[] = [FIRST_EPOCH];

  /** @param isReadOnly whether starts are only read: this one is then not recorded. */
  constructor(store: EventStore, now: () => number, isReadOnly = false) {
    this.#store = store;
    this.#now = now;
    this.#isReadOnly = isReadOnly;
  }

  /** The epochs of the log in order; the last one is the current one. They are known once `begin` has resolved. */
  get epochs(): readonly Epoch[] {
    return this.#epochs;
  }

  /** The origin of snapshots that this process writes; `undefined` before `begin` has resolved. */
  get origin(): SnapshotOrigin | undefined {
    if (this.#start === undefined || this.#firstStartId === undefined) return undefined;
    return { firstStartId: this.#firstStartId, startId: this.#startId, epoch: this.#start.epoch };
  }

  /**
   * Records this start. If positions were lost since the snapshot, a new epoch begins. A retry after an error is safe.
   * @returns why the snapshot does not belong to the log; `undefined` if it does.
   * @throws StoreUnavailable, StoreFull, StoreFailed
   */
  async begin(snapshot: CheckedSnapshot | undefined): Promise<string | undefined> {
    const position = this.#store.isSoleWriter ? await this.#store.head() : 0;
    for (;;) {
      const starts = await this.#earlierStarts();
      const mismatch = snapshot === undefined ? undefined : this.#mismatchOf(starts, snapshot);
      const { epoch, epochFrom } = starts.at(-1) ?? FIRST_EPOCH;
      const isNewEpoch = mismatch === LOST && snapshot !== undefined;
      this.#start = {
        startId: this.#startId,
        position,
        epoch: isNewEpoch ? Math.max(epoch, snapshot.origin.epoch) + 1 : epoch,
        epochFrom: isNewEpoch ? Math.min(position, snapshot.position) : epochFrom,
      };
      this.#firstStartId = starts[0]?.startId ?? this.#startId;
      this.#epochs = epochsOf([...starts, this.#start]);
      if (this.#isReadOnly) return mismatch;
      if (await this.#isRecorded(this.#start, starts.length - 1)) return mismatch;
    }
  }

  #mismatchOf(
    starts: readonly LogStart[],
    { origin, position, isEndInLog }: CheckedSnapshot,
  ): string | undefined {
    if (starts[0]?.startId !== origin.firstStartId) return 'it was made from another log';
    const wrote = starts.findIndex(({ startId }) => startId === origin.startId);
    if (wrote === -1 || !isEndInLog) return LOST;
    // With several writers, starts of other processes come in between.
    const next = this.#store.isSoleWriter ? starts[wrote + 1] : undefined;
    return next !== undefined && next.position < position ? LOST : undefined;
  }

  async #earlierStarts(): Promise<LogStart[]> {
    const starts: LogStart[] = [];
    for await (const { data } of this.#store.readStream(LEDGER_STARTS_STREAM))
      starts.push(data as unknown as LogStart);
    return starts;
  }

  async #isRecorded(start: LogStart, last: number): Promise<boolean> {
    const event = {
      id: this.#startId,
      type: LEDGER_STARTED,
      data: { ...start },
      metadata: {},
      recordedAt: this.#now(),
    };
    try {
      await this.#store.append(LEDGER_STARTS_STREAM, [event], last === -1 ? 'absent' : last);
      return true;
    } catch (error) {
      if (error instanceof VersionConflict) return false;
      throw error;
    }
  }
}

/** Returns each epoch once. */
function epochsOf(starts: readonly Epoch[]): Epoch[] {
  const epochs = new Map([FIRST_EPOCH, ...starts].map(({ epoch, epochFrom }) => [epoch, epochFrom]));
  return Array.from(epochs, ([epoch, epochFrom]) => ({ epoch, epochFrom }));
}

const LOST = 'the log has lost events since, such as by a restore';
