import type { Fact } from '../../domain/facts/fact.ts';
import type { Origin } from '../../domain/facts/recorded-fact.ts';
import { HOUR_MS, type Instant, SECOND_MS } from '../../domain/time.ts';
import type { Outcome } from '../../ledger/submission.ts';
import type { SeededRandom } from './seeded-random.ts';

/** The actor that posts facts, and its source. */
export type Poster = Pick<Origin, 'source' | 'actor'>;

export const PRO_APP: Poster = { source: 'https://pro.example/clusters', actor: 'pro-app' };
export const VALIDATOR: Poster = { source: 'https://validator.example', actor: 'validator' };
export const POLICY: Poster = { source: 'https://validator.example/policies/default', actor: 'policy' };
export const OPERATOR: Poster = { source: 'https://console.example', actor: 'operator:lin' };

/** A fact that is posted to the ledger. */
export interface Step {
  readonly recordedAt: Instant;
  readonly fact: Fact;
  readonly origin: Origin;
  /** The expected outcome. */
  readonly outcome: Outcome['outcome'];
  /** The step that a void is about. Its event id is known only when the ledger has recorded it. */
  readonly voids?: Step;
}

/** Probability that the Pro app posts an event again, as after a lost response. */
const RESEND_PROBABILITY = 0.05;

/** Collects steps in any order and returns them in the order of recording. */
export class Timeline {
  readonly #random: SeededRandom;
  readonly #steps: Step[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  post(poster: Poster, recordedAt: Instant, fact: Fact, voids?: Step): Step {
    const origin = { source: poster.source, id: `evt-${this.#random.id(12)}`, actor: poster.actor };
    const step = this.add({ recordedAt, fact, origin, outcome: 'appended', ...(voids && { voids }) });
    if (poster === PRO_APP && this.#random.chance(RESEND_PROBABILITY)) {
      const pause = this.#random.between(
        5 * SECOND_MS,
        this.#random.chance(0.3) ? 36 * HOUR_MS : 90 * SECOND_MS,
      );
      this.add({ ...step, recordedAt: recordedAt + pause, outcome: 'duplicate' });
    }
    return step;
  }

  add(step: Step): Step {
    this.#steps.push(step);
    return step;
  }

  /** Returns the steps recorded by an instant, in order. */
  until(now: Instant): Step[] {
    return this.#steps
      .filter(({ recordedAt }) => recordedAt <= now)
      .sort((a, b) => a.recordedAt - b.recordedAt);
  }
}
