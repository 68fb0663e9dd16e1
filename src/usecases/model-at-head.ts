import type { EventStore } from '../eventstore/event-store.ts';
import { NotCaughtUp } from '../ledger/ledger-errors.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { Projections } from '../projections/projections.ts';

/** How long a job waits until the answers hold all that the log holds. */
const CATCH_UP_MS = 5_000;

/** The model once it holds everything that is in the log now. @throws NotCaughtUp, StoreUnavailable */
export async function modelAtHead(store: EventStore, projections: Projections): Promise<LedgerModel> {
  const head = await store.head();
  if (!(await projections.waitForPosition(head, CATCH_UP_MS)))
    throw new NotCaughtUp(`the answers are at position ${projections.model.position} of ${head}`);
  return projections.model;
}
