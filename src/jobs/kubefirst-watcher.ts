import { setTimeout as wait } from 'node:timers/promises';
import type { SourceReading } from '../domain/inventory.ts';
import type { RecordStep } from '../domain/kubefirst/record-step.ts';
import type { KubefirstPolicy } from '../domain/kubefirst/registration.ts';
import type { Instant } from '../domain/time.ts';
import type { DerivedFact, KubefirstIngest } from '../ledger/kubefirst-ingest.ts';
import { inventorySource, type LedgerClusters, RecordBook } from '../usecases/record-book.ts';
import type { SourceHealth } from '../usecases/source-health.ts';
import type { Logger } from '../util/logger.ts';

const ACTOR = 'kubefirst-records';

interface Dependencies {
  /** Name of the place of the records, so that several places can be followed. */
  readonly name: string;
  /** How the clusters of these records are registered. */
  readonly policy: KubefirstPolicy;
  readonly intake: KubefirstIngest;
  readonly view: LedgerClusters & {
    /** Waits until the projections have read all events from before this process. Resolves to false after a timeout. */
    caughtUp(): Promise<boolean>;
  };
  /** Follows the changes of the records until the signal fires. */
  readonly follow: (signal: AbortSignal) => AsyncGenerator<RecordStep>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly health: SourceHealth;
  readonly now: () => Instant;
}

/** Pause before a failed operation is tried again, in ms. */
const RETRY_MS = 1_000;

/**
 * Turns the records of Kubefirst into facts. It compares the records with the ledger and records the missing facts,
 * so changes during a downtime are found too. The ids of the facts depend on the records alone, so several watchers
 * record the same facts.
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

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#book = new RecordBook(dependencies.name, dependencies.policy, dependencies.view);
    this.#since = dependencies.now();
  }

  /** Starts following. Never throws; `status` reports errors. */
  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  get status() {
    return {
      name: this.#dependencies.name,
      state: this.#state,
      since: this.#since,
      ...(this.#why !== undefined && { why: this.#why }),
      clusters: this.#book.size,
      unusable: this.#book.unusable,
      missing: this.#missing,
    };
  }

  /** Returns the records as an inventory. */
  reading(): SourceReading {
    if (this.#state === 'following') return this.#book.reading(this.#dependencies.now());
    const source = inventorySource(this.#dependencies.name);
    return { source, unreadable: this.#why ?? 'the records have not been read yet' };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (!(await this.#dependencies.view.caughtUp())) await this.#pause();
        else for await (const step of this.#dependencies.follow(signal)) await this.#applyStep(step);
      } catch (error) {
        this.#setState('unreadable', 'the watcher failed and restarts');
        this.#dependencies.log.warn({ err: error }, 'the records of Kubefirst cannot be followed');
        await this.#pause();
      }
    }
  }

  async #applyStep(step: RecordStep): Promise<void> {
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
    const { name, health, now } = this.#dependencies;
    const isSame = state === this.#state && why === this.#why;
    if (state !== this.#state) this.#since = now();
    this.#state = state;
    this.#why = why;
    health.note([this.reading()], now());
    if (isSame) return;
    if (why === undefined) this.#dependencies.log.info({ name }, 'following the records of Kubefirst');
    else this.#dependencies.log.warn({ name, why }, 'the records of Kubefirst cannot be read');
  }

  /** Compares all records with the ledger until the missing facts are recorded. */
  async #recordMissingFacts(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        // Checked once without queueing, since usually no fact is missing, and again in the queue, since the ledger
        // may have changed.
        if (this.#missingFacts().length > 0)
          await this.#dependencies.intake.record(() => this.#missingFacts());
        this.#noteMissing();
        return;
      } catch (error) {
        this.#dependencies.log.warn(
          { err: error },
          'facts from the records of Kubefirst cannot be recorded yet',
        );
        await this.#pause();
      }
    }
  }

  #missingFacts(): readonly DerivedFact[] {
    const source = `urn:kubefirst:records:${this.#dependencies.name}`;
    return this.#book.plan(this.#dependencies.now()).map((planned) => ({
      ...planned,
      // An event id belongs to one cluster.
      id: `${planned.fact.clusterId}/${planned.id}`,
      source,
      actor: ACTOR,
      mayBackdate: true,
    }));
  }

  #noteMissing(): void {
    const missing = this.#book.missing(this.#dependencies.now());
    const newlyMissing = missing.filter((clusterId) => !this.#missing.includes(clusterId));
    this.#missing = missing;
    for (const clusterId of newlyMissing) {
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
