import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { decodeModel } from '../../../src/projections/model/snapshot.ts';
import { Projections } from '../../../src/projections/projections.ts';
import type { Bench, Row } from '../support/bench.ts';
import { folderWithLog, logFile, logSize } from '../support/log.ts';
import { interleaved, milliseconds, type Sample } from '../support/measure.ts';
import { sooner, within } from '../support/report.ts';
import { silent } from '../support/silent.ts';

const READS = 20;

/**
 * Row 5: from a closed file to answers, as at the start of the process: opening the store and the projections, once from a snapshot and
 * once from zero. A thread checks the log meanwhile, before anything is written, and is measured until then, too. The projections are
 * also compared alone. The floor reads the bytes of the snapshot.
 */
export const snapshotStart: Row = {
  number: 5,
  async run(bench) {
    const size = logSize(bench);
    const facts = size.clusters * size.factsPerCluster;
    const folder = await folderWithLog(bench, size);
    const snapshotFile = join(await bench.newFolder('snapshot'), 'snapshot.bin');
    await writeSnapshot(folder, snapshotFile, facts);

    const whole = await interleaved(
      [
        { name: 'ours', measure: () => startUntil(answers(facts), folder, snapshotFile) },
        { name: 'start by rebuild', measure: () => startUntil(answers(facts), folder) },
        { name: 'reading the bytes', measure: () => readBytes(snapshotFile) },
        { name: 'until it writes', measure: () => startUntil(isChecked, folder, snapshotFile) },
      ],
      bench.rounds,
      bench,
    );
    const parts = await projectionsAlone(bench, folder, facts, snapshotFile);
    const [start, byRebuild, bytes, writing] = whole;
    const [restore, rebuild, reading] = parts;
    if (start === undefined || byRebuild === undefined || restore === undefined || rebuild === undefined) {
      throw new Error('nothing was measured');
    }
    const work = `${facts} facts, ${size.clusters} clusters`;
    return [
      {
        row: '5',
        work: `start with a snapshot, ${work}`,
        unit: 'ms',
        ours: start,
        floor: bytes,
        peers: [byRebuild],
        verdicts: [sooner(start, byRebuild, 10), within('start, ms', start.median, 500, 'ms')],
        notes: [
          'the floor is the reading of the bytes of the snapshot',
          `facts are written after ${Math.round(writing?.median ?? 0)} ms, once the log is checked`,
        ],
      },
      {
        row: '5a',
        work: `the projections' part of it, ${work}`,
        unit: 'ms',
        ours: restore,
        floor: reading,
        peers: [rebuild],
        verdicts: [sooner(restore, rebuild, 10)],
        notes: ['the floor is the reading of the bytes of the snapshot'],
      },
    ];
  },
};

async function writeSnapshot(folder: string, snapshotFile: string, facts: number): Promise<void> {
  const store = await SqliteStore.open(logFile(folder));
  await follow(store, facts, snapshotFile);
  await store.close();
}

async function follow(store: SqliteStore, facts: number, snapshotFile?: string): Promise<void> {
  const projections = projectionsOf(store, snapshotFile);
  projections.start();
  await answers(facts)(store, projections);
  await projections.stop();
}

function projectionsOf(store: SqliteStore, snapshotFile: string | undefined): Projections {
  return new Projections(store, { log: silent, ...(snapshotFile !== undefined && { snapshotFile }) });
}

/** Waits for a state of a ledger that starts. */
type Reached = (store: SqliteStore, projections: Projections) => Promise<void>;

/** Waits until the projections have all facts. */
function answers(facts: number): Reached {
  return async (_, projections) => {
    if (!(await projections.waitForPosition(facts, 600_000)))
      throw new Error('the end of the log was not reached');
  };
}

/** Waits until the log is checked: nothing is deleted from a stream without events. */
const isChecked: Reached = (store) => store.keepLast('~bench', 1);

/** Measures a start until a state is reached. */
async function startUntil(reached: Reached, folder: string, snapshotFile?: string): Promise<Sample> {
  const begun = performance.now();
  const store = await SqliteStore.open(logFile(folder), { readableUncheckedFrom: 1 });
  const projections = projectionsOf(store, snapshotFile);
  projections.start();
  await reached(store, projections);
  const value = performance.now() - begun;
  await projections.stop();
  await store.close();
  return { value };
}

/** Measures one of many reads: a single one takes so little time that it varies by more than a row may to be judged. */
async function readBytes(file: string): Promise<Sample> {
  const { value } = await milliseconds(async () => {
    for (let i = 0; i < READS; i++) await readFile(file);
  });
  return { value: value / READS };
}

async function projectionsAlone(bench: Bench, folder: string, facts: number, snapshotFile: string) {
  const store = await SqliteStore.open(logFile(folder));
  const measured = await interleaved(
    [
      { name: 'ours', measure: () => milliseconds(async () => decodeModel(await readFile(snapshotFile))) },
      { name: 'rebuild', measure: () => milliseconds(() => follow(store, facts)) },
      { name: 'reading the bytes', measure: () => readBytes(snapshotFile) },
    ],
    bench.rounds,
    bench,
  );
  await store.close();
  return measured;
}
