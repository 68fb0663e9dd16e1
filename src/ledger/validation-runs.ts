import { randomUUID } from 'node:crypto';
import { runStream } from '../domain/stream-table.ts';
import { VALIDATOR_SOURCE } from '../domain/validation/judging/judge.ts';
import type { StoredRecord } from '../domain/validation/records/run-record.ts';
import type { EventStore, NewEvent } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import type { Revision } from '../util/log-numbers.ts';
import { appendWithRetry, writeDeadline } from './append-with-retry.ts';
import { eventId } from './event-id.ts';

/** Maximum number of bytes per append. */
const MAX_APPEND_BYTES = 500_000;

/** A run that this process has claimed. Its records are appended one after another. */
export interface ClaimedRun {
  readonly run: string;
  /** Revision of its last record. */
  readonly revision: Revision;
}

/** Writes the records of validation runs. The first process that starts the stream of a run owns the run. */
export class ValidationRuns {
  readonly #store: EventStore;
  readonly #now: () => number;
  /** Makes event ids unique per process, so that simultaneous claims do not look like a repeated one. */
  readonly #process = randomUUID();

  /** @param now returns milliseconds since the epoch. */
  constructor(store: EventStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Claims a run.
   * @param start as `startRecord` returns it.
   * @returns `undefined` if another process has the run.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed the run may be claimed; no process will
   * complete it.
   */
  async claim(run: string, start: StoredRecord): Promise<ClaimedRun | undefined> {
    try {
      const event = this.#eventOf(run, 0, start);
      await appendWithRetry(
        this.#store,
        { stream: runStream(run), events: [event], expected: 'absent' },
        writeDeadline(),
      );
      return { run, revision: 0 };
    } catch (error) {
      if (error instanceof VersionConflict) return undefined;
      throw error;
    }
  }

  /**
   * Appends records to a run, in as many writes as needed.
   * @throws VersionConflict if another process has written to the run: this process must abandon it.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  async append({ run, revision }: ClaimedRun, records: readonly StoredRecord[]): Promise<ClaimedRun> {
    let last = revision;
    for (const part of partsOf(records)) {
      const events = part.map((record, i) => this.#eventOf(run, last + 1 + i, record));
      last = await appendWithRetry(
        this.#store,
        { stream: runStream(run), events, expected: last },
        writeDeadline(),
      );
    }
    return { run, revision: last };
  }

  #eventOf(run: string, revision: Revision, { type, data }: StoredRecord): NewEvent {
    const id = eventId(runStream(run), revision, this.#process, JSON.stringify(data));
    const metadata = { source: VALIDATOR_SOURCE, actor: 'validator' };
    return { id, type, data: data as unknown as JsonObject, metadata, recordedAt: this.#now() };
  }
}

function partsOf(records: readonly StoredRecord[]): StoredRecord[][] {
  const parts: StoredRecord[][] = [];
  let room = 0;
  for (const record of records) {
    const bytes = Buffer.byteLength(JSON.stringify(record));
    if (bytes > room) {
      parts.push([]);
      room = MAX_APPEND_BYTES;
    }
    room -= bytes;
    parts.at(-1)?.push(record);
  }
  return parts;
}
