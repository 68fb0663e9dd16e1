import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import { startDouble } from '../eventstoredb/double.ts';
import { startProxy } from '../eventstoredb/tcp-proxy.ts';
import { doubleInterruptions } from '../fault/double-interruptions.ts';
import { InterruptedReads, type Interruption } from '../fault/interrupted-reads.ts';
import { type EventStored, leaderOf, startCluster, startSingleNode } from '../support/eventstored.ts';
import { until } from '../support/until.ts';
import { type HttpReadCounts, HttpReads } from './http-reads.ts';
import { ledgerOnServer } from './ledger-on-server.ts';

/** A real server, and ways to interrupt the reads on it. */
export interface InterruptedServer {
  readonly url: string;
  readonly faults: Readonly<Record<string, () => Interruption | Promise<Interruption>>>;
  readonly remove: () => Promise<void>;
}

/** The servers on which reads can be interrupted, by name. */
export const INTERRUPTED_SERVERS: Readonly<Record<string, () => Promise<InterruptedServer>>> = {
  double: interruptedDouble,
  node: interruptedNode,
  cluster: interruptedCluster,
};

export interface ReadsReport {
  /** Reads of the store that were interrupted, by kind. */
  readonly store: Readonly<Record<string, number>>;
  /** Reads by HTTP, by kind. */
  readonly http: Readonly<Record<string, HttpReadCounts>>;
  /** Reads of the store and by HTTP that were interrupted, by fault. */
  readonly faults: Readonly<Record<string, number>>;
  /** Number of reads that were interrupted. */
  readonly interrupted: number;
  readonly findings: readonly string[];
}

export interface ReadsOptions {
  /** Minimum number of interrupted reads of the store of each kind, and of reads by HTTP of all kinds. */
  readonly count: number;
  readonly progress?: (text: string) => void;
}

/** Short, so that a hung server is noticed soon. */
const TIMINGS = { appendMs: 1_500, readMs: 1_000, confirmMs: 1_000, silenceMs: 2_000, outageMs: 5_000 };
/** Reads of each kind that are in progress together. */
const AT_ONCE = 48;
const HTTP_CLIENTS = 192;
/** Longer than the ledger waits for the next event of a read. */
const FAULT_MS = 7_000;
/** Whole answers that the clients get between two faults. */
const HTTP_ANSWERS = 300;
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * Interrupts reads on a real server, first of the store and then of a ledger by HTTP. Each answer that comes without an error must be
 * the whole one.
 */
export async function tortureReads(
  name: string,
  server: InterruptedServer,
  { count, progress = () => undefined }: ReadsOptions,
): Promise<ReadsReport> {
  const faults: Record<string, number> = {};
  const note = (fault: string, more: number) => {
    faults[fault] = (faults[fault] ?? 0) + more;
    progress(`${name}, ${fault}: ${more} reads interrupted`);
  };
  try {
    const reads = await interruptStore(server, count, note);
    const http = await interruptHttp(server, count, note);
    return {
      store: Object.fromEntries(reads.byKind),
      http: Object.fromEntries(http.counts),
      faults,
      interrupted: reads.total + http.interrupted,
      findings: [...reads.wrong, ...http.wrong].slice(0, 20),
    };
  } finally {
    await server.remove();
  }
}

type Faults = InterruptedServer['faults'];

/** Yields every fault once, and then again and again, in turn, until it is enough. */
function* inTurn(faults: Faults, isEnough: () => boolean): Generator<[string, Faults[string]]> {
  yield* Object.entries(faults);
  for (;;)
    for (const entry of Object.entries(faults)) {
      if (isEnough()) return;
      yield entry;
    }
}

type Note = (fault: string, interrupted: number) => void;

