import type { EventStore } from '../eventstore/event-store.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import { formatCheckpoint } from './checkpoint.ts';
import { CheckpointStore, type SignedCheckpoint, type StoredCheckpoint } from './checkpoint-store.ts';
import { ledgerId } from './ledger-id.ts';
import type { LogTree, TreeHead } from './log-tree.ts';
import { signNote } from './note.ts';
import type { SignedLogOptions } from './signed-log-options.ts';
import { type Identity, isDamage, isOurs } from './trust.ts';

/** The newest checkpoint, and whether it stands for us: our origin, signed by our current key. */
interface Newest {
  readonly kept: StoredCheckpoint;
  readonly isOurs: boolean;
}

/** What checkpoints tell of the log, and ask of it. */
interface Log {
  /** Told that it is not what was signed. */
  found(why: string): void;
  /** @throws LogTampered where it is not. */
  requireSound(): void;
}

/** Signs checkpoints of a tree and keeps them, side by side with other replicas. */
export class CheckpointSigner {
  readonly #store: EventStore;
  readonly #tree: LogTree;
  readonly #options: SignedLogOptions;
  readonly #log: Log;
  readonly #kept: CheckpointStore;
  #identity: Identity | undefined;
  #newest: Newest | undefined;
  readonly #queue = new SerialQueue();

  constructor(store: EventStore, tree: LogTree, options: SignedLogOptions, log: Log) {
    this.#store = store;
    this.#tree = tree;
    this.#options = options;
    this.#log = log;
    this.#kept = new CheckpointStore(store);
  }

  /** `undefined` before `identify`. */
  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** The newest one that is known here. */
  get newest(): Newest | undefined {
    return this.#newest;
  }

  /** Oldest first. @throws MalformedCheckpoint, StoreUnavailable */
  all(): AsyncIterable<SignedCheckpoint> {
    return this.#kept.all();
  }

  /** A text as a note that all keys which sign now have signed. @throws MalformedNote */
  sign(text: string): string {
    return signNote(text, this.known.keys.signers);
  }

  /**
   * Learns the origin, the keys, and the newest checkpoint; where there is none, signs one of no events, which says whose log
   * this is.
   * @throws LogKeyError, StoreUnavailable
   */
  async identify(): Promise<void> {
    const id = await ledgerId(this.#store, this.#options.now);
    const { origin = `cluster-ledger.local/${id}`, keys } = this.#options;
    this.#identity ??= { origin, keys: await keys(origin) };
    await this.#orDamaged(async () => {
      const kept = (await this.#kept.newest()) ?? (await this.#first());
      this.#newest ??= this.#judge(kept);
      // Who writes alone knows at once how long the log is, and need not add to one that was cut.
      if (!this.#store.isSoleWriter) return;
      const head = await this.#store.head();
      if (head < kept.size) this.#log.found(shorter(head, kept.size));
    });
  }

  /** A checkpoint of at least `size` events, which the tree has; signs one of the whole tree where there is none. */
  async covering(size: number): Promise<SignedCheckpoint> {
    const enough = this.#enoughFor(size);
    if (enough !== undefined) return enough;
    return this.#queue.run(() => this.#sign(size));
  }

  /** Looks for a checkpoint that another replica has signed. @throws as `checkpoint` does */
  async refresh(): Promise<SignedCheckpoint | undefined> {
    const newest = await this.#orDamaged(async () => {
      const kept = await this.#kept.newest();
      const isNew = kept !== undefined && kept.number > (this.#newest?.kept.number ?? -1);
      return isNew ? this.#judge(kept) : undefined;
    });
    this.#log.requireSound();
    if (newest === undefined) return this.#newest?.kept;
    const { size } = newest.kept;
    await this.#tree.reached(size);
    if (!(await this.#tree.agreesWith(newest.kept)))
      this.#log.found(
        `the log does not continue the checkpoint of ${size} events that another replica signed`,
      );
    this.#log.requireSound();
    this.#newest = newest;
    return newest.kept;
  }

  /** The identity. @throws Error before `identify` */
  get known(): Identity {
    if (this.#identity === undefined) throw new Error('the signed log has not started yet');
    return this.#identity;
  }

  #enoughFor(size: number): SignedCheckpoint | undefined {
    return this.#newest?.isOurs === true && this.#newest.kept.size >= size ? this.#newest.kept : undefined;
  }

  async #sign(wanted: number): Promise<SignedCheckpoint> {
    for (;;) {
      this.#log.requireSound();
      const enough = this.#enoughFor(wanted);
      if (enough !== undefined) return enough;
      // Another replica may be ahead: sizes never go back.
      await this.#tree.reached(this.#newest?.kept.size ?? 0);
      try {
        return await this.#keep(await this.#tree.sizeAndRoot());
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error;
        await this.refresh();
      }
    }
  }

  async #keep(head: TreeHead): Promise<SignedCheckpoint> {
    const note = this.sign(formatCheckpoint({ origin: this.known.origin, ...head }));
    const kept = await this.#kept.keep(note, this.#newest?.kept, this.#options.now());
    this.#newest = { kept, isOurs: true };
    return kept;
  }

  async #first(): Promise<StoredCheckpoint> {
    try {
      await this.#keep(await this.#tree.sizeAndRoot(0));
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
    }
    return (await this.#kept.newest()) as StoredCheckpoint;
  }

  /** Reads a kept checkpoint; one that cannot be read, or has a wrong signature, was tampered with. */
  async #orDamaged<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#log.found(`the newest kept checkpoint is damaged: ${error.message}`);
      return undefined;
    }
  }

  /** @throws LogKeyError, UntrustedNote, MalformedNote */
  #judge(kept: StoredCheckpoint): Newest {
    const { acceptKey, log } = this.#options;
    const judged = isOurs(kept, this.known, acceptKey);
    if (judged === 'accepted')
      log.warn({ key: acceptKey, size: kept.size }, 'the key follows on keys that are not known');
    return { kept, isOurs: judged === true };
  }
}

/** Says that a log has been cut. */
export function shorter(head: number, size: number): string {
  return `the log has ${head} events, fewer than the ${size} of its newest checkpoint`;
}
