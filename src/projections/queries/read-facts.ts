import { clusterStream } from '../../domain/stream-table.ts';
import type { EventStore, RecordedEvent } from '../../eventstore/event-store.ts';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** Streams that are read at once. */
const AT_ONCE = 16;

/** Facts of one stream that are this close to each other are read together, with those between them. */
const NEAR = 8;

/** A part of a stream: facts one behind the other. */
interface Run {
  readonly stream: string;
  readonly first: number;
  last: number;
  /** Positions of those that are wanted, by revision. */
  readonly wanted: Map<number, number>;
}

/**
 * Reads facts from the store, by position: what they say in full, and who said it, which the model does not keep.
 * @param positions of facts of clusters. @throws StoreUnavailable
 */
export async function readFacts(
  store: EventStore,
  model: LedgerModel,
  positions: Iterable<number>,
): Promise<ReadonlyMap<number, RecordedEvent>> {
  const facts = new Map<number, RecordedEvent>();
  const runs = runsOf(model, positions).values();
  const slices = new EventLoopYielder();
  const read = async () => {
    for (const { stream, first, last, wanted } of runs) {
      for await (const event of store.readStream(stream, { from: first, limit: last - first + 1 })) {
        const position = wanted.get(event.revision);
        if (position !== undefined) facts.set(position, event);
      }
      if (slices.isDue) await slices.yield();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  return facts;
}

function runsOf(model: LedgerModel, positions: Iterable<number>): Run[] {
  const runs: Run[] = [];
  // The last one of each cluster: positions in order are revisions in order.
  const open = new Map<number, Run>();
  for (const position of Array.from(new Set(positions)).sort((a, b) => a - b)) {
    const cluster = model.facts.clusterAt(position);
    const revision = model.facts.revisionAt(position);
    let run = open.get(cluster);
    if (run === undefined || revision - run.last > NEAR) {
      const stream = clusterStream(model.clusters.text(cluster));
      run = { stream, first: revision, last: revision, wanted: new Map() };
      open.set(cluster, run);
      runs.push(run);
    }
    run.last = revision;
    run.wanted.set(revision, position);
  }
  return runs;
}
