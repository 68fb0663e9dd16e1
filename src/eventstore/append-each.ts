import type { Revision } from '../util/log-numbers.ts';
import type { Append, EventStore } from './event-store.ts';

/** Makes the appends of `EventStore.appendAll` one by one, without waiting in between. */
export function appendEach(
  store: Pick<EventStore, 'append'>,
  appends: readonly Append[],
): Promise<PromiseSettledResult<Revision>[]> {
  return Promise.allSettled(
    appends.map(({ stream, events, expected }) => store.append(stream, events, expected)),
  );
}
