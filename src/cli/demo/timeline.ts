import type { Fact } from '../../domain/facts/fact.ts';
import type { Origin } from '../../domain/facts/recorded-fact.ts';
import { HOUR_MS, type Instant, SECOND_MS } from '../../domain/time.ts';
import type { Outcome } from '../../ledger/submission.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Who posts facts, and under which source. */
export type Poster = Pick<Origin, 'source' | 'actor'>;

export const PRO_APP: Poster = { source: 'https://pro.example/clusters', actor: 'pro-app' };
export const VALIDATOR: Poster = { source: 'https://validator.example', actor: 'validator' };
export const POLICY: Poster = { source: 'https://validator.example/policies/default', actor: 'policy' };
export const OPERATOR: Poster = { source: 'https://console.example', actor: 'operator:lin' };

/** Something that was posted to the ledger. */
export interface Step {
  readonly recordedAt: Instant;
  readonly fact: Fact;
  readonly origin: Origin;
  /** What must become of it. */
  readonly outcome: Outcome['outcome'];
  /** For a void: the step that was wrong; the ledger alone knows the id that it gave its event. */
  readonly voids?: Step;
}

/** How often the Pro app, unsure whether an answer was lost, posts an event again. */
const RESEND_PROBABILITY = 0.05;

/** All that is posted in the history, written down as it is thought of and read in the order of time. */
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

  /** What had been posted by then, in order. */
  until(now: Instant): Step[] {
    return this.#steps
      .filter(({ recordedAt }) => recordedAt <= now)
      .sort((a, b) => a.recordedAt - b.recordedAt);
  }
}
