import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LogEvent } from '../eventstore/event-store.ts';

/** Module and file from which a worker thread reads a log, from its beginning to its current end. */
export interface LogReader {
  /** URL of a module that exports `readLog`, a `ReadLog`. */
  readonly module: string;
  /** Argument of `readLog`. */
  readonly file: string;
}

export type ReadLog = (file: string) => Iterable<readonly LogEvent[]>;

/** Number of requests in progress, so that neither thread waits for the other. */
const MAX_REQUESTS = 4;

/**
 * Yields the leaf hashes of a log, many at a time, 32 bytes each. A worker thread computes them, so that the main thread
 * computes only the tree.
 * @throws the error of the worker thread.
 */
export async function* hashesInThread(reader: LogReader, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const worker = new Worker(new URL('./leaf-hash-worker.ts', import.meta.url), { workerData: reader });
  const request = () => worker.postMessage(undefined);
  try {
    const answers = on(worker, 'message', { signal, close: ['exit'] }) as AsyncIterable<[Uint8Array]>;
    for (let i = 0; i < MAX_REQUESTS; i++) request();
    for await (const [hashes] of answers) {
      if (hashes.length === 0) return;
      yield hashes;
      request();
    }
    throw new Error('the worker thread ended before the end of the log');
  } finally {
    await worker.terminate();
  }
}
