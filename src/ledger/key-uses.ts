import { KEY_USES_STREAM, KEYS_USED } from '../domain/stream-table.ts';
import { formatInstant, HOUR_MS, type Instant, readInstant } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { Logger } from '../util/logger.ts';
import { appendAtEnd } from './append-at-end.ts';
import { writeDeadline } from './append-with-retry.ts';
import { eventId } from './event-id.ts';

/** How far the recorded last use of a key may be behind. */
const PRECISION_MS = HOUR_MS;
const KEPT_EVENTS = 4;

interface Dependencies {
  readonly store: EventStore;
  readonly now: () => Instant;
  readonly recordingTime: () => Instant;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Remembers when each key was last used. Exact for this process; other processes, and a later start, know a use to the hour. A
 * use that cannot be recorded is not an error of the request.
 */
export class KeyUses {
  readonly #dependencies: Dependencies;
  readonly #uses = new Map<string, Instant>();
  readonly #recorded = new Map<string, Instant>();
  #writing: Promise<void> | undefined;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Notes that a key is used now. */
  note(keyId: string): void {
    const now = this.#dependencies.now();
    this.#uses.set(keyId, now);
    if (now - (this.#recorded.get(keyId) ?? Number.NEGATIVE_INFINITY) < PRECISION_MS) return;
    this.#recorded.set(keyId, now);
    void this.#write();
  }

  /** Returns the last known use of every key. @throws StoreUnavailable */
  async all(): Promise<ReadonlyMap<string, Instant>> {
    await this.#read();
    return this.#uses;
  }

  /** Records the uses that are not recorded yet. */
  async stop(): Promise<void> {
    await this.#writing;
    if ([...this.#uses].some(([id, at]) => at !== this.#recorded.get(id))) await this.#write();
  }

  async #read(): Promise<void> {
    const options = { direction: 'backwards', limit: 1 } as const;
    for await (const { data } of this.#dependencies.store.readStream(KEY_USES_STREAM, options)) {
      for (const [id, text] of Object.entries(data)) {
        const at = readInstant(String(text));
        this.#recorded.set(id, Math.max(at, this.#recorded.get(id) ?? at));
        this.#uses.set(id, Math.max(at, this.#uses.get(id) ?? at));
      }
    }
  }

  #write(): Promise<void> {
    this.#writing ??= this.#append()
      .catch((error: unknown) => {
        this.#dependencies.log.warn({ err: error }, 'the last use of a key was not recorded');
      })
      .finally(() => {
        this.#writing = undefined;
      });
    return this.#writing;
  }

  async #append(): Promise<void> {
    const { store, recordingTime } = this.#dependencies;
    await this.#read();
    const uses = new Map(this.#uses);
    const data = Object.fromEntries(Array.from(uses, ([id, at]) => [id, formatInstant(at)]));
    const eventAt = (revision: number) => {
      const id = eventId(KEY_USES_STREAM, revision, JSON.stringify(data));
      return { id, type: KEYS_USED, data, metadata: {}, recordedAt: recordingTime() };
    };
    await appendAtEnd(store, KEY_USES_STREAM, eventAt, writeDeadline());
    for (const [id, at] of uses) this.#recorded.set(id, at);
    await store.keepLast(KEY_USES_STREAM, KEPT_EVENTS);
  }
}
