import { AlertOut } from '../../api/alerts.ts';
import type { Client } from '../client/client.ts';
import { pagesOf } from '../client/pagination.ts';
import type { Column } from '../terminal/table.ts';

export const ALERT_COLUMNS: readonly Column<AlertOut>[] = [
  { title: 'SEVERITY', cell: ({ severity }) => severity },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'RAISED AT', isWide: true, cell: ({ raisedAt }) => raisedAt },
  { title: 'ID', isName: true, cell: ({ id }) => id },
  { title: 'WHAT HAPPENED', isWide: true, cell: ({ happened }) => happened },
];

/** Yields unresolved alerts page by page, open alerts first. @throws CliError as `fetchJson` does. */
export async function* unresolvedAlerts(
  client: Client,
  query: Readonly<Record<string, string>> = {},
): AsyncGenerator<AlertOut[]> {
  for (const state of ['open', 'acknowledged'])
    yield* pagesOf(client, { path: '/v1/alerts', query: { ...query, state } }, AlertOut);
}
