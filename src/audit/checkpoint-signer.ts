import type { EventStore } from '../eventstore/event-store.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import type { CheckpointFile, FiledCheckpoint } from './checkpoint-file.ts';
import { CheckpointStore, type SignedCheckpoint, type StoredCheckpoint } from './checkpoint-store.ts';
import { formatCheckpoint } from './checkpoint-text.ts';
import { ledgerId } from './ledger-id.ts';
import { type Identity, isDamage, isOwn } from './log-identity.ts';
import type { LogTree, TreeHead } from './log-tree.ts';
import { signNote } from './note.ts';
import type { SignedLogOptions } from './signed-log-options.ts';

/** The newest checkpoint, and whether it has the origin of this ledger and a signature of its current key. */
interface Newest {
  readonly checkpoint: StoredCheckpoint;
  readonly isOwn: boolean;
}

/** State of the log that checkpoints report and depend on. */
interface LogState {
  /** Reports that the log does not match its signed checkpoints. */
  reportTampering(why: string): void;
  /** Reports that the log lacks events that were signed. @param head number of events that it has. */
  reportLoss(why: string, head: number): void;
  /** @throws LogTampered if tampering was reported. */
  requireIntact(): void;
}

/** Signs checkpoints of a tree and stores them. Several replicas may do so at the same time. */
export class CheckpointSigner {
  readonly #store: EventStore;
  readonly #tree: LogTree;
  readonly #options: SignedLogOptions;
  readonly #log: LogState;
  readonly #stored: CheckpointStore;
  #identity: Identity | undefined;
  #newest: Newest | undefined;
  #filed: FiledCheckpoint | undefined;
  #isFileFailing = false;
  readonly #queue = new SerialQueue();

  constructor(store: EventStore, tree: LogTree, options: SignedLogOptions, log: LogState) {
    this.#store = store;
    this.#tree = tree;
    this.#options = options;
    this.#log = log;
    this.#stored = new CheckpointStore(store);
  }

  /** Origin and keys of the log; `undefined` before `identify`. */
  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** The newest checkpoint known to this process. */
  get newest(): Newest | undefined {
    return this.#newest;
  }

  /** Yields all checkpoints, oldest first. @throws MalformedCheckpoint, StoreUnavailable */
  all(): AsyncIterable<SignedCheckpoint> {
    return this.#stored.all();
  }

  /** Signs a text with all keys that sign now. @throws MalformedNote */
  sign(text: string): string {
    return signNote(text, this.requiredIdentity.keys.signers);
  }

  /**
   * Reads the origin, the keys and the newest checkpoint. If there is none, signs a checkpoint of no events, which names the
   * log and its key.
   * @throws LogKeyError, StoreUnavailable
   */
  async identify(): Promise<void> {
    const id = await ledgerId(this.#store, this.#options.now);
    const { origin = `cluster-ledger.local/${id}`, keys } = this.#options;
    this.#identity ??= { origin, keys: await keys(origin) };
    await this.#reportingDamage(async () => {
      const checkpoint = (await this.#stored.newest()) ?? (await this.#signFirst());
      this.#newest ??= this.#judge(checkpoint);
      // A sole writer knows the length of the log at once, so it never appends to a log that was shortened.
      if (!this.#store.isSoleWriter) return;
      const head = await this.#store.head();
      if (head < checkpoint.size) this.#log.reportTampering(shortenedLog(head, checkpoint.size));
    });
    await this.#readFile();
  }

  /** Compares the whole log with the checkpoint that was found in the file outside of the store. @throws LeavesChanged, StoreUnavailable */
  async compareWithFile(): Promise<void> {
    const [file, filed] = [this.#options.file, this.#filed];
    if (file === undefined || filed === undefined) return;
    if (filed.size > this.#tree.size) this.#reportBehindFile(file, filed, this.#tree.size);
    else if (!(await this.#tree.agreesWith(filed)))
      this.#log.reportTampering(`the first ${filed.size} events do not match the checkpoint in ${file.path}`);
  }

  /**
   * Signs the whole tree into the file outside of the store, unless the file has all events. If the file cannot be written, says
   * so once. The log goes on, since the store has its checkpoints too.
   */
  async file(): Promise<void> {
    const { file } = this.#options;
    if (file === undefined) return;
    await this.#queue.run(async () => {
      this.#log.requireIntact();
      const head = await this.#tree.sizeAndRoot();
      if (head.size > file.size) await this.#write(file, this.#signed(head), head.size);
    });
  }

  /**
   * Returns a checkpoint of at least `size` events. If there is none, signs one of the whole tree.
   * @param size at most the size of the tree.
   */
  async covering(size: number): Promise<SignedCheckpoint> {
    const covering = this.#newestCovering(size);
    if (covering !== undefined) return covering;
    return this.#queue.run(() => this.#sign(size));
  }

  /** Reads the newest checkpoint, which another replica may have signed, and checks it against the tree. @throws as `covering` does */
  async refresh(): Promise<SignedCheckpoint | undefined> {
    const newest = await this.#reportingDamage(async () => {
      const checkpoint = await this.#stored.newest();
      const isNew = checkpoint !== undefined && checkpoint.number > (this.#newest?.checkpoint.number ?? -1);
      return isNew ? this.#judge(checkpoint) : undefined;
    });
    this.#log.requireIntact();
    if (newest === undefined) return this.#newest?.checkpoint;
    const { size } = newest.checkpoint;
    await this.#tree.waitForSize(size);
    if (!(await this.#tree.agreesWith(newest.checkpoint)))
      this.#log.reportTampering(
        `the log does not match the checkpoint of ${size} events that another replica signed`,
      );
    this.#log.requireIntact();
    this.#newest = newest;
    return newest.checkpoint;
  }

  /** Origin and keys of the log. @throws Error before `identify` */
  get requiredIdentity(): Identity {
    if (this.#identity === undefined) throw new Error('the signed log has not started yet');
    return this.#identity;
  }

  #newestCovering(size: number): SignedCheckpoint | undefined {
    return this.#newest?.isOwn === true && this.#newest.checkpoint.size >= size
      ? this.#newest.checkpoint
      : undefined;
  }

  async #sign(wanted: number): Promise<SignedCheckpoint> {
    for (;;) {
      this.#log.requireIntact();
      const covering = this.#newestCovering(wanted);
      if (covering !== undefined) return covering;
      // Another replica may be ahead. The size of a checkpoint must never decrease.
      await this.#tree.waitForSize(this.#newest?.checkpoint.size ?? 0);
      try {
        return await this.#signHead(await this.#tree.sizeAndRoot());
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error;
        await this.refresh();
      }
    }
  }

  async #signHead(head: TreeHead): Promise<SignedCheckpoint> {
    const note = this.#signed(head);
    const checkpoint = await this.#stored.append(note, this.#newest?.checkpoint, this.#options.now());
    this.#newest = { checkpoint, isOwn: true };
    this.#store.signed(checkpoint.size);
    const { file } = this.#options;
    if (file !== undefined && head.size >= file.size && head.size > 0)
      await this.#write(file, note, head.size);
    return checkpoint;
  }

  #signed(head: TreeHead): string {
    return this.sign(formatCheckpoint({ origin: this.requiredIdentity.origin, ...head }));
  }

