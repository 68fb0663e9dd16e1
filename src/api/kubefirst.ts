import { z } from 'zod';
import { InstantOut, Next } from './values.ts';

/** A line of the billing page of Kubefirst Pro; its field names are those of Kubefirst. */
export const KubefirstUsageOut = z.strictObject({
  clusterName: z.string(),
  clusterID: z.string().describe("Kubefirst's own cluster_id."),
  clusterType: z.string().nullable(),
  isActive: z.boolean().describe('Whether the cluster exists and its billing is not stopped.'),
  domainName: z.string().nullable(),
  environment: z.string().nullable().describe('The label `environment` of the cluster.'),
  createdAt: InstantOut,
  deletedAt: InstantOut.nullable(),
  hours: z.string().describe('Billed hours in the period, 6 decimal places, half to even.'),
  total: z.string().nullable().describe('hours times the price per hour, 2 places, half to even.'),
});

const TelemetryOut = z.strictObject({
  writeKeyRequired: z.boolean(),
  events: z
    .record(z.string(), z.int().nonnegative())
    .describe(
      'Number of events since the process started, by outcome: recorded, duplicate, rejected, heartbeat, unregistered, ignored.',
    ),
});

const RecordsOut = z.strictObject({
  name: z.string().describe('Name of the place of the records, as configured.'),
  state: z.enum(['starting', 'following', 'unreadable']),
  since: InstantOut,
  why: z.string().optional(),
  clusters: z.int().nonnegative().describe('Number of clusters that the records list.'),
  unusable: z
    .array(z.strictObject({ name: z.string(), field: z.string() }))
    .readonly()
    .describe('Records that cannot be used, and the field at fault.'),
  missing: z
    .array(z.string())
    .readonly()
    .describe('Billed clusters whose record is gone without a deletion.'),
});

/** The state of both ways in which Kubefirst reports clusters: telemetry and records. */
export const KubefirstStatusOut = z.strictObject({
  telemetry: TelemetryOut,
  records: z.array(RecordsOut).describe('State of the records of each management cluster that is followed.'),
  lastSeen: z
    .array(z.strictObject({ clusterId: z.string(), at: InstantOut }))
    .describe('Last heartbeat of each cluster since the process started, by cluster.'),
  ...Next,
});
