import { z } from 'zod';
import { ALERT_KINDS, ALERT_STATES, SEVERITIES } from '../domain/alert.ts';
import { InstantOut } from './values.ts';

export const AlertOut = z
  .strictObject({
    id: z.string(),
    kind: z.enum(ALERT_KINDS),
    severity: z.enum(SEVERITIES),
    state: z
      .enum(ALERT_STATES)
      .describe('An acknowledged alert is silent; it stays until its cause is resolved.'),
    subject: z.string().describe('The cluster, account, event, shard or period that the alert is about.'),
    clusterId: z.string().optional(),
    accountId: z.string().optional(),
    raisedAt: InstantOut,
    updatedAt: InstantOut,
    resolvedAt: InstantOut.optional(),
    acknowledged: z
      .strictObject({
        at: InstantOut,
        by: z.string(),
        note: z.string().optional(),
        until: InstantOut.optional().describe(
          'End of the acknowledgement; absent if it lasts until the alert is resolved.',
        ),
      })
      .optional(),
    happened: z.string().describe('What happened.'),
    bill: z.string().describe('The effect on the bill.'),
    next: z.string().describe('What to do next.'),
    atStake: z
      .strictObject({ since: InstantOut, clusterSeconds: z.string() })
      .optional()
      .describe('Time billed since then for a cluster that may not exist.'),
    data: z.record(z.string(), z.union([z.string(), z.number()])),
  })
  .meta({ id: 'Alert' });
export type AlertOut = z.output<typeof AlertOut>;
