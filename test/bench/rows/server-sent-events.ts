import type { Bench, Row } from '../support/bench.ts';
import { EventSource } from '../support/events.ts';
import { interleaved, type Sample, totalUs } from '../support/measure.ts';
import {
  type Server,
  type StreamClients,
  startLedger,
  startPeer,
  streamClients,
} from '../support/processes.ts';
import { atLeast, rateAgainst } from '../support/report.ts';
import { cpuPerUnit, threadCpu } from '../support/thread-cpu.ts';

const CLIENTS = 1_000;
const AT_ONCE = 16;

/**
 * Row 11: every posted event is sent to 1,000 clients, in events received per second of CPU of the server, with all that it does
 * for the posted event: the ledger decides on it and stores it. The peer writes once for each client and event. The floor collects
 * events as long as the ledger does, and writes their bytes, built once, to the socket of each client.
 */
export const serverSentEvents: Row = {
  number: 11,
  async run(bench) {
    const servers: [string, Server][] = [
      ['ours', await startLedger(bench, await bench.newFolder('stream'))],
      ['one shared buffer', await startPeer(bench, { kind: 'stream-shared', postgres: undefined })],
      ['a write for each client', await startPeer(bench, { kind: 'stream-each', postgres: undefined })],
    ];
    const connected = await Promise.all(
      servers.map(async ([name, server]) => ({
        name,
        server,
        clients: await streamClients(bench, server, CLIENTS),
      })),
    );
    const [ours, floor, each] = await interleaved(
      connected.map(({ name, server, clients }) => ({ name, measure: () => sendTo(bench, server, clients) })),
      bench.rounds,
      bench,
    );
    for (const { server, clients } of connected) {
      await clients.stop();
      await server.stop();
    }
    if (ours === undefined || floor === undefined || each === undefined)
      throw new Error('nothing was measured');
    return [
      {
        row: '11',
        work: `server-sent events, ${CLIENTS} clients, ${AT_ONCE} requests at once`,
        unit: 'messages a second of CPU',
        ours,
        floor,
        peers: [each],
        verdicts: [atLeast(ours, each, 10), rateAgainst(ours, floor)],
        notes: [],
      },
    ];
  },
};

let runs = 0;

/** @throws Error if the system does not have the CPU of a process (only Linux has it). */
async function sendTo(bench: Bench, server: Server, clients: StreamClients): Promise<Sample> {
  runs += 1;
  const source = new EventSource(`s${runs}`, Date.now());
  const events = bench.options.full ? 2_000 : 500;
  const before = threadCpu(server.pid);
  for (let posted = 0; posted < events; posted += AT_ONCE) {
    const some = Math.min(AT_ONCE, events - posted);
    await Promise.all(Array.from({ length: some }, () => post(server, source.next())));
  }
  await clients.received(CLIENTS * events);
  const after = threadCpu(server.pid);
  if (before === undefined || after === undefined)
    throw new Error('row 11 needs the CPU of a process, which only Linux has');
  const cpuUs = cpuPerUnit(before, after, CLIENTS * events);
  return { value: 1e6 / totalUs(cpuUs), cpuUs };
}

async function post(server: Server, event: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${server.port}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: event,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the event was not accepted: ${text}`);
}
