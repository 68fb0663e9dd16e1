import { z } from 'zod';
import type { Client } from '../client/client.ts';
import { pagesOf } from '../client/pagination.ts';
import type { Column } from '../terminal/table.ts';

/** An alert, as far as it is shown. */
export const Alert = z.looseObject({
  id: z.string(),
  kind: z.string(),
  severity: z.string(),
  state: z.string(),
  subject: z.string(),
  clusterId: z.string().optional(),
  raisedAt: z.string(),
  resolvedAt: z.string().optional(),
  acknowledged: z.object({ at: z.string(), by: z.string(), note: z.string().optional() }).optional(),
  happened: z.string(),
  bill: z.string(),
  next: z.string(),
});
export type Alert = z.output<typeof Alert>;

export const ALERT_COLUMNS: readonly Column<Alert>[] = [
  { title: 'SEVERITY', cell: ({ severity }) => severity },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'RAISED AT', cell: ({ raisedAt }) => raisedAt },
  { title: 'ID', cell: ({ id }) => id },
  { title: 'WHAT HAPPENED', cell: ({ happened }) => happened },
];

/** Alerts that are not resolved, page by page: open ones first. @throws CliError as `ask` does */
export async function* unresolvedAlerts(
  client: Client,
  query: Readonly<Record<string, string>> = {},
): AsyncGenerator<Alert[]> {
  for (const state of ['open', 'acknowledged'])
    yield* pagesOf(client, { path: '/v1/alerts', query: { ...query, state } }, Alert);
}
