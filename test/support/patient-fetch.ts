import { setTimeout as wait } from 'node:timers/promises';

/** Details of answers of a ledger that has too much to do, as on a slow machine. Nothing was done. */
export const BUSY = /^(the ledger is busy|\d+ posts are being recorded); nothing/;

/** Sends a request, again for as long as the ledger is busy because the machine gives its process no time. */
export async function fetchPatiently(url: string, request: RequestInit = {}): Promise<Response> {
  for (;;) {
    const answer = await fetch(url, request);
    if (answer.status !== 503 || answer.headers.get('content-type')?.includes('json') !== true) return answer;
    const { detail } = (await answer.clone().json()) as { readonly detail: string };
    if (!BUSY.test(detail)) return answer;
    await answer.arrayBuffer();
    await wait(Number(answer.headers.get('retry-after')) * 1_000);
  }
}
