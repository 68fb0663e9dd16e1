import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { decodeModel } from '../../../src/projections/model/snapshot.ts';
import { Projections } from '../../../src/projections/projections.ts';
import type { Bench, Row } from '../support/bench.ts';
import { folderWithLog, logFile, logSize } from '../support/log.ts';
import { interleaved, milliseconds } from '../support/measure.ts';
import { sooner, within } from '../support/report.ts';
import { silent } from '../support/silent.ts';

/**
 * Row 5: from a closed file to answers, as at the start of the process: opening the store, which checks the whole log, and
 * the projections, once from a snapshot and once from zero. The projections are also compared alone, since the check of
 * the log is the same on both sides. The floor reads the bytes of the snapshot.
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
        { name: 'ours', measure: () => milliseconds(() => startAndStop(folder, facts, snapshotFile)) },
        { name: 'start by rebuild', measure: () => milliseconds(() => startAndStop(folder, facts)) },
        { name: 'opening the store', measure: () => milliseconds(() => openAndClose(folder)) },
      ],
      bench.rounds,
      bench,
    );
    const parts = await projectionsAlone(bench, folder, facts, snapshotFile);
    const [start, byRebuild, opening] = whole;
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
        floor: opening,
        peers: [byRebuild],
        verdicts: [sooner(start, byRebuild, 10), within('start, ms', start.median, 500, 'ms')],
        notes: ['the floor is the opening of the store alone'],
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
  const projections = new Projections(store, {
    log: silent,
    ...(snapshotFile !== undefined && { snapshotFile }),
  });
  projections.start();
  if (!(await projections.waitForPosition(facts, 600_000)))
    throw new Error('the end of the log was not reached');
  await projections.stop();
}

async function startAndStop(folder: string, facts: number, snapshotFile?: string): Promise<void> {
  const store = await SqliteStore.open(logFile(folder));
  await follow(store, facts, snapshotFile);
  await store.close();
}

async function openAndClose(folder: string): Promise<void> {
  const store = await SqliteStore.open(logFile(folder));
  await store.close();
}

async function projectionsAlone(bench: Bench, folder: string, facts: number, snapshotFile: string) {
  const store = await SqliteStore.open(logFile(folder));
  const measured = await interleaved(
    [
      { name: 'ours', measure: () => milliseconds(async () => decodeModel(await readFile(snapshotFile))) },
      { name: 'rebuild', measure: () => milliseconds(() => follow(store, facts)) },
      { name: 'reading the bytes', measure: () => milliseconds(() => readFile(snapshotFile)) },
    ],
    bench.rounds,
    bench,
  );
  await store.close();
  return measured;
}
