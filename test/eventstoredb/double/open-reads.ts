import { callFailure } from './call-failures.ts';
import type { ReadFailure } from './faults.ts';
import type { ReadCall } from './send.ts';

/** The reads in progress, and what tests do to them. Subscriptions are not among them. */
export class OpenReads {
  readonly #open = new Set<ReadCall>();

  add(call: ReadCall): void {
    this.#open.add(call);
    for (const event of ['cancelled', 'close', 'finish']) call.on(event, () => this.#open.delete(call));
  }

  failAll(failure: ReadFailure): void {
    for (const call of [...this.#open]) call.emit('error', callFailure(failure, ''));
  }
}
