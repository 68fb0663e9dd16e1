import { setTimeout as wait } from 'node:timers/promises';
import type { SourceReading } from '../domain/inventory.ts';
import type { Instant } from '../domain/time.ts';
import type { KubefirstSecret } from '../kubernetes/management/kubefirst-records.ts';
import type { Step } from '../kubernetes/management/secret-follower.ts';
import type { Derived, KubefirstIngest } from '../ledger/kubefirst-ingest.ts';
import { type BookView, inventorySource, RecordBook } from './record-book.ts';

const ACTOR = 'kubefirst-records';

export interface WatcherLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

interface Dependencies {
  /** Names the place of the records, so that several can be followed. */
  readonly name: string;
  readonly intake: KubefirstIngest;
  readonly view: BookView & {
    /** Whether all that was recorded before this process began is known. */
    caughtUp(): Promise<boolean>;
  };
  /** What happens to the records, until the signal. */
  readonly follow: (signal: AbortSignal) => AsyncGenerator<Step<KubefirstSecret>>;
  readonly log: WatcherLog;
  readonly now: () => Instant;
}

/** How long the watcher waits before it tries again what could not be recorded. */
const RETRY_MS = 1_000;

/**
 * Turns the records of Kubefirst into facts. Whatever happened while nobody watched, it compares what the records say with
 * what the ledger knows, and posts what is lacking; the facts have ids of their own, so that two who do it post the same.
 */
export class KubefirstWatcher {
  readonly #rooms: Dependencies;
  readonly #book: RecordBook;
  readonly #stop = new AbortController();
  #state: 'starting' | 'following' | 'unreadable' = 'starting';
  #since: Instant;
  #why: string | undefined;
  #missing: readonly string[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(rooms: Dependencies) {
    this.#rooms = rooms;
    this.#book = new RecordBook(rooms.name, rooms.intake.policy, rooms.view);
    this.#since = rooms.now();
  }

  /** Begins to follow; nothing is thrown, `status` says how it is going. */
  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  get status() {
    return {
      state: this.#state,
      since: this.#since,
      ...(this.#why !== undefined && { why: this.#why }),
      clusters: this.#book.size,
      unusable: this.#book.unusable,
      missing: this.#missing,
    };
  }

  /** The inventory that the records are. */
  reading(): SourceReading {
    if (this.#state === 'following') return this.#book.reading(this.#rooms.now());
    const source = inventorySource(this.#rooms.name);
    return { source, unreadable: this.#why ?? 'the records are not read yet' };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (!(await this.#rooms.view.caughtUp())) await this.#pause();
        else for await (const step of this.#rooms.follow(signal)) await this.#take(step);
      } catch (error) {
        this.#become('unreadable', 'the watcher has failed and begins again');
        this.#rooms.log.warn({ err: error }, 'the records of Kubefirst cannot be followed');
        await this.#pause();
      }
    }
  }

  async #take(step: Step<KubefirstSecret>): Promise<void> {
    if (step.kind === 'unreadable') {
      this.#become('unreadable', step.why);
      return;
    }
    if (step.kind !== 'resumed') {
      this.#book.take(step);
      await this.#settle();
    }
    if (!this.#stop.signal.aborted) this.#become('following', undefined);
  }

  #become(state: 'following' | 'unreadable', why: string | undefined): void {
    if (state === this.#state && why === this.#why) return;
    this.#state = state;
    this.#why = why;
    this.#since = this.#rooms.now();
    const { name } = this.#rooms;
    if (why === undefined) this.#rooms.log.info({ name }, 'the records of Kubefirst are followed');
    else this.#rooms.log.warn({ name, why }, 'the records of Kubefirst cannot be read');
  }

  /** Compares all records with the ledger, until what it lacks is recorded. */
  async #settle(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        // Looked at first, since mostly nothing is lacking, and then in turn, since much may have changed by then.
        if (this.#lacking().length > 0) await this.#rooms.intake.record(() => this.#lacking());
        this.#noteMissing();
        return;
      } catch (error) {
        this.#rooms.log.warn({ err: error }, 'what the records of Kubefirst say cannot be recorded yet');
        await this.#pause();
      }
    }
  }

  #lacking(): readonly Derived[] {
    const source = `urn:kubefirst:records:${this.#rooms.name}`;
    return this.#book
      .plan(this.#rooms.now())
      .map((planned) => ({ ...planned, source, actor: ACTOR, mayBackdate: true }));
  }

  #noteMissing(): void {
    const missing = this.#book.missing(this.#rooms.now());
    const fresh = missing.filter((clusterId) => !this.#missing.includes(clusterId));
    this.#missing = missing;
    for (const clusterId of fresh) {
      this.#rooms.log.warn(
        { alert: 'billed-but-missing', clusterId },
        'the record of a billed cluster is gone',
      );
    }
  }

  async #pause(): Promise<void> {
    await wait(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
