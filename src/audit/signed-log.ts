import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore, StoreLoss } from '../eventstore/event-store.ts';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
import { withDeadline } from '../util/with-deadline.ts';
import { CheckpointSigner, shortenedLog } from './checkpoint-signer.ts';
import type { SignedCheckpoint } from './checkpoint-store.ts';
import { LeafError } from './leaf.ts';
import { hashesInThread } from './leaf-hash-worker-client.ts';
import { LogTree } from './log-tree.ts';
import type { NoteVerifier } from './note-key.ts';
import type { SignedLogOptions } from './signed-log-options.ts';
import { LeavesChanged } from './tree.ts';

export type { SignedCheckpoint } from './checkpoint-store.ts';

/** The log does not match its signed checkpoints, so it signs no more. */
export class LogTampered extends Error {
  override readonly name = 'LogTampered';
}

/** Why the log is not what was signed. */
interface Mismatch {
  readonly why: string;
  readonly at: number;
}

const RETRY_MS = 500;
/** Number of events above which a worker thread hashes the log at start. */
const WORKER_THREAD_MIN_EVENTS = 20_000;
/** Delay of the tree at start if a worker thread hashes the log: enough time to read a snapshot. */
const HEAD_START_MS = 250;
/** Maximum duration of the last checkpoint when the ledger closes. */
const LAST_SIGNATURE_MS = 4_000;

/**
 * Signs checkpoints of the log. At each start it computes the Merkle tree of the whole log from the store and compares it with
 * the newest stored checkpoint. It signs only if they match. If they do not, the log was tampered with, and it never signs again.
 */
export class SignedLog {
  readonly tree: LogTree;
  readonly #store: EventStore;
  readonly #options: SignedLogOptions;
  readonly #checkpoints: CheckpointSigner;
  readonly #stop = new AbortController();
  readonly #checked = Promise.withResolvers<void>();
  #isChecked = false;
  #running: Promise<void> = Promise.resolve();
  #tampered: Mismatch | undefined;

