import type { EventStore } from '../eventstore/event-store.ts';
import type { Position } from '../util/log-numbers.ts';
import type { LedgerModel } from './model/ledger-model.ts';

/**
 * Applies the events of a log that a model does not have yet, up to a position. Yields the position of the model after each batch.
 * @throws StoreUnavailable, StoreFailed
 */
export async function* replayLog(
  store: EventStore,
  model: LedgerModel,
  upTo: Position,
): AsyncGenerator<Position, void> {
  if (model.position >= upTo) return;
  for await (const events of store.readAll(model.position)) {
    for (const event of events) {
      if (event.position > upTo) return;
      model.apply(event);
    }
    yield model.position;
  }
}
