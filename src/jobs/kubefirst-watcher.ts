import { setTimeout as wait } from 'node:timers/promises';
import type { SourceReading } from '../domain/inventory.ts';
import type { Instant } from '../domain/time.ts';
import type { KubefirstSecret } from '../kubernetes/management/kubefirst-records.ts';
import type { Step } from '../kubernetes/management/secret-follower.ts';
import type { DerivedFact, KubefirstIngest } from '../ledger/kubefirst-ingest.ts';
import { inventorySource, type LedgerClusters, RecordBook } from '../usecases/record-book.ts';
import type { Logger } from '../util/logger.ts';

const ACTOR = 'kubefirst-records';

interface Dependencies {
  /** Names the place of the records, so that several can be followed. */
  readonly name: string;
  readonly intake: KubefirstIngest;
  readonly view: LedgerClusters & {
    /** Whether all that was recorded before this process began is known. */
    caughtUp(): Promise<boolean>;
  };
  /** What happens to the records, until the signal. */
  readonly follow: (signal: AbortSignal) => AsyncGenerator<Step<KubefirstSecret>>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now: () => Instant;
}

/** How long the watcher waits before it tries again what could not be recorded. */
const RETRY_MS = 1_000;

/**
 * Turns the records of Kubefirst into facts. Whatever happened while nobody watched, it compares what the records say with
 * what the ledger knows, and posts what is lacking; the facts have ids of their own, so that two who do it post the same.
 */
export class KubefirstWatcher {
  readonly #dependencies: Dependencies;
  readonly #book: RecordBook;
  readonly #stop = new AbortController();
  #state: 'starting' | 'following' | 'unreadable' = 'starting';
  #since: Instant;
  #why: string | undefined;
  #missing: readonly string[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(rooms: Dependencies) {
    this.#dependencies = rooms;
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
    if (this.#state === 'following') return this.#book.reading(this.#dependencies.now());
    const source = inventorySource(this.#dependencies.name);
    return { source, unreadable: this.#why ?? 'the records are not read yet' };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (!(await this.#dependencies.view.caughtUp())) await this.#pause();
        else for await (const step of this.#dependencies.follow(signal)) await this.#applyStep(step);
      } catch (error) {
        this.#setState('unreadable', 'the watcher has failed and begins again');
        this.#dependencies.log.warn({ err: error }, 'the records of Kubefirst cannot be followed');
        await this.#pause();
      }
    }
  }

  async #applyStep(step: Step<KubefirstSecret>): Promise<void> {
    if (step.kind === 'unreadable') {
      this.#setState('unreadable', step.why);
      return;
    }
    if (step.kind !== 'resumed') {
      this.#book.apply(step);
      await this.#recordMissingFacts();
    }
    if (!this.#stop.signal.aborted) this.#setState('following', undefined);
  }

  #setState(state: 'following' | 'unreadable', why: string | undefined): void {
    if (state === this.#state && why === this.#why) return;
    this.#state = state;
    this.#why = why;
    this.#since = this.#dependencies.now();
    const { name } = this.#dependencies;
    if (why === undefined) this.#dependencies.log.info({ name }, 'the records of Kubefirst are followed');
    else this.#dependencies.log.warn({ name, why }, 'the records of Kubefirst cannot be read');
  }

  /** Compares all records with the ledger, until what it lacks is recorded. */
  async #recordMissingFacts(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        // Looked at first, since mostly nothing is lacking, and then in turn, since much may have changed by then.
        if (this.#missingFacts().length > 0)
          await this.#dependencies.intake.record(() => this.#missingFacts());
        this.#noteMissing();
        return;
      } catch (error) {
        this.#dependencies.log.warn(
          { err: error },
          'what the records of Kubefirst say cannot be recorded yet',
        );
        await this.#pause();
      }
    }
  }

  #missingFacts(): readonly DerivedFact[] {
    const source = `urn:kubefirst:records:${this.#dependencies.name}`;
    return this.#book
      .plan(this.#dependencies.now())
      .map((planned) => ({ ...planned, source, actor: ACTOR, mayBackdate: true }));
  }

  #noteMissing(): void {
    const missing = this.#book.missing(this.#dependencies.now());
    const fresh = missing.filter((clusterId) => !this.#missing.includes(clusterId));
    this.#missing = missing;
    for (const clusterId of fresh) {
      this.#dependencies.log.warn(
        { alert: 'billed-but-missing', clusterId },
        'the record of a billed cluster is gone',
      );
    }
  }

  async #pause(): Promise<void> {
    await wait(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
