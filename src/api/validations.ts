import { z } from 'zod';
import { factPayloads } from '../domain/facts/fact.ts';
import { TRIGGERS } from '../domain/validation/records/run-record.ts';
import { InstantOut, Next, PositionOut } from './values.ts';

const CountsOut = z
  .strictObject({
    alive: z.int().nonnegative(),
    unreachable: z.int().nonnegative(),
    unknown: z.int().nonnegative(),
    unverifiable: z.int().nonnegative(),
  })
  .meta({ id: 'VerdictCounts' });

export const BreakerOut = z
  .strictObject({
    open: z.boolean(),
    since: InstantOut.optional(),
    why: z.enum(['canary', 'all', 'ratio']).optional(),
    bad: z.int().nonnegative().optional(),
    of: z.int().nonnegative().optional(),
    canaries: z.array(z.string()).readonly().optional(),
  })
  .meta({ id: 'Breaker' })
  .describe(
    'The circuit breaker of the validator. While it is open, so many clusters fail at once that the network of the ledger is the more likely cause, and no facts are concluded.',
  );
export type BreakerOut = z.output<typeof BreakerOut>;

export const RunOut = z
  .strictObject({
    id: z.string(),
    state: z.enum(['running', 'completed', 'abandoned']),
    abandoned: z
      .enum(['deadline', 'late', 'out-of-order', 'unreadable'])
      .optional()
      .describe('Why the run has no effect.'),
    tick: InstantOut.describe('The scheduled instant of the run.'),
    shard: z.string(),
    trigger: z.enum(TRIGGERS),
    by: z.string(),
    startedAt: InstantOut,
    deadline: InstantOut,
    position: PositionOut,
    policies: z.string().describe('Digest of the policies.'),
    progress: z
      .strictObject({
        done: z.int().nonnegative(),
        total: z.int().nonnegative().nullable(),
        counts: CountsOut,
      })
      .optional(),
    result: z
      .strictObject({
        completedAt: InstantOut,
        durationMs: z.int(),
        counts: CountsOut,
        changed: z
          .int()
          .nonnegative()
          .describe('Number of clusters whose verdict differs from the previous run.'),
        facts: z.int().nonnegative().describe('Number of facts that the run appended.'),
        wouldHave: z
          .int()
          .describe('Number of facts that were not appended because of the mode of their policy.'),
        withheld: z.boolean().describe('Whether the breaker withheld facts.'),
        breaker: BreakerOut,
        raised: z.int().nonnegative().describe('Number of conditions that began to hold, or changed.'),
        resolved: z.int().nonnegative(),
        full: z.boolean().describe('Whether the records of the run list every cluster.'),
      })
      .optional(),
  })
  .meta({ id: 'ValidationRun' });
export type RunOut = z.output<typeof RunOut>;

const VerdictOut = z.strictObject({
  clusterId: z.string(),
  state: z.enum(['alive', 'unreachable', 'unknown', 'unverifiable']),
  code: z.string(),
  at: InstantOut,
  uid: z.string().optional(),
  detail: z.string().optional(),
});

const ConditionOut = z.strictObject({
  kind: z.string(),
  subject: z.string(),
  accountId: z.string().optional(),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
});

const concluded = <T extends 'ClusterUnreachable' | 'ClusterReachable' | 'BillingStopped' | 'BillingResumed'>(
  type: T,
) =>
  z
    .strictObject({
      type: z.literal(type),
      clusterId: z.string(),
      effectiveAt: InstantOut,
      ...factPayloads[type].shape,
    })
    .meta({ id: `Concluded${type}` });

/** A fact that a run concluded. */
const ConcludedFactOut = z
  .discriminatedUnion('type', [
    concluded('ClusterUnreachable'),
    concluded('ClusterReachable'),
    concluded('BillingStopped'),
    concluded('BillingResumed'),
  ])
  .meta({ id: 'ConcludedFact' });

export const RunDetailOut = z.strictObject({
  ...RunOut.shape,
  verdicts: z.array(VerdictOut).describe('The verdicts that differ from the previous run.'),
  facts: z
    .array(z.strictObject({ clusterId: z.string(), type: z.string() }))
    .describe('The facts that were appended; their evidence is in the events of the cluster.'),
  wouldHave: z
    .array(ConcludedFactOut)
    .describe('The facts that were not appended because of the mode of their policy, with their evidence.'),
  raised: z.array(ConditionOut).describe('The conditions that began to hold, or changed.'),
  resolved: z.array(z.string()),
  ...Next,
});
export type RunDetailOut = z.output<typeof RunDetailOut>;

/** The result of a dry run: everything that a run would do now. */
export const RunPlanOut = z.strictObject({
  outcome: z.literal('planned'),
  decidedAt: InstantOut,
  counts: CountsOut,
  withheld: z.boolean().describe('Whether the breaker is open, so that no facts would be concluded.'),
  breaker: BreakerOut,
  facts: z.array(ConcludedFactOut).describe('The facts that a run would append.'),
  wouldHave: z
    .array(ConcludedFactOut)
    .describe('The facts that would not be appended because of the mode of their policy.'),
  conditions: z.array(ConditionOut).describe('The conditions that would raise alerts.'),
  verdicts: z.array(
    z.strictObject({
      clusterId: z.string(),
      state: z.string(),
      code: z.string(),
      detail: z.string().optional(),
      at: InstantOut,
    }),
  ),
});
export type RunPlanOut = z.output<typeof RunPlanOut>;

export const RunRequestedOut = z.strictObject({
  outcome: z.enum(['begun', 'under-way']),
  id: z.string().describe('Id of the run; see /v1/validations/{id}.'),
});