  async #write(file: CheckpointFile, note: string, size: number): Promise<void> {
    try {
      await file.write({ note, size });
      this.#isFileFailing = false;
    } catch (error) {
      if (this.#isFileFailing) return;
      this.#isFileFailing = true;
      this.#options.log.error(
        { err: error, file: file.path, do: 'make the folder writable, with free space' },
        'the newest checkpoint cannot be kept outside of the store',
      );
    }
  }

  /** Reads the file outside of the store, once. A sole writer learns at once whether the log is shorter than that file says. */
  async #readFile(): Promise<void> {
    const { file, log } = this.#options;
    if (file === undefined || this.#filed !== undefined) return;
    const filed = await file.read(this.requiredIdentity.keys.verifiers);
    if (filed instanceof Error)
      log.error(
        { err: filed, file: file.path },
        'the checkpoint outside of the store is damaged and says nothing; the next one replaces it',
      );
    if (filed === undefined || filed instanceof Error) return;
    this.#filed = filed;
    if (!this.#store.isSoleWriter) return;
    const head = await this.#store.head();
    if (head < filed.size) this.#reportBehindFile(file, filed, head);
  }

  #reportBehindFile({ path }: CheckpointFile, { size, isTrusted }: FiledCheckpoint, head: number): void {
    const by = isTrusted ? 'were signed by the checkpoint' : 'are in the checkpoint, of an unknown key,';
    this.#log.reportLoss(`the log has ${head} events, and ${size} ${by} in ${path}`, head);
  }

  async #signFirst(): Promise<StoredCheckpoint> {
    try {
      await this.#signHead(await this.#tree.sizeAndRoot(0));
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
    }
    return (await this.#stored.newest()) as StoredCheckpoint;
  }

  /** Reads a stored checkpoint. Reports tampering if it cannot be parsed or a signature is not valid. */
  async #reportingDamage<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#log.reportTampering(`the newest stored checkpoint is damaged: ${error.message}`);
      return undefined;
    }
  }

  /** @throws LogKeyError, UntrustedNote, MalformedNote */
  #judge(checkpoint: StoredCheckpoint): Newest {
    const { acceptKey, log } = this.#options;
    const result = isOwn(checkpoint, this.requiredIdentity, acceptKey);
    if (result === 'accepted')
      log.warn(
        { key: acceptKey, size: checkpoint.size },
        'accepted the current key as successor of unknown keys',
      );
    return { checkpoint, isOwn: result === true };
  }
}

/** Returns the message for a log that is shorter than its newest checkpoint. */
export function shortenedLog(head: number, size: number): string {
  return `the log has ${head} events, fewer than the ${size} of its newest checkpoint`;
}
