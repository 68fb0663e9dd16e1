import { appendEach } from '../../src/eventstore/append-each.ts';
import type { EventStore, NewEvent, ReadOptions } from '../../src/eventstore/event-store.ts';
import { retryUntil } from '../../src/ledger/append-with-retry.ts';
import { collect } from './store-events.ts';

const PATIENCE_MS = 240_000;

const patiently = <T>(attempt: () => Promise<T>) => retryUntil(attempt, performance.now() + PATIENCE_MS);

/** A store on a server that may be restarted while the suite runs: what is unavailable is tried again, as its users do. */
export function patientStore(store: EventStore): EventStore {
  const patient: EventStore = {
    isSoleWriter: store.isSoleWriter,
    loss: store.loss,
    append: (stream: string, events: readonly NewEvent[], expected) =>
      patiently(() => store.append(stream, events, expected)),
    appendAll: (appends) => appendEach(patient, appends),
    async *readStream(stream: string, options?: ReadOptions) {
      yield* await patiently(() => collect(store.readStream(stream, options)));
    },
    async *readAll(after: number) {
      yield* await patiently(() => collect(store.readAll(after)));
    },
    follow: (after, signal) => store.follow(after, signal),
    head: () => patiently(() => store.head()),
    keepLast: (stream, count) => patiently(() => store.keepLast(stream, count)),
    stateStreams: () => patiently(() => store.stateStreams()),
    signed: (position) => store.signed(position),
    health: () => store.health(),
    close: () => store.close(),
  };
  return patient;
}
