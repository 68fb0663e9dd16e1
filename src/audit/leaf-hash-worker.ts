/**
 * Worker thread that hashes the leaves of a log. It answers each message with many hashes, and the last one with none.
 */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { HASH_BYTES, hashLeaf, leafText } from './leaf.ts';
import type { LogReader, ReadLog } from './leaf-hash-worker-client.ts';

/** Number of hashes in an answer. */
const HASHES = 2_048;

const port = parentPort as MessagePort;
const { module, file } = workerData as LogReader;
const { readLog } = (await import(module)) as { readLog: ReadLog };

let requests = 0;
let wake: () => void = () => undefined;
port.on('message', () => {
  requests++;
  wake();
});

/** Sends hashes once they are requested, which limits the number of answers in the message queue. */
async function send(hashes: Uint8Array<ArrayBuffer>): Promise<void> {
  while (requests === 0) await new Promise<void>((resolve) => (wake = resolve));
  requests--;
  port.postMessage(hashes, [hashes.buffer]);
}

let hashes = Buffer.from(new ArrayBuffer(HASHES * HASH_BYTES));
let filled = 0;
for (const events of readLog(file)) {
  for (const event of events) {
    hashLeaf(leafText(event), hashes.subarray(filled));
    filled += HASH_BYTES;
    if (filled < hashes.length) continue;
    await send(hashes);
    hashes = Buffer.from(new ArrayBuffer(HASHES * HASH_BYTES));
    filled = 0;
  }
}
if (filled > 0) await send(Uint8Array.prototype.slice.call(hashes, 0, filled) as Uint8Array<ArrayBuffer>);
await send(new Uint8Array(0));
port.close();
