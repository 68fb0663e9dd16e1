import type { Composition } from '../../app/compose.ts';
import { DEFAULT_GRACE_MS, dueAt, nextToClose } from '../../domain/billing/period.ts';
import { factToCloudEvent } from '../../domain/facts/cloud-event.ts';
import type { Instant } from '../../domain/time.ts';
import type { Submission } from '../../ledger/submission.ts';
import { OPERATOR, type Step } from './timeline.ts';

/** The clock of the ledger. It shows the time of the sample data while they are recorded, and the real time afterwards. */
export class SampleClock {
  #at: Instant | undefined;

  readonly now = (): Instant => this.#at ?? Date.now();

  set(at: Instant): void {
    this.#at = at;
  }

  release(): void {
    this.#at = undefined;
  }
}

/**
 * Records the sample data in the ledger, each step at its own time, and closes every month when it is due.
 * @throws Error if a step has another outcome than expected.
 */
export async function seedLedger(
  steps: readonly Step[],
  { ledger, projections, closePeriod }: Pick<Composition, 'ledger' | 'projections' | 'closePeriod'>,
  clock: SampleClock,
  signal: AbortSignal,
): Promise<void> {
  const eventIds = new Map<string, string>();
  for (const step of steps) {
    if (signal.aborted) return;
    await closeDuePeriods(projections, closePeriod, clock, step.recordedAt);
    clock.set(step.recordedAt);
    const submission = submissionOf(step, eventIds);
    const caller = { mayBackdate: step.origin.actor === OPERATOR.actor };
    const [answer] = await ledger.record([submission], caller);
    if (answer?.outcome !== step.outcome) {
      throw new Error(
        `unexpected outcome for ${JSON.stringify(submission.event)}: ${JSON.stringify(answer)}`,
      );
    }
    if (answer.outcome === 'appended') eventIds.set(step.origin.id, answer.eventId);
  }
}

/** Closes the months that are due by `now`, each at the instant when it is due. Later facts become adjustments. */
async function closeDuePeriods(
  projections: Composition['projections'],
  closePeriod: Composition['closePeriod'],
  clock: SampleClock,
  now: Instant,
): Promise<void> {
  for (;;) {
    const period = nextToClose(projections.model.calendar);
    if (period === undefined || dueAt(period, DEFAULT_GRACE_MS) > now) return;
    clock.set(dueAt(period, DEFAULT_GRACE_MS));
    const closing = await closePeriod.run({ period, early: false, dryRun: false, actor: OPERATOR.actor });
    if (closing.outcome !== 'closed') throw new Error(`${period} was not closed: ${JSON.stringify(closing)}`);
  }
}

function submissionOf({ fact, origin, voids }: Step, eventIds: ReadonlyMap<string, string>): Submission {
  const target = voids && eventIds.get(voids.origin.id);
  const complete = fact.type === 'FactVoided' && target !== undefined ? { ...fact, voids: target } : fact;
  return { fact: complete, origin, event: factToCloudEvent(complete, origin) };
}
