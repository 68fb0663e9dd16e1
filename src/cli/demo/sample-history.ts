import type { Instant } from '../../domain/time.ts';
import { addProblems, type Problem, type WrongDeletion } from './problems.ts';
import { addSampleYear } from './sample-year.ts';
import { SeededRandom } from './seeded-random.ts';
import { type Step, Timeline } from './timeline.ts';

/** The year before `now`, the same on every start of a day. */
export interface SampleHistory {
  /** What was posted, in the order in which the ledger learnt it. */
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
