import { setTimeout as wait } from 'node:timers/promises';
import { type DataOf, type LifecycleEvent, Outbox } from '../../../packages/client/src/index.ts';
import { SECOND_MS } from '../../domain/time.ts';
import { ACCOUNTS, type Account, type Cluster, newCluster } from './sample-accounts.ts';
import type { SampleClusters } from './sample-clusters.ts';
import { SeededRandom } from './seeded-random.ts';
import { PRO_APP } from './timeline.ts';

/** Limits for the number of clusters that exist at a time. */
const MIN_CLUSTERS = 5;
const MAX_CLUSTERS = 20;

const RESEND_PROBABILITY = 0.08;

/** Rejected events are rare and limited, so that they do not fill the list of rejected events. */
const FIRST_REJECTION_MS = 20 * SECOND_MS;
const REJECTION_INTERVAL_MS = 90 * SECOND_MS;
const MAX_REJECTIONS = 20;

/** The ledger that gets the traffic, and the API key that it asks for. */
export interface Target {
  readonly url: string;
  readonly key: string | undefined;
}

/** Number of posted events by outcome. */
export interface Tally {
  appended: number;
  duplicate: number;
  rejected: number;
  /** No response, or an unexpected one. The outbox sends the event again. */
  failed: number;
}

/** Reports changes through an outbox as the Pro app does: preview clusters that are created for a pull request and deleted after it. */
export class Traffic {
  readonly tally: Tally = { appended: 0, duplicate: 0, rejected: 0, failed: 0 };
  readonly #outbox: Outbox;
  readonly #clusters: SampleClusters;
  readonly #signal: AbortSignal;
  readonly #random = new SeededRandom('live traffic');
  readonly #accountsWithPreviews = ACCOUNTS.filter(({ hasPreviews }) => hasPreviews);
  readonly #alive: Cluster[] = [];
  #last: LifecycleEvent | undefined;
  #lastDeleted: Cluster | undefined;
  #nextRejectionAt = performance.now() + FIRST_REJECTION_MS;

  /** @param file of the outbox. */
  constructor({ url, key }: Target, file: string, clusters: SampleClusters, signal: AbortSignal) {
    this.#clusters = clusters;
    this.#outbox = Outbox.open({
      file,
      url,
      ...(key !== undefined && { token: key }),
      source: PRO_APP.source,
      onRecorded: (_, { outcome }) => {
        this.tally[outcome]++;
      },
      onRejected: ({ event }) => {
        this.tally.rejected++;
        this.#outbox.discard(event);
      },
      onTrouble: () => {
        this.tally.failed++;
      },
    });
    this.#signal = signal;
  }

  /** Posts an event every few hundred milliseconds, until the signal is aborted. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      await wait(this.#random.between(150, 700), undefined, { signal: this.#signal }).catch(() => undefined);
      if (!this.#signal.aborted) await this.#reportNext();
    }
    await this.#outbox.close();
  }

  async #reportNext(): Promise<void> {
    const { length } = this.#alive;
    if (this.#last !== undefined && this.#random.chance(RESEND_PROBABILITY)) {
      this.#outbox.addEvents([this.#last]);
    } else if (this.#lastDeleted !== undefined && this.#isRejectionDue()) {
      this.#register(this.#lastDeleted);
    } else if (length < MIN_CLUSTERS || (length < MAX_CLUSTERS && this.#random.chance(0.5))) {
      const account = this.#random.pick(this.#accountsWithPreviews) as Account;
      const cluster = newCluster(this.#random, account, 'preview', 1);
      this.#alive.push(cluster);
      await this.#clusters.add(cluster.clusterId);
      this.#register(cluster);
    } else {
      const [deleted] = this.#alive.splice(this.#random.between(0, length - 1), 1) as [Cluster];
      this.#lastDeleted = deleted;
      this.#last = this.#outbox.add('cluster.deleted', deleted.clusterId, {}, this.#newId());
    }
  }

  #isRejectionDue(): boolean {
    if (performance.now() < this.#nextRejectionAt || this.tally.rejected >= MAX_REJECTIONS) return false;
    this.#nextRejectionAt = performance.now() + REJECTION_INTERVAL_MS;
    return true;
  }

  #register({ clusterId, ...data }: Cluster): void {
    this.#last = this.#outbox.add(
      'cluster.registered',
      clusterId,
      data as DataOf<'cluster.registered'>,
      this.#newId(),
    );
  }

  #newId(): { readonly id: string } {
    return { id: `evt-${this.#random.id(14)}` };
  }
}
