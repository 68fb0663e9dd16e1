import { clusterStream } from '../../domain/stream-table.ts';
import type { EventStore, RecordedEvent } from '../../eventstore/event-store.ts';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** Maximum number of streams read at once. */
const AT_ONCE = 16;

/** Maximum distance of two facts of a stream that are read together, with the facts between them. */
const NEAR = 8;

/** A range of revisions of a stream. */
interface Run {
  readonly stream: string;
  readonly first: number;
  last: number;
  /** Positions of the requested facts, by revision. */
  readonly wanted: Map<number, number>;
}

/**
 * Reads facts from the store by position. The events have all fields and the origin, which the model does not keep.
 * @param positions of facts of clusters. @param signal ends the work. @throws StoreUnavailable, the reason of the signal
 */
export async function readFacts(
  store: EventStore,
  model: LedgerModel,
  positions: Iterable<number>,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, RecordedEvent>> {
  const facts = new Map<number, RecordedEvent>();
  const runs = runsOf(model, positions).values();
  const slices = new EventLoopYielder(signal);
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
  // The last range of each cluster. Positions in ascending order have ascending revisions.
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
