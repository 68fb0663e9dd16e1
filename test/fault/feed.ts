import { setTimeout as wait } from 'node:timers/promises';
import type { LedgerProcess } from '../support/ledger-process.ts';

interface FeedEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly ledgereventid: string;
  readonly ledgerposition: string;
}

const PATIENCE_MS = 120_000;
const PAUSE_MS = 50;

/**
 * Everything that the feed has once it has some events, or after two minutes: a replica may lag behind the one that has acknowledged
 * them.
 */
export async function readFeedWith(
  ledger: LedgerProcess,
  eventIds: ReadonlySet<string>,
): Promise<FeedEvent[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const feed = await readFeed(ledger);
    const found = new Set(feed.map(({ ledgereventid }) => ledgereventid));
    if (eventIds.isSubsetOf(found) || performance.now() > deadline) return feed;
    await wait(PAUSE_MS);
  }
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