async function interruptStore(
  { url, faults }: InterruptedServer,
  count: number,
  note: Note,
): Promise<InterruptedReads> {
  const options = { namespace: `reads-${randomUUID()}`, now: Date.now, log: QUIET, timings: TIMINGS };
  const store = new EsdbStore(url, options);
  try {
    const reads = await InterruptedReads.on(store, { atOnce: AT_ONCE, enough: count });
    for (const [name, fault] of inTurn(faults, () => reads.fewest >= count || reads.wrong.length > 0)) {
      note(name, await reads.interrupt(await fault()));
      await reads.repeat();
    }
    return reads;
  } finally {
    await store.close();
  }
}

async function interruptHttp(
  { url, faults }: InterruptedServer,
  count: number,
  note: Note,
): Promise<HttpReads> {
  const { ledger, endLedger } = await ledgerOnServer(url, 'reads');
  try {
    await ledger.start();
    const reads = await HttpReads.on(ledger);
    const complete = () => [...reads.counts.values()].reduce((sum, counts) => sum + counts.complete, 0);
    const more = async () => {
      const before = complete();
      await until(() => complete() >= before + HTTP_ANSWERS || reads.wrong.length > 0);
    };
    reads.start(HTTP_CLIENTS);
    const isEnough = () => reads.interrupted >= count || reads.wrong.length > 0;
    for (const [name, fault] of inTurn(faults, isEnough)) {
      await more();
      const before = reads.interrupted;
      const { interrupt, heal = () => undefined } = await fault();
      reads.faultBegins();
      await interrupt();
      await wait(FAULT_MS);
      await heal();
      await more();
      note(name, reads.interrupted - before);
    }
    await reads.stop();
    return reads;
  } finally {
    await endLedger();
  }
}

/** The double of a node, behind a network that can be cut. */
async function interruptedDouble(): Promise<InterruptedServer> {
  const double = await startDouble();
  const proxy = await startProxy(double.port);
  return {
    url: `esdb://127.0.0.1:${proxy.port}?tls=false`,
    faults: doubleInterruptions(double, proxy),
    remove: async () => {
      await proxy.close();
      await double.close();
    },
  };
}

/** One node behind a network that can be cut. */
async function interruptedNode(): Promise<InterruptedServer> {
  const { node, remove } = await startSingleNode();
  const proxy = await startProxy(node.port);
  const goneBy = (signal: 'SIGTERM' | 'SIGKILL') => async () => ({
    interrupt: () => node.stop(signal),
    heal: () => node.start(),
  });
  return {
    url: `esdb://127.0.0.1:${proxy.port}?tls=false`,
    faults: {
      cut: async () => ({ interrupt: () => proxy.cut() }),
      hung: async () => ({
        interrupt: () => node.signal('SIGSTOP'),
        heal: () => node.signal('SIGCONT'),
      }),
      restarted: goneBy('SIGTERM'),
      killed: goneBy('SIGKILL'),
    },
    remove: async () => {
      await proxy.close();
      await remove();
    },
  };
}

/** Three nodes whose leader changes. */
async function interruptedCluster(): Promise<InterruptedServer> {
  const { url, nodes, remove } = await startCluster();
  const byLeader =
    (fault: (leader: EventStored, others: readonly EventStored[]) => Interruption) => async () => {
      const leader = await leaderOf(nodes);
      return fault(
        leader,
        nodes.filter((node) => node !== leader),
      );
    };
  const elected = async (others: readonly EventStored[]) => void (await leaderOf(others));
  return {
    url,
    faults: {
      'leader killed': byLeader((leader, others) => ({
        interrupt: () => leader.stop('SIGKILL'),
        heal: async () => {
          await elected(others);
          await leader.start();
        },
      })),
      'leader hung': byLeader((leader, others) => ({
        interrupt: () => leader.signal('SIGSTOP'),
        heal: async () => {
          await elected(others);
          leader.signal('SIGCONT');
        },
      })),
      'leader resigned': byLeader((leader, others) => ({
        interrupt: async () => {
          await leader.resign();
          // The others may elect the same node again.
          await elected([leader, ...others]);
        },
      })),
    },
    remove,
  };
}
