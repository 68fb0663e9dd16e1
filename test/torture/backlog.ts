import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ConsumerGroup, type GroupCommand } from '../../src/delivery/groups/consumer-group.ts';
import { GroupStateFile } from '../../src/delivery/groups/group-state.ts';
import { LogTail } from '../../src/delivery/log-tail.ts';
import { clusterStream } from '../../src/domain/stream-table.ts';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { Projections } from '../../src/projections/projections.ts';
import { appendFacts, clusterName } from '../bench/support/log.ts';
import { silent } from '../bench/support/silent.ts';
import { until } from '../support/until.ts';

/** Memory of a consumer group that is far behind. */
export interface BacklogReport {
  readonly facts: number;
  /** Memory in use beyond that of the ledger without the group, in bytes, by what the receiver does. */
  readonly held: Readonly<Record<'is down' | 'refuses half of the clusters' | 'catches up', number>>;
  /** Most messages that were outstanding. */
  readonly outstanding: number;
  readonly findings: readonly string[];
}

const FACTS_PER_CLUSTER = 10;
const MAX_HELD_BYTES = 16 * 1_024 * 1_024;
/** Messages that a group may have outstanding by default. */
const MAX_OUTSTANDING = 10_000;
const DAY_MS = 86_400_000;

/**
 * Lets a consumer group begin before a log of facts, with a receiver that is down, then refuses every second cluster, and at last
 * takes everything. Measures the heap that the group holds meanwhile. Each fact must arrive, those of a cluster in order.
 */
export async function tortureBacklog(facts: number): Promise<BacklogReport> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-backlog-'));
  const store = await SqliteStore.open(join(folder, 'ledger.db'));
  const clusters = Math.ceil(facts / FACTS_PER_CLUSTER);
  await appendFacts(store, { accounts: 100, clusters, factsPerCluster: FACTS_PER_CLUSTER });
  const head = clusters * FACTS_PER_CLUSTER;
  const projections = new Projections(store, { log: silent });
  projections.start();
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  try {
    const tail = new LogTail(store, projections);
    await until(() => tail.head === head);
    const findings: string[] = [];
    const taken = new Uint8Array(head + 1);
    const lastOf = new Map<string, number>();
    let isRefused: (clusterStream: string) => boolean = () => true;
    let passed = 0;
    const group = new ConsumerGroup({
      tail,
      state: new GroupStateFile(store, 'backlog'),
      from: 0,
      select: ({ stream, type }) => ({ key: stream, type, subject: stream }),
      handle: async ({ stream, position }) => {
        if (isRefused(stream)) return { outcome: 'retry', reason: 'the receiver is down' };
        if ((lastOf.get(stream) ?? 0) > position && taken[position] === 0)
          findings.push(`position ${position} arrived after a later one of its cluster`);
        taken[position] = 1;
        lastOf.set(stream, position);
        return { outcome: 'ack' };
      },
      onStopped: async () => undefined,
      giveUpAfterMs: Number.POSITIVE_INFINITY,
      now: () => Date.now() + passed,
      log: silent,
    });
    // The record of what has arrived is not the memory of the group.
    for (let cluster = 0; cluster < clusters; cluster++) lastOf.set(clusterStream(clusterName(cluster)), 0);
    const usedBytes = memoryMeter();
    const before = await usedBytes();
    const heldNow = async () => (await usedBytes()) - before;
    const retryNow: GroupCommand = { kind: 'retry-now' };
    running = group.run(stop.signal);

    const down = await heldWhenIdle(group, heldNow);
    isRefused = (stream) => stream.charCodeAt(stream.length - 1) % 2 === 0;
    passed += DAY_MS;
    group.command(retryNow, 0);
    await until(() => group.status.outstanding >= Math.min(MAX_OUTSTANDING, head / 2));
    const half = await heldWhenIdle(group, heldNow);
    const { outstanding } = group.status;

    isRefused = () => false;
    passed += DAY_MS;
    group.command(retryNow, 1);
    let catchesUp = 0;
    for (let part = 1; part <= 5; part++) {
      await until(() => group.status.checkpoint >= (head * part) / 5);
      catchesUp = Math.max(catchesUp, await heldNow());
    }
    await until(() => group.status.outstanding === 0);
    const missing = taken.subarray(1).filter((each) => each === 0).length;
    if (missing > 0) findings.push(`${missing} facts did not arrive`);
    if (outstanding > MAX_OUTSTANDING) findings.push(`${outstanding} messages were outstanding`);
    const held = { 'is down': down, 'refuses half of the clusters': half, 'catches up': catchesUp };
    for (const [when, bytes] of Object.entries(held))
      if (bytes > MAX_HELD_BYTES) findings.push(`the group held ${bytes} bytes while its receiver ${when}`);
    return { facts: head, held, outstanding, findings };
  } finally {
    stop.abort();
    await running;
    await projections.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns a function that collects garbage and returns the memory in use, in bytes. */
function memoryMeter(): () => Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return async () => {
    // Some objects are freed only after a turn of the event loop.
    for (let round = 0; round < 5; round++) {
      collect();
      await wait(20);
    }
    // The first one can end a marking that began earlier, which leaves what has become garbage since.
    for (let round = 0; round < 2; round++) collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
}

/** Waits until a group reads no further, and returns what it holds. */
async function heldWhenIdle(group: ConsumerGroup, held: () => Promise<number>): Promise<number> {
  let known = -1;
  while (known !== group.status.outstanding || known === 0) {
    known = group.status.outstanding;
    await wait(500);
  }
  return held();
}
