import { z } from 'zod';
import { ALERT_KINDS, SEVERITIES, type Severity } from '../../domain/alert.ts';
import { ALERT_RAISED, ALERT_RESOLVED, ALERT_UPDATED } from '../../domain/stream-table.ts';

/** An alert as others are told of it. */
export const Notice = z.object({
  alertId: z.string(),
  kind: z.enum(ALERT_KINDS),
  severity: z.enum(SEVERITIES),
  subject: z.string(),
  clusterId: z.string().optional(),
  accountId: z.string().optional(),
  /** When the alert was raised, RFC 3339. */
  raisedAt: z.string(),
  resolvedAt: z.string().optional(),
  happened: z.string(),
  bill: z.string(),
  next: z.string(),
});
export type Notice = z.output<typeof Notice>;

export const NOTICE_TYPES: readonly string[] = [ALERT_RAISED, ALERT_UPDATED, ALERT_RESOLVED];

/** Returns whether a severity is at least another. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(least);
}
