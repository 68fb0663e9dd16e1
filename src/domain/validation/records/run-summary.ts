import type { Instant } from '../../time.ts';
import type { Breaker } from '../judging/outage.ts';
import type { Counts, DataOf, Trigger } from './run-record.ts';

/** Result of a completed run. */
export interface RunResult {
  readonly completedAt: Instant;
  readonly durationMs: number;
  readonly counts: Counts;
  /** Number of clusters whose verdict differs from that of the previous run. */
  readonly changed: number;
  readonly facts: number;
  readonly wouldHave: number;
  /** Whether the breaker withheld facts. */
  readonly withheld: boolean;
  readonly breaker: Breaker;
  readonly raised: number;
  readonly resolved: number;
  readonly full: boolean;
}

/** A run, from its claim on. */
export interface Run {
  readonly run: string;
  /** Position of its first event. */
  readonly position: number;
  readonly tick: Instant;
  readonly shard: string;
  readonly trigger: Trigger;
  readonly by: string;
  readonly policies: string;
  readonly startedAt: Instant;
  readonly deadline: Instant;
  readonly result: RunResult | undefined;
  /** Why the run has no effect. */
  readonly abandoned: 'late' | 'out-of-order' | 'unreadable' | undefined;
}

export type RunState = 'running' | 'completed' | 'abandoned';

/** Returns the run that a start record begins. */
export function startedRun(
  run: string,
  { tick, shard, trigger, by, policies, deadline }: DataOf<'ValidationStarted'>,
  { position, recordedAt: startedAt }: { readonly position: number; readonly recordedAt: Instant },
): Run {
  const open = { result: undefined, abandoned: undefined };
  return { run, position, tick, shard, trigger, by, policies, startedAt, deadline, ...open };
}

/** Returns the run with the result that its last record contains. */
export function completedRun(
  run: Run,
  {
    counts,
    changed,
    facts,
    wouldHave,
    withheld,
    breaker,
    raised,
    resolved,
    full,
    durationMs,
  }: DataOf<'ValidationCompleted'>,
  completedAt: Instant,
): Run {
  const summary = { counts, changed, facts, wouldHave, withheld, breaker, raised, resolved, full };
  return { ...run, result: { completedAt, durationMs, ...summary } };
}

/** Returns the state of a run at an instant: a run without an end is abandoned after its deadline. */
export function runStateOf({ result, abandoned, deadline }: Run, now: Instant): RunState {
  if (result !== undefined) return 'completed';
  return abandoned !== undefined || now > deadline ? 'abandoned' : 'running';
}
