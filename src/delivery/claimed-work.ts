import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
import type { Logger } from '../util/logger.ts';
import { messageOf } from '../util/message-of.ts';
import { type Claim, RENEW_MS } from './claim.ts';
import type { LogTail } from './log-tail.ts';

const CATCH_UP_CHECK_MS = 100;

export interface ClaimedWorkOptions {
  readonly name: string;
  /** Absent if no other process can do the work. */
  readonly claim?: Claim | undefined;
  readonly tail: LogTail;
  /** Called before the claim is taken. @returns whether there is work at all. */
  readonly isNeeded: () => Promise<boolean>;
  /** How often `work` is called, in milliseconds; at most every `RENEW_MS / 2`, which is the default. */
  readonly everyMs?: number;
  /** Called while this process holds the claim, and after each `wake`. */
  readonly work: () => Promise<void> | void;
  /** Called instead while another process holds it. */
  readonly watch?: () => Promise<void>;
  /** Called when this process must end the work: the claim is lost, or nothing is needed, or the ledger stops. */
  readonly end: () => Promise<void>;
  readonly log: Logger;
}

/** Standing work that one process does at a time: the one that holds a claim. Errors are logged, and the work is tried again. */
export class ClaimedWork {
  readonly #options: ClaimedWorkOptions;
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #wake = new AbortController();

  constructor(options: ClaimedWorkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Does the next step now. */
  wake(): void {
    this.#wake.abort();
  }

  /** Ends the work and gives up the claim. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { claim, tail, end, everyMs = RENEW_MS / 2 } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      if (tail.isCaughtUp) await this.#step();
      if (signal.aborted) break;
      const woken = AbortSignal.any([this.#wake.signal, signal]);
      const pause = tail.isCaughtUp ? everyMs : CATCH_UP_CHECK_MS;
      await wait(pause, undefined, { signal: woken }).catch(() => undefined);
    }
    await end();
    // If the store cannot be reached, others wait until the claim runs out.
    await claim?.release().catch(() => undefined);
  }

  async #step(): Promise<void> {
    const { name, claim, isNeeded, work, watch, end, log } = this.#options;
    try {
      if (!(await isNeeded())) {
        await end();
        await claim?.release();
      } else if (claim === undefined || (await claim.acquire())) await work();
      else await watch?.();
    } catch (error) {
      if (error instanceof StoreUnavailable)
        log.info({ why: messageOf(error) }, `${name} wait for the store`);
      else log.error({ err: error }, `${name} cannot continue; trying again`);
    }
    if (claim?.isHeld === false) await end();
  }
}
