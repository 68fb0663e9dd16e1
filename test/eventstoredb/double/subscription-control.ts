import type { status } from '@grpc/grpc-js';
import { RpcError } from './rpc-errors.ts';
import type { ReadCall } from './send.ts';

/** How a test ends all open subscriptions: as if all were well, or with a status. */
export type SubscriptionEnd = 'as if complete' | { readonly code: status; readonly details: string };

/** The subscriptions that are open, and what tests do to them. */
export class SubscriptionControl {
  readonly #open = new Set<ReadCall>();
  readonly #silent = new WeakSet<ReadCall>();
  #silencesNewOnes = false;
  /** Where each subscription so far began. */
  readonly starts: (bigint | 'end')[] = [];
  /** Number of stored events that subscriptions have looked at while they caught up, those that a filter held back included. */
  considered = 0;

  /** How many subscriptions are open. */
  get count(): number {
    return this.#open.size;
  }

  add(call: ReadCall, start: bigint | 'end'): void {
    this.#open.add(call);
    this.starts.push(start);
    if (this.#silencesNewOnes) this.#silent.add(call);
    call.on('cancelled', () => this.#open.delete(call));
    call.on('close', () => this.#open.delete(call));
    call.on('finish', () => this.#open.delete(call));
  }

  isSilent(call: ReadCall): boolean {
    return this.#silent.has(call);
  }

  silenceAll(newOnesToo: boolean): void {
    this.#silencesNewOnes = newOnesToo;
    for (const call of this.#open) this.#silent.add(call);
  }

  /** New subscriptions are served; what was silenced stays so. */
  letSpeak(): void {
    this.#silencesNewOnes = false;
  }

  endAll(how: SubscriptionEnd): void {
    for (const call of [...this.#open]) {
      if (how === 'as if complete') call.end();
      else call.emit('error', new RpcError(how.code, how.details));
    }
  }
}
