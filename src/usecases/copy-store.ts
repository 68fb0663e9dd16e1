import { setTimeout as wait } from 'node:timers/promises';
import { leafHash, leafText } from '../audit/leaf.ts';
import { Frontier } from '../audit/verify/frontier.ts';
import { verifyStore } from '../audit/verify/verify-store.ts';
import type { EventStore, LogEvent, NewEvent } from '../eventstore/event-store.ts';
import { StoreUnavailable, VersionConflict } from '../eventstore/store-errors.ts';
import type { Position } from '../util/log-numbers.ts';
import { CopyRefused, copyStateStreams } from './copy-state-streams.ts';

export interface CopyOptions {
  /**
   * Whether a ledger may write to the source meanwhile. The copy then ends at the last event that the source had at the
   * beginning. Otherwise, a source that grows is an error.
   */
  readonly isSourceLive?: boolean;
  /** Called now and then with the number of events that the target has. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the copy between two appends; the promise then rejects with the reason. The copy can be continued. */
  readonly signal?: AbortSignal;
}

/** The contents of a copy, after the target was read again and compared. */
export interface CopySummary {
  /** Number of events in the log of the source and in that of the target. */
  readonly size: number;
  /** Root hash of both logs, in base64. */
  readonly root: string;
  /** Number of events that an interrupted copy had written before. */
  readonly found: number;
  /** Number of events that the newest signed checkpoint covers. The log of the target begins with them. */
  readonly signedSize: number;
}

/** Maximum number of appends in progress. */
const WINDOW = 256;
/** Maximum number of consecutive events of one stream in one append, and their maximum size in characters. */
const GROUP_EVENTS = 200;
const GROUP_CHARACTERS = 250_000;
/** Time for which an unreachable target is tried again. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1_000;

/**
 * Copies a ledger from one store to another: every event of the log in the same order, with its id, content, revision and time
 * of recording, and so at the same position; and the state streams. Then reads the target again and compares the root hashes of
 * both logs. An interrupted copy is continued: what the target has must be the beginning of the source.
 * @throws CopyRefused if the target holds anything else, or somebody writes to one of the stores meanwhile.
 * @throws StoreUnavailable, StoreFull, StoreFailed
 */
export async function copyStore(
  from: EventStore,
  to: EventStore,
  options: CopyOptions = {},
): Promise<CopySummary> {
  // State first: a ledger that starts on half a copy finds a checkpoint of more events than the log has, and records nothing.
  await copyStateStreams(from, to);
  const total = await from.head();
  const copy = new LogCopy(from, to, total, options);
  await copy.run();
  if (options.isSourceLive !== true && (await from.head()) !== total)
    throw new CopyRefused(
      'the source has grown during the copy: stop the ledger that writes to it, then run the command again, which continues',
    );
  const verdict = await verifyStore(to, { statements: false });
  if (!verdict.ok) throw new CopyRefused(`the copy is not a sound ledger: ${verdict.why}`);
  const { size, root, signedSize } = verdict.summary;
  if (size !== total || root !== copy.root)
    throw new CopyRefused(
      `the target has ${size} events with the root hash ${root}, and the source ${total} with ${copy.root}: somebody has written to the target; ${USE_ANOTHER}`,
    );
  return { size, root, found: copy.found, signedSize };
}

const USE_ANOTHER = 'copy into a store or namespace that nothing else writes to';

/** Copies the log. */
class LogCopy {
  readonly #from: EventStore;
  readonly #to: EventStore;
  readonly #total: Position;
  readonly #options: CopyOptions;
  #frontier = new Frontier();
  #found: number | undefined;

  constructor(from: EventStore, to: EventStore, total: Position, options: CopyOptions) {
    this.#from = from;
    this.#to = to;
    this.#total = total;
    this.#options = options;
  }

