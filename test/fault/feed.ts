import type { LedgerProcess } from '../support/ledger-process.ts';

interface FeedEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly ledgereventid: string;
  readonly ledgerposition: string;
}

/** Everything that the feed has, page by page. */
export async function readFeed(ledger: LedgerProcess): Promise<FeedEvent[]> {
  const all: FeedEvent[] = [];
  for (let after = '0'; ; ) {
    const page = (await ledger.getJson(`/v1/feed?limit=1000&after=${after}`)) as {
      events: FeedEvent[];
      next: string;
    };
    if (page.events.length === 0) return all;
    all.push(...page.events);
    after = page.next;
  }
}
