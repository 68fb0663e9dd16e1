import { z } from 'zod';
import { AccountId } from '../domain/facts/fact.ts';
import { CONFIRM_WITH, MODES, STOP_EFFECTIVE } from '../domain/validation/judging/policy.ts';
import { PositionOut } from './values.ts';

const Milliseconds = z.int().nonnegative();

/** When a cluster counts as gone, as it is configured. */
const PolicyOut = z
  .strictObject({
    name: z.string().describe('Name and version, as facts record them.'),
    match: z
      .strictObject({
        accounts: z.array(AccountId).optional(),
        labels: z.record(z.string(), z.string()).optional(),
      })
      .optional()
      .describe('The clusters that it is for; absent for all others.'),
    mode: z.enum(MODES),
    unreachableAfter: z.int().describe('Bad verdicts in a row after which a cluster is unreachable.'),
    unreachableForMs: Milliseconds.describe('Minimum time that these verdicts span.'),
    stopAfterMs: Milliseconds.describe('Time since the first bad verdict after which billing stops.'),
    stopEffective: z.enum(STOP_EFFECTIVE).describe('From when the stop takes effect.'),
    confirmWith: z.enum(CONFIRM_WITH).describe('Whether the inventory must confirm a stop.'),
    stopNeverSeen: z.boolean(),
    missingFor: z
      .union([z.enum(['records', 'off']), Milliseconds])
      .describe('Time without being listed after which billing stops, in milliseconds.'),
    reachableAfter: z.int().describe('Good verdicts in a row after which a cluster is reachable.'),
    flapLimit: z.int(),
    watchDeletedForMs: Milliseconds.describe('For how long deleted clusters are probed.'),
  })
  .meta({ id: 'ConfiguredPolicy' });

/** The ledger that answers: its version, its log, and how it is configured. */
export const SystemOut = z
  .strictObject({
    version: z.string(),
    nodeVersion: z.string(),
    rules: z.int().describe('Version of the billing rules.'),
    store: z.enum(['sqlite', 'eventstoredb']),
    log: z.strictObject({
      origin: z.string().describe('Name of the log in its checkpoints.'),
      position: PositionOut.describe('Position of the last event.'),
      signed: z.int().nonnegative().describe('Number of events that the newest checkpoint covers.'),
    }),
    deletionMode: z.enum(['external', 'ledger-only']),
    graceMs: Milliseconds.describe('How long after its end a period becomes due to be closed.'),
    backdatingMs: Milliseconds.describe('Maximum age of a fact that is not posted by an operator.'),
    autoClose: z.boolean().describe('Whether due periods are closed by a schedule.'),
    validator: z.strictObject({
      isConfigured: z.boolean().describe('Whether there is a source of credentials.'),
      schedule: z.string().describe('When it runs; `off` for only when asked.'),
      shard: z.string(),
      policies: z
        .array(PolicyOut)
        .describe('In the order in which they are tried; the last is for all others.'),
      breaker: z.strictObject({
        ratio: z.string().describe('Share of the clusters, as a decimal.'),
        minClusters: z.int(),
        windowMs: Milliseconds,
        canaries: z.array(z.string()),
      }),
    }),
  })
  .meta({ id: 'System' });
export type SystemOut = z.output<typeof SystemOut>;
