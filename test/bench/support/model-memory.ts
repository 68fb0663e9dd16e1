/** A process of its own that builds the projections of a log and sends how much memory they take. Needs `--expose-gc`. */
import { setTimeout as wait } from 'node:timers/promises';
import { StoredEvent } from '../../../src/eventstore/sqlite/stored-event.ts';
import { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { usageByAccount } from '../../../src/projections/queries/account-usage.ts';
import { type LogSize, logEvents, MONTH_WINDOW, NOW } from './log.ts';

/** Memory in bytes. */
export interface ModelMemory {
  /** Objects, strings and numbers on the heap of V8. */
  readonly heap: number;
  /** Columns: typed arrays, whose bytes are not on that heap. */
  readonly columns: number;
  /** Resident memory of the process, with Node.js and with what the garbage collector has not returned. */
  readonly rss: number;
}

async function settled(): Promise<{ heap: number; columns: number }> {
  // Some objects are freed only after a turn of the event loop.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await wait(10);
  }
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, columns: external };
}

/** Adds the facts of a log in the form in which the store has them, and asks for the usage of all accounts, which makes intervals. */
function build(size: LogSize): LedgerModel {
  const model = new LedgerModel();
  let position = 0;
  for (const { stream, revision, event } of logEvents(size)) {
    const { id, type, data, metadata, recordedAt } = event;
    position += 1;
    model.apply(
      new StoredEvent(
        ...([position, stream, revision, id, type] as const),
        ...([JSON.stringify(data), JSON.stringify(metadata), recordedAt as number] as const),
      ),
    );
  }
  for (const _ of model.prepare());
  const question = { window: MONTH_WINDOW, through: NOW, asOf: position, byDay: false };
  for (const _ of usageByAccount(model, question));
  return model;
}

process.on('message', async (size: LogSize) => {
  // The compiled code, and the memory that every process needs, are not counted.
  build({ accounts: 10, clusters: 100, factsPerCluster: 10 });
  const before = await settled();
  const model = build(size);
  const after = await settled();
  const memory: ModelMemory = {
    heap: after.heap - before.heap,
    columns: after.columns - before.columns,
    rss: process.memoryUsage.rss(),
  };
  if (model.position !== size.clusters * size.factsPerCluster) throw new Error('some facts are missing');
  process.send?.(memory);
});
process.on('disconnect', () => process.exit());
