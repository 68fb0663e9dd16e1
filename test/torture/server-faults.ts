import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { readFeed } from '../fault/feed.ts';
import { MixedClients, type MixedCounts } from '../fault/mixed-clients.ts';
import {
  type EventStored,
  leaderOf,
  startCluster,
  startSecureNode,
  startSingleNode,
} from '../support/eventstored.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';
import type { Shim } from './shim/shim.ts';

/** EventStoreDB, and what can happen to it. */
export interface TorturedServer {
  readonly url: string;
  /** Does something to the server, and ends when it works again. */
  readonly disturb: (clients: MixedClients) => Promise<void>;
  readonly remove: () => Promise<void>;
}

export interface ServerFaultOptions {
  readonly name: string;
  readonly server: TorturedServer;
  /** How often the server is disturbed. */
  readonly count: number;
  readonly clients?: number;
}

export interface ServerFaultReport extends MixedCounts {
  readonly name: string;
  readonly findings: readonly string[];
}

/**
 * Runs a ledger on a server that is disturbed again and again, while clients post facts, void, delete, close months and read. No
 * acknowledged fact may be lost or be there twice, no rightful request refused, no read short, and no month closed twice.
 */
export async function tortureServer({
  name,
  server,
  count,
  clients = 8,
}: ServerFaultOptions): Promise<ServerFaultReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-server-faults-'));
  const ledger = new LedgerProcess({
    LEDGER_STORE: server.url,
    LEDGER_DATA_DIR: dataDir,
    LEDGER_NAMESPACE: `faults-${randomUUID()}`,
    LEDGER_LOG_LEVEL: 'error',
  });
  try {
    await ledger.start();
    const mixed = new MixedClients(() => ledger.url);
    const more = async (facts: number) => {
      const before = mixed.counts.facts;
      await until(() => mixed.counts.facts >= before + facts || mixed.wrong.length > 0);
    };
    mixed.start(clients);
    for (let i = 0; i < count; i++) {
      await more(100);
      await server.disturb(mixed);
      await more(100);
    }
    await until(() => mixed.counts.closings > 0 || mixed.wrong.length > 0);
    await mixed.stop();
    const findings = [...mixed.wrong.slice(0, 20), ...(await missingIn(ledger, mixed))];
    if (findings.length > 0) findings.push(`the log of the ledger: ${ledger.output.slice(-MAX_OUTPUT)}`);
    return { name, ...mixed.counts, findings };
  } finally {
    await ledger.stop('SIGKILL');
    await server.remove();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Number of characters of the log of a ledger that a report has. */
const MAX_OUTPUT = 8_000;

const CLOSED = 'io.clusterledger.period.closed.v1';

async function missingIn(ledger: LedgerProcess, mixed: MixedClients): Promise<string[]> {
  const findings: string[] = [];
  await until(async () => (await fetch(`${ledger.url}/readyz`)).status === 200);
  const feed = await readFeed(ledger);
  const ids = new Set(feed.map(({ ledgereventid }) => ledgereventid));
  if (ids.size !== feed.length) findings.push('a fact is there twice');
  const lost = mixed.acknowledged.filter((eventId) => !ids.has(eventId));
  if (lost.length > 0) findings.push(`${lost.length} acknowledged facts are lost`);
  const closings = feed.filter(({ type }) => type === CLOSED).map(({ subject }) => subject);
  if (new Set(closings).size !== closings.length) findings.push(`a month was closed twice: ${closings}`);
  if (closings.length < mixed.counts.closings) findings.push('an acknowledged closing is lost');
  return findings;
}

const HANG_MS = 7_000;
const LONG_HANG_MS = 120_000;
const OUTAGE_MS = 15_000;
const LONG_OUTAGE_MS = 180_000;
const FOREIGN_MS = 10_000;
const LAG_MS = 10_000;
const LAG_PAUSE_MS = 200;
/** Number of writes to its disk after which a node cannot write any more. */
const WRITES_BEFORE_FAULT = 3_000;
const ENOSPC = 28;
const EROFS = 30;

async function restart(node: EventStored, signal: 'SIGTERM' | 'SIGKILL', pauseMs = 0): Promise<void> {
  await node.stop(signal);
  await wait(pauseMs);
  await node.start();
}

async function hang(node: EventStored, ms = HANG_MS): Promise<void> {
  node.signal('SIGSTOP');
  await wait(ms);
  node.signal('SIGCONT');
}

/** Does something to the leader of three nodes. */
async function inCluster(
  fault: (leader: EventStored, others: readonly EventStored[]) => Promise<void>,
): Promise<TorturedServer> {
  const { url, nodes, remove } = await startCluster();
  const disturb = async () => {
    const leader = await leaderOf(nodes);
    await fault(
      leader,
      nodes.filter((node) => node !== leader),
    );
  };
  return { url, disturb, remove };
}

/** Another node becomes the leader, while all connections stay. The former leader then lags behind, because it stands still often. */
async function resign(leader: EventStored, others: readonly EventStored[]): Promise<void> {
  await leader.resign();
  // The others may elect the same node again.
  await leaderOf([leader, ...others]);
  for (const end = performance.now() + LAG_MS; performance.now() < end; ) {
    leader.signal('SIGSTOP');
    await wait(LAG_PAUSE_MS);
    leader.signal('SIGCONT');
    await wait(LAG_PAUSE_MS / 4);
  }
}

/** The leader hangs until another one was elected, and then continues as if it still were the leader. */
async function hangLeader(leader: EventStored, others: readonly EventStored[]): Promise<void> {
  leader.signal('SIGSTOP');
  await leaderOf(others);
  await wait(2_000);
  leader.signal('SIGCONT');
}

/** Writes the events of another application as fast as the server takes them. */
export async function writeForeign(url: string, isEnough: (written: number) => boolean): Promise<number> {
  const client = EventStoreDBClient.connectionString(url);
  let written = 0;
  const writer = async () => {
    while (!isEnough(written)) {
      const events = Array.from({ length: 500 }, (_, i) =>
        jsonEvent({ type: 'foreign', data: { i, text: 'x'.repeat(100) } }),
      );
      await client.appendToStream(`foreign-${randomUUID()}`, events);
      written += events.length;
    }
  };
  await Promise.all(Array.from({ length: 4 }, writer));
  await client.dispose();
  return written;
}

type Started = () => Promise<TorturedServer>;

/** A node whose disk fails after some writes, and works again at the next start. */
async function onFailingDisk(shim: Shim, errno: number): Promise<TorturedServer> {
  let shimmed = {};
  const { url, node, folder, remove } = await startSingleNode(() => shimmed);
  const disturb = async () => {
    const settings = {
      folder,
      calls: 'w',
      mode: 'error',
      errno,
      times: 1e9,
      at: WRITES_BEFORE_FAULT,
    } as const;
    shimmed = shim.environment(settings);
    await restart(node, 'SIGTERM');
    // The node ends, or answers no write any more.
    await until(async () => node.hasEnded || !(await canWrite(url)));
    shimmed = {};
    await restart(node, 'SIGKILL', 2_000);
  };
  return { url, disturb, remove };
}

async function canWrite(url: string): Promise<boolean> {
  const client = EventStoreDBClient.connectionString(url);
  const append = client.appendToStream('probe', jsonEvent({ type: 'probe', data: {} })).then(
    () => true,
    () => false,
  );
  const isWritten = await Promise.race([append, wait(5_000, false)]);
  void client.dispose().catch(() => undefined);
  return isWritten;
}

/** Everything that can happen to a real server, by name. @param shim if this machine can make disks fail. */
export function serverFaults(shim: Shim | undefined): Readonly<Record<string, Started>> {
  const single = async (fault: (node: EventStored, url: string) => Promise<unknown>) => {
    const { url, node, remove } = await startSingleNode();
    return { url, remove, disturb: async () => void (await fault(node, url)) };
  };
  return {
    hung: () => single((node) => hang(node)),
    'hung-for-minutes': () => single((node) => hang(node, LONG_HANG_MS)),
    restarted: () => single((node) => restart(node, 'SIGTERM')),
    gone: () => single((node) => restart(node, 'SIGKILL', OUTAGE_MS)),
    'gone-for-minutes': () => single((node) => restart(node, 'SIGKILL', LONG_OUTAGE_MS)),
    'full-disk': () => onFailingDisk(shim as Shim, ENOSPC),
    'read-only-disk': () => onFailingDisk(shim as Shim, EROFS),
    scavenged: () => single((node) => node.scavenge()),
    'another-application': () =>
      single((_, url) => {
        const end = performance.now() + FOREIGN_MS;
        return writeForeign(url, () => performance.now() > end);
      }),
    'leader-lost': () =>
      inCluster(async (leader, others) => {
        await leader.stop('SIGKILL');
        await leaderOf(others);
        await wait(2_000);
        await leader.start();
      }),
    'leader-resigned': () => inCluster(resign),
    'leader-hung': () => inCluster(hangLeader),
    'users-and-tls': async () => {
      const { url, node, remove } = await startSecureNode();
      let turn = 0;
      return { url, remove, disturb: () => (turn++ % 2 === 0 ? hang(node) : restart(node, 'SIGKILL')) };
    },
  };
}
