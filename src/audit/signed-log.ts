import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore } from '../eventstore/event-store.ts';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
import { CheckpointSigner, shorter } from './checkpoint-signer.ts';
import type { SignedCheckpoint } from './checkpoint-store.ts';
import { LeafError } from './leaf.ts';
import { hashesInThread } from './leaf-hash-worker-client.ts';
import { LogTree } from './log-tree.ts';
import type { NoteVerifier } from './note-key.ts';
import type { SignedLogOptions } from './signed-log-options.ts';
import { LeavesChanged } from './tree.ts';

export type { SignedCheckpoint } from './checkpoint-store.ts';

/** The log is not what was signed, so that nothing more is signed. */
export class LogTampered extends Error {
  override readonly name = 'LogTampered';
}

const RETRY_MS = 500;
/** Events from which on a thread is started to hash them. */
const WORTH_A_THREAD = 20_000;
const HEAD_START_MS = 250;
/** How long a last checkpoint may take while the ledger closes. */
const LAST_SIGNATURE_MS = 2_000;

/**
 * The log, its Merkle tree, and what is signed of it. Nothing is signed before the tree, made anew from the store at each
 * start, was found to continue the newest checkpoint ever kept; where it does not, nothing is signed any more.
 */
export class SignedLog {
  readonly tree: LogTree;
  readonly #store: EventStore;
  readonly #options: SignedLogOptions;
  readonly #checkpoints: CheckpointSigner;
  readonly #stop = new AbortController();
  readonly #checked = Promise.withResolvers<void>();
  #isReady = false;
  #running: Promise<void> = Promise.resolve();
  #tampered: { readonly why: string; readonly at: number } | undefined;

