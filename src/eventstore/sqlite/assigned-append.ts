import type { Position, Revision } from '../../util/log-numbers.ts';
import { DIGEST_BYTES } from '../event-store.ts';
import { isStateStream, type PreparedEvent } from '../prepare-append.ts';
import { StoredEvent } from './stored-event.ts';
import { advanceDurable, type Tail } from './stream-tails.ts';
import type { LogRow, StateRow } from './writer.ts';

/** An append whose events have their revisions and positions, and are not durable yet. */
export class AssignedAppend {
  readonly #stream: string;
  readonly #tail: Tail;
  readonly #events: readonly PreparedEvent[];
  readonly #isState: boolean;
  readonly #firstRevision: Revision;
  /** 0 for a state stream. */
  readonly #firstPosition: Position;
  /** Position of the last event of the stream before the append; 0 for none. */
  readonly #previous: Position;

  /** Advances the tail of the stream. @param assigned the last position of the log that is assigned. */
  constructor(stream: string, tail: Tail, events: readonly PreparedEvent[], assigned: Position) {
    this.#stream = stream;
    this.#tail = tail;
    this.#events = events;
    this.#isState = isStateStream(stream);
    this.#firstRevision = tail.revision + 1;
    this.#firstPosition = this.#isState ? 0 : assigned + 1;
    this.#previous = tail.position;
    tail.revision += events.length;
    if (!this.#isState) tail.position = assigned + events.length;
  }

  /** Number of positions of the log that it takes. */
  get positions(): number {
    return this.#isState ? 0 : this.#events.length;
  }

  /** Revision of the last event. */
  get lastRevision(): Revision {
    return this.#firstRevision + this.#events.length - 1;
  }

  /** Adds the rows of the events to those of a group. */
  addRows(log: LogRow[], state: StateRow[]): void {
    for (const [i, { id, type, data, metadata, recordedAt }] of this.#events.entries()) {
      const revision = this.#firstRevision + i;
      if (this.#isState) {
        state.push([this.#stream, revision, id, type, data, metadata, recordedAt]);
        continue;
      }
      const position = this.#firstPosition + i;
      const previous = i > 0 ? position - 1 : this.#previous === 0 ? null : this.#previous;
      log.push([position, this.#stream, revision, previous, id, type, data, metadata, recordedAt]);
    }
  }

  /**
   * Notes that the events are durable.
   * @param digests of events of the log, one after the other; `undefined` if they are not known.
   * @param digestsAt where those of this append begin, in bytes.
   * @returns the events that are in the log.
   */
  commit(digests: Uint8Array | undefined, digestsAt: number): StoredEvent[] {
    if (this.#isState) {
      advanceDurable(this.#tail, this.lastRevision, 0);
      return [];
    }
    return this.#events.map(({ id, type, data, metadata, recordedAt, content }, i) => {
      const position = this.#firstPosition + i;
      const revision = this.#firstRevision + i;
      advanceDurable(this.#tail, revision, position);
      return new StoredEvent(
        position,
        this.#stream,
        revision,
        id,
        type,
        data,
        metadata,
        recordedAt,
        content,
        digests,
        digestsAt + i * DIGEST_BYTES,
      );
    });
  }

  /** Resets the tail of the stream, because nothing was written. The appends after it must have been reset before. */
  rollBack(): void {
    this.#tail.revision = this.#firstRevision - 1;
    this.#tail.position = this.#previous;
  }
}
