import { randomUUID } from 'node:crypto';
import type { EventStore } from '../eventstore/event-store.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';

const STREAM = '~ledger';
const CREATED = 'LedgerCreated';

/**
 * Returns the id of the ledger in a store. The first process creates it; it is the same for all replicas and starts.
 * @throws StoreUnavailable
 */
export async function ledgerId(
  store: Pick<EventStore, 'append' | 'readStream'>,
  now: () => number,
): Promise<string> {
  for (;;) {
    for await (const { data } of store.readStream(STREAM, { limit: 1 })) {
      const { ledgerId } = data;
      return String(ledgerId);
    }
    const id = randomUUID();
    const event = { id, type: CREATED, data: { ledgerId: id }, metadata: {}, recordedAt: now() };
    try {
      await store.append(STREAM, [event], 'absent');
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
    }
  }
}
