import { STATEMENT_DIGESTS, statementDigestsStream } from '../domain/stream-table.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { EventStore, NewEvent, RecordedEvent } from '../eventstore/event-store.ts';
import { lastRevision } from '../eventstore/last-revision.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import { eventId } from './event-id.ts';

/** The parts of a period closing that identify its statements. */
interface ClosedPeriod {
  readonly period: Period;
  readonly statementsDigest: string;
  readonly closedAt: Instant;
}

/** Digests of the statements by account id, in the order of the accounts. */
type Digests = ReadonlyMap<string, string>;

/** Data of one event: a part of the digests. */
interface Chunk {
  readonly statementsDigest: string;
  /** Number of events that hold all digests of the period. */
  readonly of: number;
  readonly digests: readonly (readonly [accountId: string, digest: string])[];
}

/** Maximum size of a chunk. An event can have 256 KiB. */
const MAX_CHUNK_BYTES = 200_000;

/**
 * Keeps the digest of each statement of a closed period, in a state stream. The closing has one digest of all statements: it
 * shows that a statement has changed, but not which one. The events and their ids depend on the statements alone, so several
 * processes can keep them at once, and a process can continue after an interruption.
 */
export class StatementDigests {
  readonly #store: EventStore;

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** Keeps digests. @throws StoreUnavailable, StoreFull, StoreFailed if some may be missing: keep them again. */
  async keep(closed: ClosedPeriod, digests: Digests): Promise<void> {
    const stream = statementDigestsStream(closed.period);
    const events = eventsFor(stream, closed, digests);
    const kept = (await lastRevision(this.#store, stream)) + 1;
    for (const [i, event] of events.entries()) {
      if (i < kept) continue;
      try {
        await this.#store.append(stream, [event], i === 0 ? 'absent' : i - 1);
      } catch (error) {
        // Another process keeps the same digests.
        if (error instanceof VersionConflict) return;
        throw error;
      }
    }
  }

  /** Returns the digests, or `undefined` if they are incomplete or belong to other statements. @throws StoreUnavailable */
  async read({ period, statementsDigest }: ClosedPeriod): Promise<Digests | undefined> {
    const chunks = (await this.#events(statementDigestsStream(period))).map(
      ({ data }) => data as unknown as Chunk,
    );
    const isWhole = chunks.length > 0 && chunks.every(({ of }) => of === chunks.length);
    if (!isWhole || chunks.some((chunk) => chunk.statementsDigest !== statementsDigest)) return undefined;
    return new Map(chunks.flatMap(({ digests }) => digests));
  }

  async #events(stream: string): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const event of this.#store.readStream(stream)) events.push(event);
    return events;
  }
}

function eventsFor(
  stream: string,
  { statementsDigest, closedAt }: ClosedPeriod,
  digests: Digests,
): readonly NewEvent[] {
  const chunks = inChunks(digests);
  return chunks.map((chunk) => {
    const data = { statementsDigest, of: chunks.length, digests: chunk };
    const id = eventId(stream, JSON.stringify(data));
    return { id, type: STATEMENT_DIGESTS, data, metadata: {}, recordedAt: closedAt };
  });
}

/** Divides digests into chunks; at least one, even if there are no digests. */
function inChunks(digests: Digests): [accountId: string, digest: string][][] {
  let chunk: [string, string][] = [];
  const chunks = [chunk];
  let bytes = 0;
  for (const [accountId, digest] of digests) {
    // Account ids and digests are ASCII, so characters are bytes.
    const more = accountId.length + digest.length + '["",""],'.length;
    if (bytes + more > MAX_CHUNK_BYTES) {
      chunk = [];
      chunks.push(chunk);
      bytes = 0;
    }
    chunk.push([accountId, digest]);
    bytes += more;
  }
  return chunks;
}
