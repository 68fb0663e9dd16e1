import type { BreakerOut, RunOut } from '../api/validations.ts';
import type { Instant } from '../domain/time.ts';
import type { Breaker } from '../domain/validation/judging/outage.ts';
import type { ActiveRun } from '../domain/validation/records/active-run.ts';
import { type Run, type RunResult, runStateOf } from '../domain/validation/records/run-summary.ts';
import { instantOut } from './params/fields.ts';
import type { HttpServices } from './server/app.ts';

function runOut(run: Run, underWay: ActiveRun | undefined, now: Instant): RunOut {
  const state = runStateOf(run, now);
  const { result, abandoned } = run;
  const why = abandoned ?? 'deadline';
  const progress = state === 'running' ? progressOf(underWay) : undefined;
  return {
    id: run.run,
    state,
    ...(state === 'abandoned' && { abandoned: why }),
    tick: instantOut(run.tick),
    shard: run.shard,
    trigger: run.trigger,
    by: run.by,
    startedAt: instantOut(run.startedAt),
    deadline: instantOut(run.deadline),
    position: String(run.position),
    policies: run.policies,
    ...(progress && { progress }),
    ...(result && { result: resultOut(result) }),
  };
}

function progressOf(run: ActiveRun | undefined): RunOut['progress'] {
  if (run === undefined) return undefined;
  if (run.progress !== undefined) return run.progress;
  const counts = { alive: 0, unreachable: 0, unknown: 0, unverifiable: 0 };
  return { done: 0, total: run.start.total ?? null, counts };
}

function resultOut({ completedAt, breaker, ...result }: RunResult): NonNullable<RunOut['result']> {
  return { completedAt: instantOut(completedAt), breaker: breakerOut(breaker), ...result };
}

export function breakerOut({ countedRuns: _, ...breaker }: Breaker): BreakerOut {
  return breaker.open ? { ...breaker, since: instantOut(breaker.since) } : breaker;
}

/** Returns a run as it is now. The progress of a run of this process is current; that of another is as recorded in the log. */
export function currentRunOut({ projections, validator, recordingTime }: HttpServices, run: Run): RunOut {
  const view = runOut(run, projections.model.validations.activeRun(run.run), recordingTime());
  const own = validator?.progress;
  if (view.progress === undefined || own?.run !== run.run) return view;
  const { done, total, counts } = own;
  return { ...view, progress: { done, total, counts } };
}
