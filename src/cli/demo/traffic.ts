import { setTimeout as wait } from 'node:timers/promises';
import { factToCloudEvent } from '../../domain/facts/cloud-event.ts';
import type { Fact } from '../../domain/facts/fact.ts';
import { SECOND_MS } from '../../domain/time.ts';
import { ACCOUNTS, type Account, type Cluster, newCluster } from './sample-accounts.ts';
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

const POST_TIMEOUT_MS = 10 * SECOND_MS;

/** Number of posted events by outcome. */
export interface Tally {
  appended: number;
  duplicate: number;
  rejected: number;
  /** No response, or an unexpected one. */
  failed: number;
}

type Posted = ReturnType<typeof factToCloudEvent>;

/** Posts events over HTTP as the Pro app does: preview clusters that are created for a pull request and deleted after it. */
export class Traffic {
  readonly tally: Tally = { appended: 0, duplicate: 0, rejected: 0, failed: 0 };
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #random = new SeededRandom('live traffic');
  readonly #accountsWithPreviews = ACCOUNTS.filter(({ hasPreviews }) => hasPreviews);
  readonly #alive: Cluster[] = [];
  #last: Posted | undefined;
  #lastDeleted: Cluster | undefined;
  #nextRejectionAt = performance.now() + FIRST_REJECTION_MS;

  /** @param url of the ledger */
  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
  }

  /** Posts an event every few hundred milliseconds, until the signal is aborted. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await wait(this.#random.between(150, 700), undefined, { signal: this.#signal });
        await this.#postNext();
      } catch {
        if (!this.#signal.aborted) this.tally.failed++;
      }
    }
  }

  async #postNext(): Promise<void> {
    if (this.#last !== undefined && this.#random.chance(RESEND_PROBABILITY)) return this.#post(this.#last);
    if (this.#lastDeleted !== undefined && this.#isRejectionDue()) return this.#register(this.#lastDeleted);
    const { length } = this.#alive;
    if (length < MIN_CLUSTERS || (length < MAX_CLUSTERS && this.#random.chance(0.5))) {
      const cluster = newCluster(
        this.#random,
        this.#random.pick(this.#accountsWithPreviews) as Account,
        'preview',
        1,
      );
      this.#alive.push(cluster);
      return this.#register(cluster);
    }
    const [deleted] = this.#alive.splice(this.#random.between(0, length - 1), 1) as [Cluster];
    this.#lastDeleted = deleted;
    const { clusterId } = deleted;
    return this.#post(this.#event({ type: 'ClusterDeleted', clusterId, effectiveAt: Date.now() }));
  }

  #isRejectionDue(): boolean {
    if (performance.now() < this.#nextRejectionAt || this.tally.rejected >= MAX_REJECTIONS) return false;
    this.#nextRejectionAt = performance.now() + REJECTION_INTERVAL_MS;
    return true;
  }

  #register(cluster: Cluster): Promise<void> {
    return this.#post(this.#event({ type: 'ClusterRegistered', ...cluster, effectiveAt: Date.now() }));
  }

  #event(fact: Fact): Posted {
    return factToCloudEvent(fact, { source: PRO_APP.source, id: `evt-${this.#random.id(14)}` });
  }

  async #post(event: Posted): Promise<void> {
    const response = await fetch(`${this.#url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify(event),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(POST_TIMEOUT_MS)]),
    });
    await response.arrayBuffer();
    this.#last = event;
    this.tally[outcomeOf(response.status)]++;
  }
}

function outcomeOf(status: number): keyof Tally {
  switch (status) {
    case 201:
      return 'appended';
    case 200:
      return 'duplicate';
    case 409:
    case 422:
      return 'rejected';
    default:
      return 'failed';
  }
}
