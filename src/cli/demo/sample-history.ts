import type { Instant } from '../../domain/time.ts';
import { type Problem, tellProblems, type WrongDeletion } from './problems.ts';
import { tellYear } from './sample-year.ts';
import { Dice } from './seeded-random.ts';
import { Chronicle, type Step } from './timeline.ts';

/** The year before `now`, the same on every start of a day. */
export interface Story {
  /** What was posted, in the order in which the ledger learnt it. */
  readonly steps: readonly Step[];
  readonly problems: readonly Problem[];
  readonly wrongDeletion: WrongDeletion;
}

export function tellStory(now: Instant): Story {
  const chronicle = new Chronicle(new Dice('cluster-ledger'));
  tellYear(chronicle, now);
  const open = tellProblems(chronicle, now);
  return { steps: chronicle.until(now), ...open };
}
