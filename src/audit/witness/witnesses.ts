import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore } from '../../eventstore/event-store.ts';
import type { Logger } from '../../util/logger.ts';
import type { SignedCheckpoint } from '../checkpoint-store.ts';
import { addCheckpoint } from './add-checkpoint.ts';
import { WitnessKey } from './cosignature.ts';
import { CosignatureStore } from './cosignature-store.ts';

/** How often it is checked whether there is a new checkpoint, in milliseconds. */
const POLL_MS = 500;
/** Pause after a witness failed, in milliseconds. */
const RETRY_MS = 30_000;
const HASH_BYTES = 32;

export interface WitnessOptions {
  /** The witnesses: the prefix of the URL of each, and its key in verifier form. */
  readonly witnesses: readonly { readonly url: string; readonly key: string }[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
}

/** The log whose checkpoints are posted. */
export interface WitnessedLog {
  /** Whether the log matches its newest checkpoint. */
  readonly isReady: boolean;
  readonly tree: { consistencyProof(from: number, to: number): Promise<Uint8Array> };
  newest(): SignedCheckpoint | undefined;
}

interface Witness {
  readonly url: string;
  readonly key: WitnessKey;
  /** Size of the newest checkpoint that the witness is known to have cosigned. */
  size: number;
  /** Time from which on the witness is asked again, by the monotonic clock. */
  pausedUntil: number;
  /** The newest cosignature, and the text of the checkpoint that it is for. */
  cosigned: { readonly text: string; readonly line: string } | undefined;
}

/**
 * Posts new checkpoints to witnesses, and keeps their cosignatures. A witness cosigns only what continues everything that it has
 * cosigned before, so that the ledger cannot show different logs to different auditors.
 */
export class Witnesses {
  readonly #signedLog: WitnessedLog;
  readonly #stored: CosignatureStore;
  readonly #options: WitnessOptions;
  readonly #witnesses: readonly Witness[];
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** @throws MalformedKey if the key of a witness cannot be parsed. */
  constructor(
    signedLog: WitnessedLog,
    store: Pick<EventStore, 'append' | 'readStream'>,
    options: WitnessOptions,
  ) {
    this.#signedLog = signedLog;
    this.#stored = new CosignatureStore(store);
    this.#options = options;
    this.#witnesses = options.witnesses.map(({ url, key }) => ({
      url,
      key: WitnessKey.parse(key),
      size: 0,
      pausedUntil: 0,
      cosigned: undefined,
    }));
  }

  /** Begins to post checkpoints to the witnesses, in the background. */
  start(): void {
    if (this.#witnesses.length > 0) this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Returns the note of a checkpoint with the cosignatures that it has. */
  cosigned({ note }: Pick<SignedCheckpoint, 'note'>): string {
    const text = textOf(note);
    const lines = this.#witnesses.flatMap(({ cosigned }) =>
      cosigned?.text === text ? [`${cosigned.line}\n`] : [],
    );
    return note + lines.join('');
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let isRead = false;
    while (!signal.aborted) {
      try {
        const newest = this.#signedLog.isReady ? this.#signedLog.newest() : undefined;
        if (newest !== undefined && newest.size > 0) {
          if (!isRead) await this.#readBack(newest);
          isRead = true;
          await Promise.all(this.#witnesses.map((witness) => this.#post(witness, newest)));
        }
      } catch (error) {
        this.#options.log.warn(
          { err: error },
          'cosignatures cannot be kept now; the witnesses are asked again',
        );
      }
      await wait(POLL_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Finds the stored cosignatures of a checkpoint. */
  async #readBack({ note }: SignedCheckpoint): Promise<void> {
    const text = textOf(note);
    for (const { line } of await this.#stored.newest())
      for (const witness of this.#witnesses)
        if (witness.cosigned === undefined && witness.key.timeOf(line, text) !== undefined)
          witness.cosigned = { text, line };
  }

  async #post(witness: Witness, { note, size }: SignedCheckpoint): Promise<void> {
    const text = textOf(note);
    if (witness.cosigned?.text === text || performance.now() < witness.pausedUntil) return;
    let answer = await this.#ask(witness, note, size);
    if (answer.outcome === 'conflict' && answer.size <= size) {
      witness.size = answer.size;
      answer = await this.#ask(witness, note, size);
    }
    const line =
      answer.outcome === 'cosigned'
        ? answer.lines.find((each) => witness.key.timeOf(each, text) !== undefined)
        : undefined;
    if (line === undefined) return this.#pause(witness, size, answer);
    await this.#stored.append({ size, witness: witness.key.name, line }, this.#options.now());
    witness.cosigned = { text, line };
    witness.size = size;
  }

  async #ask(witness: Witness, note: string, size: number) {
    const old = Math.min(witness.size, size);
    const hashes = await this.#signedLog.tree.consistencyProof(old, size);
    const proof = Array.from({ length: hashes.length / HASH_BYTES }, (_, i) =>
      Buffer.from(hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)).toString('base64'),
    );
    return addCheckpoint(witness.url, { old, proof, note }, this.#stop.signal);
  }

  #pause(witness: Witness, size: number, answer: Awaited<ReturnType<typeof addCheckpoint>>): void {
    if (this.#stop.signal.aborted) return;
    witness.pausedUntil = performance.now() + RETRY_MS;
    const about = { witness: witness.key.name, size };
    if (answer.outcome === 'conflict')
      this.#options.log.error(
        { ...about, known: answer.size },
        'the witness knows a longer log: this log has lost events, or another one has its name',
      );
    else
      this.#options.log.warn(
        { ...about, why: answer.outcome === 'failed' ? answer.why : 'its cosignature is not valid' },
        'the witness did not cosign the checkpoint; it is asked again',
      );
  }
}

/** Returns the text of a note, which ends before the empty line above its signatures. */
function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}