  get root(): string {
    return Buffer.from(this.#frontier.root()).toString('base64');
  }

  get found(): number {
    return this.#found ?? 0;
  }

  /** Copies until the target has everything. An append whose outcome is unknown is found out by reading the target again. */
  async run(): Promise<void> {
    let lastProgress = performance.now();
    for (let before = -1; ; ) {
      try {
        await this.#attempt();
        return;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        if (this.#frontier.size > before) lastProgress = performance.now();
        before = Math.max(before, this.#frontier.size);
        if (performance.now() - lastProgress > PATIENCE_MS) throw error;
        await wait(PAUSE_MS, undefined, { signal: this.#options.signal });
      }
    }
  }

  async #attempt(): Promise<void> {
    this.#frontier = new Frontier();
    const source = eventsOf(this.#from, this.#total);
    try {
      await this.#compareBeginning(source);
      this.#found ??= this.#frontier.size;
      await this.#appendRest(source);
    } finally {
      await source.return(undefined);
    }
  }

  /** Reads what the target has, and as much of the source. @throws CopyRefused if they differ. */
  async #compareBeginning(source: AsyncGenerator<LogEvent>): Promise<void> {
    for await (const copied of eventsOf(this.#to, Number.POSITIVE_INFINITY)) {
      const next = await source.next();
      const { position } = copied;
      if (next.done === true)
        throw new CopyRefused(
          `the target has more events than the ${this.#total} of the source: it was used since; ${USE_ANOTHER}`,
        );
      const text = leafText(next.value);
      if (text !== leafText(copied))
        throw new CopyRefused(
          `event ${position} of the target (${copied.type} of ${copied.stream}) is not event ${position} of the source: the target holds other events; ${USE_ANOTHER}`,
        );
      this.#count(text);
    }
  }

  async #appendRest(source: AsyncGenerator<LogEvent>): Promise<void> {
    const inProgress = new Set<Promise<unknown>>();
    const failures: unknown[] = [];
    for await (const group of grouped(source)) {
      if (failures.length > 0) break;
      this.#options.signal?.throwIfAborted();
      const { stream, revision } = group[0] as LogEvent;
      const append = this.#to
        .append(stream, group.map(toNewEvent), revision === 0 ? 'absent' : revision - 1)
        .then(
          () => undefined,
          (error: unknown) => failures.push(error),
        );
      const done: Promise<unknown> = append.finally(() => inProgress.delete(done));
      inProgress.add(done);
      for (const event of group) this.#count(leafText(event));
      if (inProgress.size >= WINDOW) await Promise.race(inProgress);
    }
    await Promise.all(inProgress);
    const failure = failures.find((error) => !(error instanceof StoreUnavailable)) ?? failures[0];
    if (failure instanceof VersionConflict)
      throw new CopyRefused(`somebody else writes to the target: ${failure.message}; ${USE_ANOTHER}`);
    if (failure !== undefined) throw failure;
  }

  #count(text: string): void {
    this.#frontier.append(leafHash(text));
    this.#options.onProgress?.(this.#frontier.size, this.#total);
  }
}

/** Yields the first `limit` events of a log. */
async function* eventsOf(store: EventStore, limit: number): AsyncGenerator<LogEvent> {
  for await (const events of store.readAll(0)) {
    for (const event of events) {
      if (event.position > limit) return;
      yield event;
    }
  }
}

/** Yields consecutive events of one stream together. From the end of a group on, the groups are always the same. */
async function* grouped(events: AsyncIterable<LogEvent>): AsyncGenerator<readonly LogEvent[]> {
  let group: LogEvent[] = [];
  let characters = 0;
  for await (const event of events) {
    const length = JSON.stringify([event.data, event.metadata]).length;
    const isFull = group.length >= GROUP_EVENTS || characters + length > GROUP_CHARACTERS;
    if (group.length > 0 && (isFull || group[0]?.stream !== event.stream)) {
      yield group;
      [group, characters] = [[], 0];
    }
    group.push(event);
    characters += length;
  }
  if (group.length > 0) yield group;
}

function toNewEvent({ id, type, data, metadata, recordedAt }: LogEvent): NewEvent {
  return { id, type, data, metadata, recordedAt };
}
