import { LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import { CLOCK_DOUBTED, CLOCK_STREAM, CLOCK_TRUSTED } from '../domain/stream-table.ts';
import { formatInstant, type Instant, readInstant, type Window } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { JsonObject } from '../eventstore/json.ts';
import { appendRecord } from './append-record.ts';

/** The last record about the clock. */
export type ClockRecord =
  /** The clock showed a time outside of the window in which the right time was. */
  | { readonly state: 'doubted'; readonly clock: Instant; readonly window: Window }
  | { readonly state: 'trusted'; readonly clock: Instant; readonly recordedAt: Instant };

/** Who trusts the clock, and why. */
export interface ClockTrust {
  readonly by: string;
  readonly reason: string;
}

/** Records when the clock is doubted and when it is trusted again, so that a restart does not forget a doubt or a decision. */
export class ClockRecords {
  readonly #store: EventStore;
  readonly #recordingTime: () => Instant;

  constructor(store: EventStore, recordingTime: () => Instant) {
    this.#store = store;
    this.#recordingTime = recordingTime;
  }

  /** Returns the last record; `undefined` if the clock was never doubted. @throws StoreUnavailable */
  async last(): Promise<ClockRecord | undefined> {
    const options = { direction: 'backwards', limit: 1 } as const;
    for await (const { type, data, recordedAt } of this.#store.readStream(CLOCK_STREAM, options)) {
      const at = (name: string) => readInstant(String(data[name]));
      if (type === CLOCK_TRUSTED) return { state: 'trusted', clock: at('clock'), recordedAt };
      return { state: 'doubted', clock: at('clock'), window: { from: at('from'), to: at('to') } };
    }
    return undefined;
  }

  /** Records a doubt. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed */
  doubted(clock: Instant, { from, to }: Window, why: string): Promise<string> {
    const window = { from: formatInstant(from), to: formatInstant(to) };
    return this.#append(CLOCK_DOUBTED, { clock: formatInstant(clock), ...window, why }, LEDGER_SOURCE);
  }

  /** Records that the clock is trusted. @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed */
  trusted(clock: Instant, { by, reason }: ClockTrust): Promise<string> {
    return this.#append(CLOCK_TRUSTED, { clock: formatInstant(clock), by, reason }, by);
  }

  #append(type: string, data: JsonObject, actor: string): Promise<string> {
    return appendRecord(this.#store, CLOCK_STREAM, { type, data, actor }, this.#recordingTime);
  }
}
