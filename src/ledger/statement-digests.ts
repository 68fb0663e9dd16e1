import { STATEMENT_DIGESTS, statementDigestsStream } from '../domain/streams.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { EventStore, NewEvent, RecordedEvent } from '../eventstore/event-store.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import { eventId } from './event-id.ts';

/** A closed period, by what its closing says of all its statements. */
interface Closed {
  readonly period: Period;
  readonly statementsDigest: string;
  readonly closedAt: Instant;
}

/** The digest of each account's statement, in the order of the accounts. */
type Digests = ReadonlyMap<string, string>;

/** What one event holds: a part of them. */
interface Chunk {
  readonly statementsDigest: string;
  /** How many events hold all of them. */
  readonly of: number;
  readonly digests: readonly (readonly [accountId: string, digest: string])[];
}

/** An event stays well below the 256 KiB that it may have. */
const MOST_CHUNK_BYTES = 200_000;

/**
 * Keeps the digests of single statements of closed periods in streams of state: a closing has one for all of them, which
 * tells that something differs and not where. What is kept is a function of the statements, to the id of each event, so that
 * it may be kept twice, by several at once, or go on where it was interrupted.
 */
export class StatementDigests {
  readonly #store: EventStore;

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** @throws StoreUnavailable, StoreFull, StoreFailed some may be kept: keep them again. */
  async keep(closed: Closed, digests: Digests): Promise<void> {
    const stream = statementDigestsStream(closed.period);
    const events = eventsFor(stream, closed, digests);
    const kept = await this.#length(stream);
    for (const [i, event] of events.entries()) {
      if (i < kept) continue;
      try {
        await this.#store.append(stream, [event], i === 0 ? 'absent' : i - 1);
      } catch (error) {
        // Somebody else keeps the same.
        if (error instanceof VersionConflict) return;
        throw error;
      }
    }
  }

  /** What is kept; `undefined` where that is not all, or of other statements. @throws StoreUnavailable */
  async read({ period, statementsDigest }: Closed): Promise<Digests | undefined> {
    const chunks = (await this.#events(statementDigestsStream(period))).map(
      ({ data }) => data as unknown as Chunk,
    );
    const isWhole = chunks.length > 0 && chunks.every(({ of }) => of === chunks.length);
    if (!isWhole || chunks.some((chunk) => chunk.statementsDigest !== statementsDigest)) return undefined;
    return new Map(chunks.flatMap(({ digests }) => digests));
  }

  async #length(stream: string): Promise<number> {
    for await (const { revision } of this.#store.readStream(stream, { direction: 'backwards', limit: 1 }))
      return revision + 1;
    return 0;
  }

  async #events(stream: string): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const event of this.#store.readStream(stream)) events.push(event);
    return events;
  }
}

function eventsFor(
  stream: string,
  { statementsDigest, closedAt }: Closed,
  digests: Digests,
): readonly NewEvent[] {
  const chunks = inChunks(digests);
  return chunks.map((each) => {
    const data = { statementsDigest, of: chunks.length, digests: each };
    const id = eventId(stream, JSON.stringify(data));
    return { id, type: STATEMENT_DIGESTS, data, metadata: {}, recordedAt: closedAt };
  });
}

/** At least one, also of none. */
function inChunks(digests: Digests): [accountId: string, digest: string][][] {
  let chunk: [string, string][] = [];
  const chunks = [chunk];
  let bytes = 0;
  for (const [accountId, digest] of digests) {
    // Ids of accounts and digests are ASCII.
    const more = accountId.length + digest.length + '["",""],'.length;
    if (bytes + more > MOST_CHUNK_BYTES) {
      chunk = [];
      chunks.push(chunk);
      bytes = 0;
    }
    chunk.push([accountId, digest]);
    bytes += more;
  }
  return chunks;
}
