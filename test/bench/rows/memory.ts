import type { Bench, Row } from '../support/bench.ts';
import type { LogSize } from '../support/log.ts';
import { measuredAlone } from '../support/measure.ts';
import type { ModelMemory } from '../support/model-memory.ts';
import { memoryOfModel } from '../support/processes.ts';
import { type Result, within } from '../support/report.ts';

const BYTES_OF_FACT = 120;
const BYTES_OF_CLUSTER = 600;
const FACTS_OF_CLUSTER = 10;
const LONG_HISTORY = 1_000;

/**
 * Row 13: the memory of the projections (facts, intervals, ids), in bytes for a fact and for a cluster. The bytes for a fact are
 * those of a log of few clusters with long histories. A cluster takes what a log of many clusters has beyond its facts. Measured
 * once each in new processes, after the garbage is collected: it does not depend on the load of the machine.
 */
export const memory: Row = {
  number: 13,
  async run(bench) {
    const clusters = bench.options.full ? 1_000_000 : 100_000;
    const facts = clusters * FACTS_OF_CLUSTER;
    const long = await measured(bench, {
      ...{ accounts: facts / LONG_HISTORY / 10, clusters: facts / LONG_HISTORY },
      factsPerCluster: LONG_HISTORY,
    });
    const many = await measured(bench, {
      ...{ accounts: clusters / 10, clusters, factsPerCluster: FACTS_OF_CLUSTER },
    });
    const ofFact = total(long) / facts;
    const ofCluster = (total(many) - facts * ofFact) / clusters;
    return [
      {
        ...resultOf('13', `memory of ${facts} facts of ${facts / LONG_HISTORY} clusters`, ofFact),
        unit: 'bytes a fact',
        verdicts: [within('bytes a fact', ofFact, BYTES_OF_FACT, 'bytes')],
        notes: [made(long, facts, 'fact')],
      },
      {
        ...resultOf('13a', `memory of ${clusters} clusters, beyond that of ${facts} facts`, ofCluster),
        unit: 'bytes a cluster',
        verdicts: [within('bytes a cluster', ofCluster, BYTES_OF_CLUSTER, 'bytes')],
        notes: [made(many, clusters, 'cluster')],
      },
    ];
  },
};

async function measured(bench: Bench, size: LogSize): Promise<ModelMemory> {
  const memory = await memoryOfModel(bench, size);
  bench.say(
    `  ${size.clusters * size.factsPerCluster} facts of ${size.clusters} clusters: ${inMiB(memory.heap)} of objects, ${inMiB(memory.columns)} of columns, ${inMiB(memory.rss)} resident`,
  );
  return memory;
}

function total({ heap, columns }: ModelMemory): number {
  return heap + columns;
}

function resultOf(
  row: string,
  work: string,
  bytes: number,
): Pick<Result, 'row' | 'work' | 'ours' | 'floor' | 'peers'> {
  return { row, work, ours: measuredAlone('ours', [{ value: bytes }]), floor: undefined, peers: [] };
}

/** Returns the parts of the memory. */
function made({ heap, columns, rss }: ModelMemory, units: number, unit: string): string {
  const [objects, arrays] = [heap, columns].map((bytes) => (bytes / units).toFixed(0));
  return `with facts and clusters, ${objects} bytes of objects and ${arrays} of columns a ${unit}; the process has ${inMiB(rss)} resident`;
}

function inMiB(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
