import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailable, VersionConflict } from '../eventstore/errors.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { formatCheckpoint } from './checkpoint.ts';
import { type Kept, KeptCheckpoints, type SignedCheckpoint } from './kept-checkpoints.ts';
import { LeafError } from './leaf.ts';
import { hashesInThread, type LogReader } from './leaf-thread.ts';
import { ledgerId } from './ledger-id.ts';
import type { LogKeys } from './log-keys.ts';
import { LogTree, type TreeHead } from './log-tree.ts';
import { signNote } from './note.ts';
import type { NoteVerifier } from './note-key.ts';
import { LeavesChanged } from './tree.ts';
import { type Identity, isDamage, isOurs } from './trust.ts';

export type { SignedCheckpoint } from './kept-checkpoints.ts';

export interface SignedLogOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Gives the keys of the log, whose origin it is told. */
  readonly keys: (origin: string) => Promise<LogKeys>;
  /** Which log it is, for ever; by default `cluster-ledger.local/<ledger id>`. */
  readonly origin?: string | undefined;
  /** Id of the current key, where it is to follow on keys that are lost. */
  readonly acceptKey?: string | undefined;
  /** How another thread reads the log, where it can. */
  readonly reader?: LogReader | undefined;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
    error(details: object, message: string): void;
  };
  /** Told once when the log is not what was signed. */
  readonly onTampered?: (why: string) => void;
  /** Told once when the process must stop. */
  readonly onFailed?: (error: unknown) => void;
}

/** The log is not what was signed, so that nothing more is signed. */
export class LogTampered extends Error {
  override readonly name = 'LogTampered';
}

/** Only the nodes of whole tiles stay in memory: a quarter of a byte per event, and one page of the log to read for a proof. */
const FLOOR = 8;
const RETRY_MS = 500;
/** Events from which on a thread is started to hash them. */
const WORTH_A_THREAD = 20_000;
const HEAD_START_MS = 250;
/** How long a last checkpoint may take while the ledger closes. */
const LAST_SIGNATURE_MS = 2_000;

/** The newest checkpoint, and whether it stands for us: our origin, signed by our current key. */
interface Newest {
  readonly kept: Kept;
  readonly isOurs: boolean;
}

/**
 * The log, its Merkle tree, and what is signed of it. Nothing is signed before the tree, made anew from the store at each
 * start, was found to continue the newest checkpoint ever kept; where it does not, nothing is signed any more.
 */
export class SignedLog {
  readonly tree: LogTree;
  readonly #store: EventStore;
  readonly #options: SignedLogOptions;
  readonly #kept: KeptCheckpoints;
  readonly #stop = new AbortController();
  readonly #checked = Promise.withResolvers<void>();
  #isReady = false;
  #running: Promise<void> = Promise.resolve();
  #turn: Promise<unknown> = Promise.resolve();
  #identity: Identity | undefined;
  #newest: Newest | undefined;
  #tampered: { readonly why: string } | undefined;

  constructor(store: EventStore, options: SignedLogOptions) {
    this.#store = store;
    this.#options = options;
    this.#kept = new KeptCheckpoints(store);
    this.tree = new LogTree(store, {
      floor: FLOOR,
      beginning: (signal) => this.#beginning(signal),
      onSlow: (error) =>
        options.log.warn({ err: error }, 'the log is hashed in the main thread: the other one has failed'),
      onFailed: (error) => this.#treeFailed(error),
      onChanged: ({ message }) => this.#found(message),
    });
    this.#checked.promise.catch(() => undefined);
  }

  /** Which log it is: the first line of its checkpoints. @throws Error before the start has come so far */
  get origin(): string {
    return this.#known.origin;
  }

  /** Whether the origin and the keys are known: not while the store was never reached. */
  get isIdentified(): boolean {
    return this.#identity !== undefined;
  }

  /** What signatures of this log are accepted of: the current key first, then the former ones. */
  verifiers(): readonly NoteVerifier[] {
    return this.#known.keys.verifiers;
  }

  /** A text as a note that all keys which sign now have signed. @throws MalformedNote where it can be that of no note */
  sign(text: string): string {
    return signNote(text, this.#known.keys.signers);
  }

  /** The newest checkpoint as far as is known here; another replica may have signed one since. */
  newest(): SignedCheckpoint | undefined {
    return this.#newest?.kept;
  }

  /** All checkpoints ever signed, oldest first. @throws StoreUnavailable */
  kept(): AsyncIterable<SignedCheckpoint> {
    return this.#kept.all();
  }

  /** That the log is not what was signed, and in what. */
  get tampered(): { readonly why: string } | undefined {
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
    const isKnown = await this.#identify().then(
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
    const enough = this.#enoughFor(wanted);
    if (enough !== undefined) return enough;
    const signing = this.#turn.then(() => this.#sign(wanted));
    this.#turn = signing.catch(() => undefined);
    return signing;
  }

  /** Looks for a checkpoint that another replica has signed. @throws as `checkpoint` does */
  async refresh(): Promise<SignedCheckpoint | undefined> {
    await this.#checked.promise;
    this.#requireSound();
    const newest = await this.#orDamaged(async () => {
      const kept = await this.#kept.newest();
      const isNew = kept !== undefined && kept.number > (this.#newest?.kept.number ?? -1);
      return isNew ? this.#judge(kept) : undefined;
    });
    this.#requireSound();
    if (newest === undefined) return this.#newest?.kept;
    const { size } = newest.kept;
    await this.tree.reached(size);
    if (!(await this.tree.agreesWith(newest.kept)))
      this.#found(`the log does not continue the checkpoint of ${size} events that another replica signed`);
    this.#requireSound();
    this.#newest = newest;
    return newest.kept;
  }

