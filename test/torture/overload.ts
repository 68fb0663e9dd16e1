import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { LedgerProcess } from '../support/ledger-process.ts';
import { type Posted, postFrom } from './overload-clients.ts';

/** The result of a run. Durations are in milliseconds. */
export interface OverloadReport {
  /** Facts that `CAPACITY` clients posted, as many as the ledger serves best. */
  readonly capacity: Posted;
  /** Facts that many more clients posted, which wait as `Retry-After` says. */
  readonly overload: Posted;
  /** The same by clients that do not wait. */
  readonly rude: Posted;
  /** Requests to `/livez`, and the slowest answer. */
  readonly live: { readonly asked: number; readonly slowest: number };
  /** Resident memory before the overload, and the maximum of it, in MiB. */
  readonly memoryMib: { readonly before: number; readonly most: number };
  /** Slow connections that the ledger has ended. */
  readonly slowEnded: number;
  readonly findings: string[];
}

export interface OverloadOptions {
  readonly connections: number;
  /** Connections that send one byte at a time, complete no request, read nothing, and are opened again once they are ended. */
  readonly slow: number;
  readonly seconds: number;
}

const CAPACITY = 64;
/** Maximum growth of the memory under the overload, with that for the facts that are recorded. */
const MAX_GROWTH_MIB = 1_024;
/** The slow connections send in turns: each every 5 seconds. */
const PARTS = 100;
/** Time after which slow connections must have been ended at the latest, in seconds. */
const SLOW_FOR_S = 30;

/** Loads a ledger with more connections than it can serve and with slow ones, and watches what it does with them. */
export async function overload({ connections, slow, seconds }: OverloadOptions): Promise<OverloadReport> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-overload-'));
  const ledger = new LedgerProcess({
    LEDGER_DATA_DIR: folder,
    LEDGER_LOG_LEVEL: 'fatal',
    LEDGER_INGEST_BACKDATING: '3650d',
    LEDGER_HTTP_RATE_LIMIT: '1000000',
  });
  const sockets: Socket[] = [];
  try {
    await ledger.start();
    const { url, pid } = ledger;
    const capacity = await postFrom({ url, connections: CAPACITY, seconds, run: 'capacity', waits: true });
    const before = residentMib(pid);
    let ended = 0;
    for (let i = 0; i < slow; i++) sockets.push(slowSocket(url));
    let turn = 0;
    const drip = setInterval(() => {
      turn++;
      for (let i = turn % PARTS; i < slow; i += PARTS) {
        const socket = sockets[i] as Socket;
        if (!socket.destroyed) socket.write('x');
        else {
          ended++;
          sockets[i] = slowSocket(url);
        }
      }
    }, 50);
    const times: number[] = [];
    const findings: string[] = [];
    let most = before;
    const loaded = (async () => {
      const calm = await postFrom({ url, connections, seconds, run: 'overload', waits: true });
      return {
        overload: calm,
        rude: await postFrom({ url, connections, seconds, run: 'rude', waits: false }),
      };
    })();
    let isOver = false;
    const over = loaded.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      most = Math.max(most, residentMib(pid));
      const begin = performance.now();
      const answer = await fetch(`${url}/livez`).catch((error: Error) => ({ status: error.message }));
      times.push(performance.now() - begin);
      if (answer.status !== 200) findings.push(`/livez is answered ${answer.status}`);
      await wait(200);
    }
    clearInterval(drip);
    const { overload, rude } = await over;
    for (const posted of [capacity, overload, rude]) {
      findings.push(...posted.findings);
      if (posted.recorded === 0) findings.push('no fact was recorded');
    }
    if (slow > 0 && ended === 0 && 2 * seconds > SLOW_FOR_S) findings.push('no slow connection was ended');
    if (most - before > MAX_GROWTH_MIB) findings.push(`its memory grew from ${before} to ${most} MiB`);
    return {
      capacity,
      overload,
      rude,
      live: { asked: times.length, slowest: Math.round(Math.max(0, ...times)) },
      memoryMib: { before, most },
      slowEnded: ended,
      findings: [...new Set(findings)],
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await ledger.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function slowSocket(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.write('POST /v1/events HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  return socket;
}

function residentMib(pid: number | undefined): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1_024);
}
