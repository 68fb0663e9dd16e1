import { z } from 'zod';
import { CLUSTER_STATUSES, type ClusterStatus } from '../domain/billing/cluster-status.ts';
import { ClusterTypeOut, UsageBreakdown } from './usage.ts';
import { InstantOut, PositionOut } from './values.ts';

const count = z.int().nonnegative();

/** How everything is now: what is billed, what is wrong, and how far the month is. */
export const OverviewOut = z
  .strictObject({
    at: InstantOut.describe('When this was computed. It may be some seconds old.'),
    position: PositionOut,
    clusters: z
      .strictObject(
        Object.fromEntries(CLUSTER_STATUSES.map((status) => [status, count])) as Record<
          ClusterStatus,
          typeof count
        >,
      )
      .describe('Number of clusters in each state, without those whose facts cannot be read.'),
    unreadable: count.describe('Number of clusters whose facts cannot be read from some position on.'),
    billedByType: z.array(z.strictObject({ clusterType: ClusterTypeOut, billed: count })),
    month: z
      .strictObject({
        period: z.string(),
        window: z.strictObject({ from: InstantOut, to: InstantOut }),
        ...UsageBreakdown,
      })
      .describe('The current period so far. A cluster that is billed to two accounts counts for each.'),
    days: z
      .array(z.strictObject({ date: z.string(), ...UsageBreakdown }))
      .describe('Each of the last 30 UTC days and the current one, which is not over.'),
    alerts: z
      .strictObject({ critical: count, warning: count, info: count })
      .optional()
      .describe('Number of open alerts by severity. Absent if the caller may not read alerts.'),
    validator: z
      .strictObject({
        lastRunAt: InstantOut.nullable().describe(
          'End of the oldest last run of a shard; null if there is none.',
        ),
        breakerOpen: z.boolean(),
        running: z.boolean(),
      })
      .optional()
      .describe('Absent if the caller may not read the state of the validator.'),
    periods: z
      .strictObject({
        lastClosed: z.strictObject({ period: z.string(), closedAt: InstantOut }).nullable(),
        due: z.array(z.string()).describe('The periods that can be closed now.'),
        begun: z.string().nullable().describe('The first period that has statements, if that was decided.'),
      })
      .optional()
      .describe('Absent if the caller may not read periods.'),
    lag: z
      .strictObject({
        events: count
          .nullable()
          .describe(
            'Number of events that the log has and answers do not have yet; null if the store cannot be reached.',
          ),
        unsigned: count.describe('Number of events that no checkpoint covers yet.'),
      })
      .optional()
      .describe('Absent for customers.'),
  })
  .meta({ id: 'Overview' });
export type OverviewOut = z.output<typeof OverviewOut>;
