import { z } from 'zod';
import { InstantOut, Next } from './values.ts';

/** Kinds of alerts about a billed cluster that the validator cannot decide about. */
export const UNDECIDED_KINDS = [
  'never-verified',
  'unverifiable',
  'stop-unconfirmed',
  'billed-but-missing',
] as const;

/** A billed cluster that only a person can decide about, with the evidence. */
export const UndecidedOut = z
  .strictObject({
    clusterId: z.string(),
    accountId: z.string().optional(),
    name: z.string(),
    registeredAt: InstantOut,
    connection: z.string().optional(),
    why: z.array(z.enum(UNDECIDED_KINDS)).describe('The alerts that the cluster has.'),
    code: z.string().optional().describe('What the last probe saw.'),
    detail: z.string().optional(),
    since: InstantOut.optional().describe('When this was first seen.'),
    lastAliveAt: InstantOut.optional(),
    lastListedAt: InstantOut.optional().describe('When the inventory last listed it.'),
    clusterSeconds: z.string().describe('Time billed so far.'),
    isLeft: z.boolean().describe('Whether a person has decided to leave it billed.'),
  })
  .meta({ id: 'UndecidedCluster' });
export type UndecidedOut = z.output<typeof UndecidedOut>;

export const UndecidedListOut = z.strictObject({ items: z.array(UndecidedOut), ...Next });

export const DecisionsOut = z.strictObject({
  items: z.array(
    z.strictObject({
      clusterId: z.string(),
      outcome: z.enum(['stopped', 'left', 'refused']),
      why: z.string().optional().describe('Why nothing was recorded.'),
    }),
  ),
});
