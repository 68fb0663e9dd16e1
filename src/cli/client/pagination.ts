import { z } from 'zod';
import type { Output } from '../terminal/output.ts';
import type { Column } from '../terminal/table.ts';
import type { Client, Request } from './client.ts';
import { fetchJson } from './requests.ts';

/** Number of items per request: the maximum that the ledger allows. */
const PAGE_SIZE = '1000';

/** Yields the items of a list, page by page. @throws CliError as `fetchJson` does. */
export async function* pagesOf<T extends z.ZodType>(
  client: Client,
  { query, ...request }: Request,
  item: T,
): AsyncGenerator<z.output<T>[]> {
  const Page = z.object({ items: z.array(item), next: z.string().optional() });
  let cursor: string | undefined;
  do {
    const page = await fetchJson(client, { ...request, query: { ...query, limit: PAGE_SIZE, cursor } }, Page);
    yield page.items as z.output<T>[];
    cursor = page.next;
  } while (cursor !== undefined);
}

/**
 * Prints all items of a list as they arrive: a table, or one JSON document per line.
 * @returns the number of items.
 */
export async function printList<T extends z.ZodType>(
  client: Client,
  out: Output,
  { json = false }: { readonly json?: boolean },
  request: Request,
  item: T,
  columns: readonly Column<z.output<T>>[],
): Promise<number> {
  const table = out.tables(columns);
  let count = 0;
  for await (const items of pagesOf(client, request, item)) {
    if (items.length === 0) continue;
    count += items.length;
    if (json) await out.documents(items);
    else await table(items);
  }
  return count;
}
