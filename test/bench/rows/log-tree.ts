import { hash } from 'node:crypto';
import { HASH_BYTES, hashLeaf, leafText } from '../../../src/audit/leaf.ts';
import { hashesInThread } from '../../../src/audit/leaf-hash-worker-client.ts';
import { LogTree } from '../../../src/audit/log-tree.ts';
import { MerkleTree } from '../../../src/audit/tree.ts';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { StoredEvent } from '../../../src/eventstore/sqlite/stored-event.ts';
import { Projections } from '../../../src/projections/projections.ts';
import type { Bench, Row } from '../support/bench.ts';
import { folderWithLog, type LogRow, logFile, logSize, rowsOfLog } from '../support/log.ts';
import { interleaved, type Measured, milliseconds } from '../support/measure.ts';
import { type Result, timeAgainst, within } from '../support/report.ts';
import { silent } from '../support/silent.ts';

const MOST_EXTRA = 0.35;
const SECONDS_PER_MILLION = 2.1;
const MICROSECONDS_PER_PROOF = 2;
const PROOFS = 200_000;
/** The ledger keeps its tree so: see src/audit/signed-log.ts. */
const FLOOR = 8;

/**
 * Row 6: the tree of the log. First beside the rebuild of all projections, as at a start without a snapshot: one thread
 * folds, another hashes the leaves, and the row is done when both are. Then leaves alone into a tree, and proofs out of one.
 */
export const logTree: Row = {
  number: 6,
  async run(bench) {
    const size = logSize(bench);
    const facts = size.clusters * size.factsPerCluster;
    const folder = await folderWithLog(bench, size);
    const leaves = Array.from(rowsOfLog(folder), (row) => leafText(asEvent(row)));
    return [
      await besideRebuild(bench, logFile(folder), facts),
      await leavesAlone(bench, leaves),
      await proofs(bench, leaves),
    ];
  },
};

async function besideRebuild(bench: Bench, file: string, facts: number): Promise<Result> {
  const store = await SqliteStore.open(file);
  const module = new URL('../../../src/eventstore/sqlite/log-reader.ts', import.meta.url).href;
  const fold = async () => {
    const projections = new Projections(store, { log: silent });
    projections.start();
    if (!(await projections.waitForPosition(facts, 600_000)))
      throw new Error('the end of the log was not reached');
    await projections.stop();
  };
  const hashLog = async () => {
    const tree = new LogTree(store, {
      floor: FLOOR,
      beginning: (signal) => hashesInThread({ module, file }, signal),
      onSlow: (error) => {
        throw error;
      },
    });
    tree.start();
    await tree.waitUntilCaughtUp();
    await tree.stop();
    if (tree.size !== facts) throw new Error('the tree did not reach the end of the log');
  };
  const measured = await interleaved(
    [
      { name: 'ours', measure: () => milliseconds(() => Promise.all([fold(), hashLog()])) },
      { name: 'row 4 without it', measure: () => milliseconds(fold) },
      { name: 'the tree alone', measure: () => milliseconds(hashLog) },
    ],
    bench.rounds,
    bench,
  );
  await store.close();
  const [ours, without, alone] = measured as [Measured, Measured, Measured];
  const extra = ours.median / without.median - 1;
  return {
    row: '6',
    work: `rebuild with every leaf hashed, ${facts} facts`,
    unit: 'ms',
    ours,
    floor: alone,
    peers: [without],
    verdicts: [within('more than row 4', extra, MOST_EXTRA, 'of its time'), timeAgainst(ours, without)],
    notes: ['the floor is the tree alone, its leaves hashed in a thread'],
  };
}

async function leavesAlone(bench: Bench, leaves: readonly string[]): Promise<Result> {
  const scratch = Buffer.alloc(HASH_BYTES);
  const [ours, floor] = (await interleaved(
    [
      { name: 'ours', measure: () => milliseconds(() => void treeOf(leaves, FLOOR)) },
      {
        name: 'SHA-256 alone',
        measure: () =>
          milliseconds(() => {
            for (const leaf of leaves) scratch.write(hash('sha256', leaf, 'binary'), 0, 'latin1');
          }),
      },
    ],
    bench.rounds,
    bench,
  )) as [Measured, Measured];
  const seconds = ours.median / 1_000 / (leaves.length / 1_000_000);
  const bytes = Math.round(leaves.reduce((sum, leaf) => sum + leaf.length, 0) / leaves.length);
  return {
    row: '6a',
    work: `${leaves.length} leaves of ${bytes} bytes into a tree`,
    unit: 'ms',
    ours,
    floor,
    peers: [],
    verdicts: [within('per million leaves', seconds, SECONDS_PER_MILLION, 's'), timeAgainst(ours, floor)],
    notes: [],
  };
}

async function proofs(bench: Bench, leaves: readonly string[]): Promise<Result> {
  const tree = treeOf(leaves, 0);
  const [ours] = (await interleaved(
    [
      {
        name: 'ours',
        measure: () =>
          milliseconds(() => {
            for (let i = 0; i < PROOFS; i++) tree.inclusionProof((i * 7_919) % leaves.length);
          }),
      },
    ],
    bench.rounds,
    bench,
  )) as [Measured];
  const each = (ours.median * 1_000) / PROOFS;
  return {
    row: '6b',
    work: `${PROOFS} inclusion proofs, a tree of ${leaves.length}`,
    unit: 'ms',
    ours,
    floor: undefined,
    peers: [],
    verdicts: [within('per proof', each, MICROSECONDS_PER_PROOF, 'us')],
    notes: [
      'of a tree that keeps all nodes, as the ledger does unless audit.treeMinHeightInMemory says otherwise',
    ],
  };
}

function treeOf(leaves: readonly string[], floor: number): MerkleTree {
  const tree = new MerkleTree(floor);
  const scratch = Buffer.alloc(HASH_BYTES);
  for (const leaf of leaves) {
    hashLeaf(leaf, scratch);
    tree.append(scratch);
  }
  return tree;
}

function asEvent(row: LogRow): StoredEvent {
  const { position, stream, revision, id, type, data, metadata, recorded_at } = row;
  return new StoredEvent(position, stream, revision, id, type, data, metadata, recorded_at);
}
