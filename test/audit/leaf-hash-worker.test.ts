import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { leafHash, leafText } from '../../src/audit/leaf.ts';
import type { LogReader } from '../../src/audit/leaf-hash-worker-client.ts';
import type { LogEvent } from '../../src/eventstore/event-store.ts';
import { until } from '../support/until.ts';
import { hex } from './leaves.ts';

const eventAt = (index: number): LogEvent => ({
  id: '00000000-0000-4000-8000-000000000001',
  type: 'SomethingHappened',
  stream: 'cluster-a',
  revision: index,
  position: index + 1,
  data: {},
  metadata: {},
  recordedAt: 0,
});

/** A module that reads a log of events in batches of these sizes. */
function readerOf(...batches: number[]): LogReader {
  const read = `export function* readLog(file) {
    let position = 0;
    for (const size of JSON.parse(file))
      yield Array.from({ length: size }, () => ({ ...${JSON.stringify(eventAt(0))}, revision: position, position: ++position }));
  }`;
  return { module: `data:text/javascript,${encodeURIComponent(read)}`, file: JSON.stringify(batches) };
}

/** Requests hashes one at a time until there are no more. @returns the answers, and how many there were after each request. */
async function answersOf(reader: LogReader) {
  const worker = new Worker(new URL('../../src/audit/leaf-hash-worker.ts', import.meta.url), {
    workerData: reader,
  });
  onTestFinished(async () => void (await worker.terminate()));
  const answers: Uint8Array[] = [];
  const counts: number[] = [];
  worker.on('message', (hashes: Uint8Array) => answers.push(hashes));
  await once(worker, 'online');
  const ended = once(worker, 'exit');
  do {
    const known = answers.length;
    worker.postMessage(undefined);
    await until(() => answers.length > known);
    counts.push(answers.length);
  } while (answers.at(-1)?.length !== 0);
  const [code] = await ended;
  return { answers, counts, code };
}

test.each([
  [[], [0]],
  [[1], [1, 0]],
  [[2_047], [2_047, 0]],
  [[2_048], [2_048, 0]],
  [
    [2_049, 3_000],
    [2_048, 2_048, 953, 0],
  ],
])(
  'a thread that hashes batches of %j leaves answers each request with at most 2,048 hashes, and the last one with none',
  async (batches, sizes) => {
    const { answers, counts, code } = await answersOf(readerOf(...batches));
    expect(answers.map(({ length }) => length / 32)).toEqual(sizes);
    expect(counts).toEqual(sizes.map((_, i) => i + 1));
    expect(code).toBe(0);
    const hashes = hex(Buffer.concat(answers)).match(/.{64}/g) ?? [];
    for (const index of [0, 2_047, 2_048, 5_048].filter((each) => each < hashes.length))
      expect(hashes[index]).toBe(hex(leafHash(leafText(eventAt(index)))));
  },
);
