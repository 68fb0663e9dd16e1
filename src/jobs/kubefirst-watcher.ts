import { setTimeout as wait } from 'node:timers/promises';
import { canonicalReference } from '../domain/connection.ts';
import type { Fact } from '../domain/fact.ts';
import type { SourceReading } from '../domain/inventory.ts';
import type { KnownCluster } from '../domain/kubefirst/identity.ts';
import { missingClusters, type RecordFile } from '../domain/kubefirst/missing.ts';
import { clusterOfRecord, type PlannedFact, planGone, planRecord } from '../domain/kubefirst/plan.ts';
import { connectionOf, type KubefirstPolicy } from '../domain/kubefirst/policy.ts';
import type { ClusterRecord } from '../domain/kubefirst/record.ts';
import type { Instant } from '../domain/time.ts';
import type { KubefirstSecret } from '../kubernetes/kubefirst-records.ts';
import { recordOfSecret } from '../kubernetes/kubefirst-records.ts';
import type { Step } from '../kubernetes/secret-follower.ts';
import type { Derived, KubefirstIntake } from '../ledger/kubefirst-intake.ts';

const ACTOR = 'kubefirst-records';

/** What the watcher knows of the ledger. */
export interface WatcherView {
  known(kubefirstId: string): readonly KnownCluster[];
  all(): Iterable<KnownCluster>;
  isDeletionRequested(clusterId: string): boolean;
  /** Whether all that was recorded before this process began is known. */
  caughtUp(): Promise<boolean>;
}

export interface WatcherLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

interface Rooms {
  /** Names the place of the records, so that several can be followed. */
  readonly name: string;
  readonly intake: KubefirstIntake;
  readonly view: WatcherView;
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
  readonly #rooms: Rooms;
  readonly #stop = new AbortController();
  readonly #files = new Map<string, RecordFile>();
  #index: readonly string[] | undefined;
  #state: 'starting' | 'following' | 'unreadable' = 'starting';
  #since: Instant;
  #why: string | undefined;
  #missing: readonly string[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(rooms: Rooms) {
    this.#rooms = rooms;
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
    const files = [...this.#files.values()];
    return {
      state: this.#state,
      since: this.#since,
      ...(this.#why !== undefined && { why: this.#why }),
      clusters: files.reduce((sum, { records }) => sum + records.length, 0),
      unusable: files.flatMap(({ unusable }) => unusable),
      missing: this.#missing,
    };
  }

  /** The inventory that the records are. */
  reading(): SourceReading {
    const source = inventorySource(this.#rooms.name);
    if (this.#state !== 'following')
      return { source, unreadable: this.#why ?? 'the records are not read yet' };
    if (this.#index === undefined) return { source, unreadable: 'there is no index of records' };
    if (this.#index.some((name) => !this.#files.has(name)))
      return { source, unreadable: 'a record is just being written or removed' };
    if (this.status.unusable.length > 0)
      return { source, unreadable: 'there are records that cannot be used' };
    const items = this.#records()
      .filter(({ record }) => record.status !== 'deleted')
      .map(({ record }) => this.#itemOf(source, record));
    return { source, items };
  }

  #itemOf(source: string, record: ClusterRecord) {
    const { managementId, name, createdAt, status } = record;
    return {
      source,
      reference: canonicalReference(
        connectionOf(this.#policy, record) ?? `${source}:${managementId}/${name}`,
      ),
      clusterId: this.#clusterOf(record).clusterId,
      name,
      ...(createdAt !== undefined && { since: createdAt }),
      isPending: status !== 'provisioned',
    };
  }

  get #policy(): KubefirstPolicy {
    return this.#rooms.intake.policy;
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
    if (step.kind === 'listed') {
      this.#files.clear();
      this.#index = undefined;
      for (const item of step.items.values()) this.#keep(item);
    } else if (step.kind === 'changed') {
      this.#keep(step.item);
    } else {
      this.#forget(step.name);
    }
    await this.#settle();
    if (!this.#stop.signal.aborted) this.#become('following', undefined);
  }

  #keep(item: KubefirstSecret): void {
    if (item.kind === 'index') this.#index = item.names;
    else this.#files.set(item.name, item);
  }

  #forget(secretName: string): void {
    const name = recordOfSecret(secretName);
    if (name === undefined) this.#index = undefined;
    else this.#files.delete(name);
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
        if (this.#plan().length > 0) await this.#rooms.intake.record(() => this.#plan());
        this.#noteMissing();
        return;
      } catch (error) {
        this.#rooms.log.warn({ err: error }, 'what the records of Kubefirst say cannot be recorded yet');
        await this.#pause();
      }
    }
  }

  #plan(): readonly Derived[] {
    const now = this.#rooms.now();
    const planned = this.#records().flatMap(({ record, changedAt }) => {
      const { clusterId, cluster } = this.#clusterOf(record);
      // The clock of the management cluster may be ahead of ours.
      const at = Math.min(now, changedAt ?? now);
      return planRecord(record, clusterId, cluster, at, this.#policy, this.#rooms.name);
    });
    for (const { cluster, since } of this.#gone()) {
      if (this.#rooms.view.isDeletionRequested(cluster.clusterId))
        planned.push(
          planGone(cluster.clusterId, Math.max(cluster.registeredAt, Math.min(now, since ?? now))),
        );
    }
    return planned.filter(({ fact }) => !this.#isRequestedAlready(fact)).map((fact) => this.#derive(fact));
  }

  #isRequestedAlready({ type, clusterId }: Fact): boolean {
    return type === 'ClusterDeletionRequested' && this.#rooms.view.isDeletionRequested(clusterId);
  }

  #derive({ fact, id, isTimedByLedger }: PlannedFact): Derived {
    const source = `urn:kubefirst:records:${this.#rooms.name}`;
    return { fact, source, id, actor: ACTOR, isTimedByLedger, mayBackdate: true };
  }

  #records() {
    return [...this.#files.values()].flatMap(({ records, changedAt }) =>
      records.map((record) => ({ record, changedAt })),
    );
  }

  #clusterOf(record: ClusterRecord) {
    return clusterOfRecord(record, this.#rooms.view.known(record.kubefirstId), this.#rooms.now());
  }

  #gone() {
    const claimed = new Set(this.#records().map(({ record }) => this.#clusterOf(record).clusterId));
    const registered = [...this.#rooms.view.all()].filter(({ recordsIn }) => recordsIn === this.#rooms.name);
    return missingClusters({ index: this.#index, byName: this.#files }, registered, claimed);
  }

  #noteMissing(): void {
    const missing = this.#gone().map(({ cluster }) => cluster.clusterId);
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

/** What the records of a place are called as an inventory. */
export function inventorySource(name: string): string {
  return `kubefirst/${name}`;
}
