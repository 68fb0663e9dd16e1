import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LogEvent } from '../eventstore/event-store.ts';

/** How another thread reads a log from its beginning up to where it ends now. */
export interface LogReader {
  /** URL of a module that exports `readLog`, a `ReadLog`. */
  readonly module: string;
  /** What it reads. */
  readonly file: string;
}

export type ReadLog = (file: string) => Iterable<readonly LogEvent[]>;

/** Answers under way, so that neither thread waits for the other. */
const AHEAD = 4;

/**
 * The leaf hashes of a log, many at a time, 32 bytes each, computed in a thread of their own: this one has only the tree to
 * do, and that between other things.
 * @throws what made the thread fail.
 */
export async function* hashesInThread(reader: LogReader, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const worker = new Worker(new URL('./leaf-hash-worker.ts', import.meta.url), { workerData: reader });
  const ask = () => worker.postMessage(undefined);
  try {
    const answers = on(worker, 'message', { signal, close: ['exit'] }) as AsyncIterable<[Uint8Array]>;
    for (let i = 0; i < AHEAD; i++) ask();
    for await (const [hashes] of answers) {
      if (hashes.length === 0) return;
      yield hashes;
      ask();
    }
    throw new Error('the thread ended before the log did');
  } finally {
    await worker.terminate();
  }
}
