import { randomUUID } from 'node:crypto';
import { VALIDATOR_SOURCE } from '../domain/validation/judging/judge.ts';
import { runStream, type StoredRecord } from '../domain/validation/records/run-record.ts';
import type { EventStore, NewEvent } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import { eventId } from './event-id.ts';
import { appendWithRetry, writeDeadline } from './retry.ts';

/** The most bytes that are appended at once. */
const MAX_APPEND_BYTES = 500_000;

/** A run that this process has claimed: its records are appended one after the other. */
export interface ClaimedRun {
  readonly run: string;
  /** Revision of its last record. */
  readonly revision: number;
}

/** Writes the records of validation runs. Whoever is first to begin the stream of a run has it. */
export class ValidationRuns {
  readonly #store: EventStore;
  readonly #now: () => number;
  /** Two processes that claim one run at one moment must not look like a repeat of one. */
  readonly #process = randomUUID();

  /** @param now milliseconds since the epoch. */
  constructor(store: EventStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Claims a run.
   * @param start as `startRecord` gives it.
   * @returns `undefined` where somebody else has it.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed it may be claimed or not; nobody will complete it.
   */
  async claim(run: string, start: StoredRecord): Promise<ClaimedRun | undefined> {
    try {
      const event = this.#eventOf(run, 0, start);
      await appendWithRetry(this.#store, runStream(run), [event], 'absent', writeDeadline());
      return { run, revision: 0 };
    } catch (error) {
      if (error instanceof VersionConflict) return undefined;
      throw error;
    }
  }

  /**
   * Appends records to a run, in as many writes as it takes.
   * @throws VersionConflict where somebody else has written to it: it is theirs, and this one must be given up.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  async append({ run, revision }: ClaimedRun, records: readonly StoredRecord[]): Promise<ClaimedRun> {
    let last = revision;
    for (const part of partsOf(records)) {
      const events = part.map((record, i) => this.#eventOf(run, last + 1 + i, record));
      last = await appendWithRetry(this.#store, runStream(run), events, last, writeDeadline());
    }
    return { run, revision: last };
  }

  #eventOf(run: string, revision: number, { type, data }: StoredRecord): NewEvent {
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
