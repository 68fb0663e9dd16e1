import { z } from 'zod';
import type { Instant } from '../domain/time.ts';
import type { Breaker } from '../domain/validation/judging/outage.ts';
import type { ActiveRun } from '../domain/validation/records/active-run.ts';
import { TRIGGERS } from '../domain/validation/records/run-record.ts';
import { type Run, type RunResult, runStateOf } from '../domain/validation/records/run-summary.ts';
import { InstantOut, instantOut, PositionOut } from './params/fields.ts';

const Counts = z
  .strictObject({ alive: z.int(), unreachable: z.int(), unknown: z.int(), unverifiable: z.int() })
  .meta({ id: 'VerdictCounts' });

export const BreakerOut = z
  .strictObject({
    open: z.boolean(),
    since: InstantOut.optional(),
    why: z.enum(['canary', 'all', 'ratio']).optional(),
    bad: z.int().optional(),
    of: z.int().optional(),
    canaries: z.array(z.string()).readonly().optional(),
  })
  .meta({ id: 'Breaker' })
  .describe('Open while so much is bad at once that it is more likely us: nothing is concluded from it.');

export const RunOut = z
  .strictObject({
    id: z.string(),
    state: z.enum(['running', 'completed', 'abandoned']),
    abandoned: z
      .enum(['deadline', 'late', 'out-of-order', 'unreadable'])
      .optional()
      .describe('Why it counts for nothing.'),
    tick: InstantOut.describe('The instant that it stands for.'),
    shard: z.string(),
    trigger: z.enum(TRIGGERS),
    by: z.string(),
    startedAt: InstantOut,
    deadline: InstantOut,
    position: PositionOut,
    policies: z.string().describe('Digest of the policies.'),
    progress: z.strictObject({ done: z.int(), total: z.int().nullable(), counts: Counts }).optional(),
    result: z
      .strictObject({
        completedAt: InstantOut,
        durationMs: z.int(),
        counts: Counts,
        changed: z.int().describe('Clusters whose verdict is another than in the run before.'),
        facts: z.int().describe('Facts that were appended.'),
        wouldHave: z.int().describe('Facts that the mode of their policy kept back.'),
        withheld: z.boolean().describe('Whether the breaker kept facts back.'),
        breaker: BreakerOut,
        raised: z.int().describe('Conditions that began to hold, or changed.'),
        resolved: z.int(),
        full: z.boolean().describe('Whether its records list every cluster.'),
      })
      .optional(),
  })
  .meta({ id: 'ValidationRun' });
export type RunOut = z.output<typeof RunOut>;

export function runOut(run: Run, underWay: ActiveRun | undefined, now: Instant): RunOut {
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

export function breakerOut({ countedRuns: _, ...breaker }: Breaker): z.output<typeof BreakerOut> {
  return breaker.open ? { ...breaker, since: instantOut(breaker.since) } : breaker;
}
