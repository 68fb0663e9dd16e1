import type { Instant } from '../../domain/time.ts';
import type { Ledger, Submission } from '../../ledger/ledger.ts';
import { OPERATOR, type Step } from './chronicle.ts';
import { cloudEventOf } from './cloud-event.ts';

/** The clock of the ledger: it follows the story while that is played, and is the real one from then on. */
export class StoryClock {
  #at: Instant | undefined;

  readonly now = (): Instant => this.#at ?? Date.now();

  set(at: Instant): void {
    this.#at = at;
  }

  release(): void {
    this.#at = undefined;
  }
}

/** Has the ledger record the story, each step at its own time. @throws Error where a step does not end as the story says. */
export async function play(
  steps: readonly Step[],
  ledger: Ledger,
  clock: StoryClock,
  signal: AbortSignal,
): Promise<void> {
  const eventIds = new Map<string, string>();
  for (const step of steps) {
    if (signal.aborted) return;
    clock.set(step.recordedAt);
    const submission = submissionOf(step, eventIds);
    const caller = { mayBackdate: step.origin.actor === OPERATOR.actor };
    const [answer] = await ledger.record([submission], caller);
    if (answer?.outcome !== step.outcome) {
      throw new Error(
        `the story is wrong: ${JSON.stringify(submission.event)} was ${JSON.stringify(answer)}`,
      );
    }
    if (answer.outcome === 'appended') eventIds.set(step.origin.id, answer.eventId);
  }
}

function submissionOf({ fact, origin, voids }: Step, eventIds: ReadonlyMap<string, string>): Submission {
  const target = voids && eventIds.get(voids.origin.id);
  const said = fact.type === 'FactVoided' && target !== undefined ? { ...fact, voids: target } : fact;
  return { fact: said, origin, event: cloudEventOf(said, origin) as Submission['event'] };
}