  constructor(store: EventStore, options: SignedLogOptions) {
    this.#store = store;
    this.#options = options;
    this.tree = new LogTree(store, {
      ...(options.treeMinHeightInMemory !== undefined && { floor: options.treeMinHeightInMemory }),
      beginning: (signal) => this.#beginning(signal),
      onSlow: (error) =>
        options.log.warn({ err: error }, 'the log is hashed in the main thread: the other one has failed'),
      onFailed: (error) => this.#treeFailed(error),
      onChanged: ({ message }) => this.#found(message),
    });
    this.#checkpoints = new CheckpointSigner(store, this.tree, options, {
      found: (why) => this.#found(why),
      requireSound: () => this.#requireSound(),
    });
    this.#checked.promise.catch(() => undefined);
  }

  /** Which log it is: the first line of its checkpoints. @throws Error before the start has come so far */
  get origin(): string {
    return this.#checkpoints.known.origin;
  }

  /** Whether the origin and the keys are known: not while the store was never reached. */
  get isIdentified(): boolean {
    return this.#checkpoints.identity !== undefined;
  }

  /** What signatures of this log are accepted of: the current key first, then the former ones. */
  verifiers(): readonly NoteVerifier[] {
    return this.#checkpoints.known.keys.verifiers;
  }

  /** A text as a note that all keys which sign now have signed. @throws MalformedNote where it can be that of no note */
  sign(text: string): string {
    return this.#checkpoints.sign(text);
  }

  /** The newest checkpoint as far as is known here; another replica may have signed one since. */
  newest(): SignedCheckpoint | undefined {
    return this.#checkpoints.newest?.kept;
  }

  /** All checkpoints ever signed, oldest first. @throws StoreUnavailable */
  kept(): AsyncIterable<SignedCheckpoint> {
    return this.#checkpoints.all();
  }

  /** That the log is not what was signed, and in what. */
  get tampered(): { readonly why: string; readonly at: number } | undefined {
    return this.#tampered;
  }

  /** Whether the whole log is in the tree and continues what was signed of it. */
  get isReady(): boolean {
    return this.#isReady && this.#tampered === undefined;
  }

  /**
   * Waits for what `isReady` says, and for the tree to have `size` events; `false` where that took longer than `timeoutMs`,
   * or will never be so.
   */
  async ready(timeoutMs: number, size = 0): Promise<boolean> {
    const isSo = () => this.isReady && this.tree.size >= size;
    if (isSo()) return true;
    const timer = new AbortController();
    const late = wait(timeoutMs, undefined, { signal: timer.signal });
    const reached = this.#checked.promise.then(() => this.tree.reached(size));
    await Promise.race([reached, late]).catch(() => undefined);
    reached.catch(() => undefined);
    late.catch(() => undefined);
    timer.abort();
    return isSo();
  }

  /**
   * Learns which log this is and its keys, then reads the log beside all else and checks it. Returns early where the store
   * cannot be reached, and goes on by itself.
   * @param first what goes before reading the log.
   * @throws LogKeyError where the keys are not those of this log.
   */
  async start(first: Promise<unknown> = Promise.resolve()): Promise<void> {
    const isKnown = await this.#checkpoints.identify().then(
      () => true,
      (error: unknown) => {
        if (error instanceof StoreUnavailable) return false;
        throw error;
      },
    );
    this.#running = this.#run(isKnown, first).catch((error: unknown) => {
      if (this.#tampered !== undefined) this.#checked.resolve();
      else this.#checked.reject(error);
      const isTold = this.#stop.signal.aborted || error === this.tree.failure;
      if (this.#tampered === undefined && !isTold) this.#options.onFailed?.(error);
    });
  }

  /** Signs what was not signed yet, if that is quickly done, and ends. */
  async stop(): Promise<void> {
    if (this.isReady && this.#store.health().reachable) {
      const timer = new AbortController();
      const late = wait(LAST_SIGNATURE_MS, undefined, { signal: timer.signal }).catch(() => undefined);
      const warn = (error: unknown) =>
        this.#options.log.warn({ err: error }, 'the end of the log was not signed');
      await Promise.race([this.checkpoint().catch(warn), late]);
      timer.abort();
    }
    this.#stop.abort();
    await this.tree.stop();
    await this.#running;
  }

  /**
   * A kept checkpoint of all events up to position `atLeast`; signs one of the whole tree where the newest is not enough.
   * Waits for the tree to have come so far.
   * @param atLeast by default the size of the tree.
   * @throws LogTampered, StoreUnavailable, StoreFull, StoreFailed, LogKeyError
   */
  async checkpoint(atLeast?: number): Promise<SignedCheckpoint> {
    await this.#checked.promise;
    const wanted = atLeast ?? this.tree.size;
    await this.tree.reached(wanted);
    this.#requireSound();
    return this.#checkpoints.covering(wanted);
  }

  /** Looks for a checkpoint that another replica has signed. @throws as `checkpoint` does */
  async refresh(): Promise<SignedCheckpoint | undefined> {
    await this.#checked.promise;
    this.#requireSound();
    return this.#checkpoints.refresh();
  }

  async #run(isKnown: boolean, first: Promise<unknown>): Promise<void> {
    const options = this.#options;
    if (!isKnown) await this.#patiently(() => this.#checkpoints.identify());
    const stopped = new Promise((resolve) => this.#stop.signal.addEventListener('abort', resolve));
    // Another thread takes little from this one: only as much as a start from a snapshot needs goes before it.
    const soon = options.reader === undefined ? [] : [wait(HEAD_START_MS, undefined, { ref: false })];
    await Promise.race([first, stopped, ...soon]);
    this.#stop.signal.throwIfAborted();
    this.tree.start();
    await this.tree.caughtUp();
    const newest = this.#checkpoints.newest?.kept;
    if (newest !== undefined && !(await this.#patiently(() => this.tree.agreesWith(newest))))
      this.#found(
        newest.size > this.tree.size
          ? shorter(this.tree.size, newest.size)
          : `the first ${newest.size} events are not those of the newest checkpoint`,
      );
    this.#isReady = this.#tampered === undefined;
    this.#checked.resolve();
    // The new one of two keys, or the one that was accepted, signs as soon as it may.
    if (this.isReady && this.#checkpoints.newest?.isOurs === false)
      await this.#patiently(() => this.checkpoint()).catch((error: unknown) =>
        options.log.warn({ err: error }, 'the current key has not signed yet'),
      );
  }

  async *#beginning(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { reader } = this.#options;
    if (reader !== undefined && (await this.#store.head()) >= WORTH_A_THREAD)
      yield* hashesInThread(reader, signal);
  }

  async #patiently<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        await wait(RETRY_MS, undefined, { signal: this.#stop.signal });
      }
    }
  }

  #treeFailed(error: unknown): void {
    if (error instanceof LeavesChanged || error instanceof LeafError) this.#found(error.message);
    else this.#options.onFailed?.(error);
  }

  #found(why: string): void {
    if (this.#tampered !== undefined) return;
    this.#tampered = { why, at: this.#options.now() };
    this.#options.log.error({ alert: 'log-tampered', why }, 'the log is not what was signed');
    this.#options.onTampered?.(why);
  }

  #requireSound(): void {
    if (this.#tampered !== undefined) throw new LogTampered(this.#tampered.why);
  }
}
