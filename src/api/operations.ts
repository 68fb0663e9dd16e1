import { z } from 'zod';
import { ROLES } from '../domain/access/caller.ts';

export const CheckOut = z.strictObject({ ok: z.boolean(), detail: z.string() });
export type CheckOut = z.output<typeof CheckOut>;

export const LivenessOut = z.strictObject({ status: z.literal('alive') });

export const ReadinessOut = z.strictObject({
  status: z.enum(['ready', 'not-ready']),
  checks: z.strictObject({
    store: CheckOut,
    projections: CheckOut,
    clusters: CheckOut,
    statements: CheckOut,
    log: CheckOut,
    clock: CheckOut,
    sources: CheckOut,
  }),
});
export type ReadinessOut = z.output<typeof ReadinessOut>;

export const CallerOut = z.strictObject({
  actor: z.string().describe('Recorded with everything that the caller writes.'),
  role: z.enum(ROLES),
  accountId: z.string().optional().describe('The account that a customer is bound to.'),
});