  get #known(): Identity {
    if (this.#identity === undefined) throw new Error('the signed log has not started yet');
    return this.#identity;
  }

  #enoughFor(size: number): SignedCheckpoint | undefined {
    return this.#newest?.isOurs === true && this.#newest.kept.size >= size ? this.#newest.kept : undefined;
  }

  async #sign(wanted: number): Promise<SignedCheckpoint> {
    for (;;) {
      this.#requireSound();
      const enough = this.#enoughFor(wanted);
      if (enough !== undefined) return enough;
      // Another replica may be ahead: sizes never go back.
      await this.tree.reached(this.#newest?.kept.size ?? 0);
      try {
        return await this.#keep(await this.tree.sizeAndRoot());
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error;
        await this.refresh();
      }
    }
  }

  async #keep(head: TreeHead): Promise<SignedCheckpoint> {
    const note = this.sign(formatCheckpoint({ origin: this.origin, ...head }));
    const kept = await this.#kept.keep(note, this.#newest?.kept, this.#options.now());
    this.#newest = { kept, isOurs: true };
    return kept;
  }

  async #run(isKnown: boolean, first: Promise<unknown>): Promise<void> {
    if (!isKnown) await this.#patiently(() => this.#identify());
    const stopped = new Promise((resolve) => this.#stop.signal.addEventListener('abort', resolve));
    // Another thread takes little from this one: only as much as a start from a snapshot needs goes before it.
    const soon = this.#options.reader === undefined ? [] : [wait(HEAD_START_MS, undefined, { ref: false })];
    await Promise.race([first, stopped, ...soon]);
    this.#stop.signal.throwIfAborted();
    this.tree.start();
    await this.tree.caughtUp();
    const newest = this.#newest?.kept;
    if (newest !== undefined && !(await this.#patiently(() => this.tree.agreesWith(newest))))
      this.#found(
        newest.size > this.tree.size
          ? shorter(this.tree.size, newest.size)
          : `the first ${newest.size} events are not those of the newest checkpoint`,
      );
    this.#isReady = this.#tampered === undefined;
    this.#checked.resolve();
    // The new one of two keys, or the one that was accepted, signs as soon as it may.
    if (this.isReady && this.#newest?.isOurs === false) await this.#patiently(() => this.checkpoint());
  }

  /** The origin, the keys, and the newest checkpoint; where there is none, one of no events, which says whose log this is. */
  async #identify(): Promise<void> {
    const id = await ledgerId(this.#store, this.#options.now);
    const { origin = `cluster-ledger.local/${id}`, keys } = this.#options;
    this.#identity ??= { origin, keys: await keys(origin) };
    await this.#orDamaged(async () => {
      const kept = (await this.#kept.newest()) ?? (await this.#first());
      this.#newest ??= this.#judge(kept);
      // Who writes alone knows at once how long the log is, and need not add to one that was cut.
      if (!this.#store.isSoleWriter) return;
      const head = await this.#store.head();
      if (head < kept.size) this.#found(shorter(head, kept.size));
    });
  }

  /** Reads a kept checkpoint; one that cannot be read, or has a wrong signature, was tampered with. */
  async #orDamaged<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#found(`the newest kept checkpoint is damaged: ${error.message}`);
      return undefined;
    }
  }

  async #first(): Promise<Kept> {
    try {
      await this.#keep(await this.tree.sizeAndRoot(0));
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
    }
    return (await this.#kept.newest()) as Kept;
  }

  /** @throws LogKeyError, UntrustedNote, MalformedNote */
  #judge(kept: Kept): Newest {
    const { acceptKey, log } = this.#options;
    const judged = isOurs(kept, this.#known, acceptKey);
    if (judged === 'accepted')
      log.warn({ key: acceptKey, size: kept.size }, 'the key follows on keys that are not known');
    return { kept, isOurs: judged === true };
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
    this.#tampered = { why };
    this.#options.log.error({ alert: 'log-tampered', why }, 'the log is not what was signed');
    this.#options.onTampered?.(why);
  }

  #requireSound(): void {
    if (this.#tampered !== undefined) throw new LogTampered(this.#tampered.why);
  }
}

function shorter(head: number, size: number): string {
  return `the log has ${head} events, fewer than the ${size} of its newest checkpoint`;
}
