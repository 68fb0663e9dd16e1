import { AlertNotice } from '../../api/feed.ts';
import { SEVERITIES, type Severity } from '../../domain/alert.ts';
import { ALERT_RAISED, ALERT_RESOLVED, ALERT_UPDATED } from '../../domain/stream-table.ts';

/** An alert as others get it. */
export type Notice = AlertNotice;
export const Notice = AlertNotice;

export const NOTICE_TYPES: readonly string[] = [ALERT_RAISED, ALERT_UPDATED, ALERT_RESOLVED];

/** Returns whether a severity is at least another. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(least);
}
