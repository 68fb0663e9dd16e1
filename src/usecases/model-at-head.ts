import type { EventStore } from '../eventstore/event-store.ts';
import { NotCaughtUp } from '../ledger/ledger-errors.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { Projections } from '../projections/projections.ts';

/** Maximum time to wait until the model has read the whole log. */
const CATCH_UP_MS = 5_000;

/** Returns the model after it has read everything that is in the log now. @throws NotCaughtUp, StoreUnavailable */
export async function modelAtHead(store: EventStore, projections: Projections): Promise<LedgerModel> {
  const head = await store.head();
  if (!(await projections.waitForPosition(head, CATCH_UP_MS)))
    throw new NotCaughtUp(`the projections are at position ${projections.model.position} of ${head}`);
  return projections.model;
}
