import { setTimeout as wait } from 'node:timers/promises';
import type { Fact } from '../../domain/facts/fact.ts';
import { SECOND_MS } from '../../domain/time.ts';
import { cloudEventOf } from './cloud-event.ts';
import { ACCOUNTS, type Account, type Cluster, newCluster } from './sample-accounts.ts';
import { SeededRandom } from './seeded-random.ts';
import { PRO_APP } from './timeline.ts';

/** Clusters of the live traffic that exist at a time: as many come as go. */
const MIN_CLUSTERS = 5;
const MAX_CLUSTERS = 20;

const RESEND_PROBABILITY = 0.08;

/** What is refused is rare, and ends some time: a list of nothing else would hide the rest. */
const FIRST_REJECTION_MS = 20 * SECOND_MS;
const REJECTION_INTERVAL_MS = 90 * SECOND_MS;
const MAX_REJECTIONS = 20;

const POST_TIMEOUT_MS = 10 * SECOND_MS;

/** What became of what was posted. */
export interface Tally {
  appended: number;
  duplicate: number;
  rejected: number;
  /** Not answered, or answered with something else. */
  failed: number;
}

type Posted = ReturnType<typeof cloudEventOf>;

/** An app that posts over HTTP what its customers do: preview clusters, made for a pull request and deleted after it. */
export class Traffic {
  readonly tally: Tally = { appended: 0, duplicate: 0, rejected: 0, failed: 0 };
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #random = new SeededRandom('live traffic');
  readonly #previewers = ACCOUNTS.filter(({ hasPreviews }) => hasPreviews);
  readonly #alive: Cluster[] = [];
  #last: Posted | undefined;
  #lastDeleted: Cluster | undefined;
  #nextRefusalAt = performance.now() + FIRST_REJECTION_MS;

  /** @param url of the ledger. */
  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
  }

  /** Posts something every few hundred ms, until it is told to stop. */
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
    if (this.#lastDeleted !== undefined && this.#isTimeToRefuse()) return this.#register(this.#lastDeleted);
    const { length } = this.#alive;
    if (length < MIN_CLUSTERS || (length < MAX_CLUSTERS && this.#random.chance(0.5))) {
      const cluster = newCluster(this.#random, this.#random.pick(this.#previewers) as Account, 'preview', 1);
      this.#alive.push(cluster);
      return this.#register(cluster);
    }
    const [gone] = this.#alive.splice(this.#random.between(0, length - 1), 1) as [Cluster];
    this.#lastDeleted = gone;
    const { clusterId } = gone;
    return this.#post(this.#event({ type: 'ClusterDeleted', clusterId, effectiveAt: Date.now() }));
  }

  #isTimeToRefuse(): boolean {
    if (performance.now() < this.#nextRefusalAt || this.tally.rejected >= MAX_REJECTIONS) return false;
    this.#nextRefusalAt = performance.now() + REJECTION_INTERVAL_MS;
    return true;
  }

  #register(cluster: Cluster): Promise<void> {
    return this.#post(this.#event({ type: 'ClusterRegistered', ...cluster, effectiveAt: Date.now() }));
  }

  #event(fact: Fact): Posted {
    return cloudEventOf(fact, { source: PRO_APP.source, id: `evt-${this.#random.id(14)}` });
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
