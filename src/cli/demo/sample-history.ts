import type { Instant } from '../../domain/time.ts';
import { addProblems, type Problem, type WrongDeletion } from './problems.ts';
import { addSampleYear } from './sample-year.ts';
import { SeededRandom } from './seeded-random.ts';
import { type Step, Timeline } from './timeline.ts';

/** A year of sample data. It is the same at every start on the same day. */
export interface SampleHistory {
  /** The posted facts, in the order of recording. */
  readonly steps: readonly Step[];
  readonly problems: readonly Problem[];
  readonly wrongDeletion: WrongDeletion;
}

export function sampleHistory(now: Instant): SampleHistory {
  const timeline = new Timeline(new SeededRandom('cluster-ledger'));
  addSampleYear(timeline, now);
  const open = addProblems(timeline, now);
  return { steps: timeline.until(now), ...open };
}
