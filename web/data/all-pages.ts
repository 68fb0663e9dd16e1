import { type Query, request } from './request.ts';

interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** Reads every page of a list that is known to be short, such as webhooks. */
export async function allPages<T>(path: string, query: Query, signal?: AbortSignal): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<T> = await request(path, {
      query: { ...query, limit: 1_000, cursor },
      ...(signal !== undefined && { signal }),
    });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return items;
}