  constructor(store: EventStore, options: SignedLogOptions) {
    this.#store = store;
    this.#options = options;
    this.tree = new LogTree(store, {
      ...(options.treeMinHeightInMemory !== undefined && { floor: options.treeMinHeightInMemory }),
      beginning: (signal) => this.#beginning(signal),
      onSlow: (error) =>
        options.log.warn({ err: error }, 'the worker thread failed; hashing the log in the main thread'),
      onFailed: (error) => this.#treeFailed(error),
      onChanged: ({ message }) => this.#reportTampering(message),
    });
    this.#checkpoints = new CheckpointSigner(store, this.tree, options, {
      reportTampering: (why) => this.#reportTampering(why),
      reportLoss: (why, intactThrough) => this.#reportLoss({ why, intactThrough }),
      requireIntact: () => this.#requireIntact(),
    });
    this.#checked.promise.catch(() => undefined);
  }

  /** Name of the log: the first line of its checkpoints. @throws Error before `isIdentified` */
  get origin(): string {
    return this.#checkpoints.requiredIdentity.origin;
  }

  /** Whether the origin and the keys are known. They are unknown until the store was reached once. */
  get isIdentified(): boolean {
    return this.#checkpoints.identity !== undefined;
  }

  /** Returns the keys whose signatures are valid: the current key first, then the former ones. */
  verifiers(): readonly NoteVerifier[] {
    return this.#checkpoints.requiredIdentity.keys.verifiers;
  }

  /** Signs a text with all keys that sign now. @throws MalformedNote if the text cannot be that of a note. */
  sign(text: string): string {
    return this.#checkpoints.sign(text);
  }

  /** Reports an event that is not what was signed. Nothing is signed or written from then on. */
  reportChange({ message }: LeavesChanged): void {
    this.#reportTampering(message);
  }

  /** Returns the newest checkpoint known to this process. Another replica may have signed a newer one. */
  newest(): SignedCheckpoint | undefined {
    return this.#checkpoints.newest?.checkpoint;
  }

  /** Yields all checkpoints ever signed, oldest first. @throws StoreUnavailable */
  kept(): AsyncIterable<SignedCheckpoint> {
    return this.#checkpoints.all();
  }

  /** Reason and time of detected tampering; `undefined` if there is none. */
  get tampered(): Mismatch | undefined {
    return this.#tampered;
  }

  /** Whether the tree has the whole log and matches the newest checkpoint. */
  get isReady(): boolean {
    return this.#isChecked && this.#tampered === undefined;
  }

  /**
   * Waits until `isReady` holds and the tree has `size` events. Returns `false` after `timeoutMs`, or if that can never happen.
   */
  async waitUntilReady(timeoutMs: number, size = 0): Promise<boolean> {
    const holds = () => this.isReady && this.tree.size >= size;
    if (holds()) return true;
    const timer = new AbortController();
    const late = wait(timeoutMs, undefined, { signal: timer.signal });
    const reached = this.#checked.promise.then(() => this.tree.waitForSize(size));
    await Promise.race([reached, late]).catch(() => undefined);
    timer.abort();
    return holds();
  }

  /**
   * Reads the origin and the keys of the log, then reads and checks the log in the background. If the store is unreachable, it
   * resolves and continues in the background.
   * @param first the log is read after this promise settles, since it gets the resources first.
   * @throws LogKeyError if the keys are not the keys of this log.
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
      const isReported = this.#stop.signal.aborted || error === this.tree.failure;
      if (this.#tampered === undefined && !isReported) this.#options.onFailed?.(error);
    });
  }

  /** Signs a last checkpoint if it does not take long, then stops. */
  async stop(): Promise<void> {
    if (this.isReady) await this.#signLast();
    this.#stop.abort();
    await this.tree.stop();
    await this.#running;
  }

  /** Signs all events that the log has now. If that fails or takes long, says how many events stay unsigned until the next start. */
  async #signLast(): Promise<void> {
    const late = () => new StoreUnavailable(`the store did not answer within ${LAST_SIGNATURE_MS} ms`);
    const sign = async () => this.checkpoint(await this.#store.head());
    try {
      await withDeadline(sign(), LAST_SIGNATURE_MS, late);
    } catch (error) {
      const signed = this.newest()?.size ?? 0;
      const unsigned = this.tree.size - signed;
      if (unsigned <= 0) return;
      this.#options.log.warn(
        { err: error, signed, unsigned },
        'the last checkpoint was not signed; the newest events are signed after the next start',
      );
    }
  }

  /**
   * Returns a stored checkpoint of at least the events up to position `atLeast`. If there is none, signs one of the whole tree.
   * Waits until the tree has these events.
   * @param atLeast default: the size of the tree.
   * @throws LogTampered, StoreUnavailable, StoreFull, StoreFailed, LogKeyError
   */
  async checkpoint(atLeast?: number): Promise<SignedCheckpoint> {
    await this.#checked.promise;
    const size = atLeast ?? this.tree.size;
    await this.tree.waitForSize(size);
    this.#requireIntact();
    return this.#checkpoints.covering(size);
  }

  /** Number of events that the checkpoint in the file outside of the store covers; `undefined` if there is no such file. */
  get filedSize(): number | undefined {
    return this.#options.file?.size;
  }

  /** Signs all events that the tree has now into the file outside of the store. @throws LogTampered, StoreUnavailable */
  async fileCheckpoint(): Promise<void> {
    await this.#checked.promise;
    await this.#checkpoints.file();
  }

  /** Reads the newest checkpoint, which another replica may have signed. @throws as `checkpoint` does */
  async refresh(): Promise<SignedCheckpoint | undefined> {
    await this.#checked.promise;
    this.#requireIntact();
    return this.#checkpoints.refresh();
  }

  async #run(isKnown: boolean, first: Promise<unknown>): Promise<void> {
    const options = this.#options;
    if (!isKnown) await this.#retrying(() => this.#checkpoints.identify());
    const stopped = new Promise((resolve) => this.#stop.signal.addEventListener('abort', resolve));
    // A worker thread does not slow down the main thread, so it waits only for as long as reading a snapshot takes.
    const soon = options.reader === undefined ? [] : [wait(HEAD_START_MS, undefined, { ref: false })];
    await Promise.race([first, stopped, ...soon]);
    this.#stop.signal.throwIfAborted();
    this.tree.start();
    await this.tree.waitUntilCaughtUp();
    const newest = this.#checkpoints.newest?.checkpoint;
    if (newest !== undefined && !(await this.#retrying(() => this.tree.agreesWith(newest))))
      this.#reportTampering(
        newest.size > this.tree.size
          ? shortenedLog(this.tree.size, newest.size)
          : `the first ${newest.size} events do not match the newest checkpoint`,
      );
    await this.#retrying(() => this.#checkpoints.compareWithFile());
    this.#isChecked = true;
    this.#checked.resolve();
    // After a rotation, or if the operator accepted the key, the current key signs at once.
    if (this.isReady && this.#checkpoints.newest?.isOwn === false)
      await this.#retrying(() => this.checkpoint()).catch((error: unknown) =>
        options.log.warn({ err: error }, 'the current key has not signed yet'),
      );
  }

  async *#beginning(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { reader } = this.#options;
    if (reader !== undefined && (await this.#store.head()) >= WORKER_THREAD_MIN_EVENTS)
      yield* hashesInThread(reader, signal);
  }

  async #retrying<T>(attempt: () => Promise<T>): Promise<T> {
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
    if (error instanceof LeavesChanged || error instanceof LeafError) this.#reportTampering(error.message);
    else this.#options.onFailed?.(error);
  }

  #reportLoss(loss: StoreLoss): void {
    if (this.#tampered !== undefined) return;
    this.#tampered = { why: loss.why, at: this.#options.now() };
    this.#options.onBehind?.(loss);
  }

  #reportTampering(why: string): void {
    if (this.#tampered !== undefined) return;
    this.#tampered = { why, at: this.#options.now() };
    this.#options.log.error({ alert: 'log-tampered', why }, 'the log does not match its signed checkpoints');
    this.#options.onTampered?.(why);
  }

  #requireIntact(): void {
    if (this.#tampered !== undefined) throw new LogTampered(this.#tampered.why);
  }
}
