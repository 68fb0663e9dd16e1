import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, type ClientRequest, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inStructuredMode, registered } from '../support/cloud-events.ts';
import { LedgerProcess } from '../support/ledger-process.ts';

/** The result of a run. Durations are in milliseconds. */
export interface OverloadReport {
  /** Facts that were recorded, and the 99th percentile of their latency, under a load of `NOMINAL` connections. */
  readonly nominal: { readonly recorded: number; readonly p99: number };
  /** The same under the overload. */
  readonly overload: { readonly recorded: number; readonly p99: number; readonly refused: number };
  /** Requests to `/livez`, and the slowest answer. */
  readonly live: { readonly asked: number; readonly slowest: number };
  /** Maximum resident memory, in MiB. */
  readonly memoryMib: number;
  /** Slow connections that the ledger has ended. */
  readonly slowEnded: number;
  readonly findings: string[];
}

export interface OverloadOptions {
  readonly connections: number;
  /** Connections that send one byte at a time and never complete a request. */
  readonly slow: number;
  readonly seconds: number;
}

const NOMINAL = 16;
const MAX_MEMORY_MIB = 1_024;

interface Sample {
  readonly status: number;
  readonly ms: number;
  readonly retryAfter: string | undefined;
}

/** Loads a ledger with more connections than it can serve and with slow ones, and watches what it does with them. */
export async function overload({ connections, slow, seconds }: OverloadOptions): Promise<OverloadReport> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-overload-'));
  const ledger = new LedgerProcess({
    LEDGER_DATA_DIR: folder,
    LEDGER_LOG_LEVEL: 'fatal',
    LEDGER_INGEST_BACKDATING: '3650d',
    LEDGER_HTTP_RATE_LIMIT: '1000000',
  });
  const findings: string[] = [];
  const sockets: Socket[] = [];
  try {
    const { pid } = await ledger.launch();
    while ((await ask(ledger.url, '/readyz').catch(() => undefined))?.status !== 200) await wait(50);
    const nominal = await postFor(ledger.url, NOMINAL, Math.max(1, seconds / 4), 'n');
    let ended = 0;
    for (let i = 0; i < slow; i++) sockets.push(slowSocket(ledger.url, () => ended++));
    const drip = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('x');
    }, 5_000);
    let memory = 0;
    let isOver = false;
    const watched = (async () => {
      const all: Sample[] = [];
      while (!isOver) {
        memory = Math.max(memory, residentMib(pid));
        all.push(
          await ask(ledger.url, '/livez').catch((error: Error) => ({
            status: 0,
            ms: 0,
            retryAfter: error.message,
          })),
        );
        await wait(200);
      }
      return all;
    })();
    const loaded = await postFor(ledger.url, connections, seconds, 'o');
    isOver = true;
    const lives = await watched;
    clearInterval(drip);
    const refused = loaded.filter(({ status }) => status === 503 || status === 429);
    for (const { status, retryAfter } of lives)
      if (status !== 200) findings.push(`/livez is answered ${status} ${retryAfter ?? ''}`);
    for (const { status, retryAfter } of loaded)
      if (![201, 503, 429].includes(status))
        findings.push(`a post is answered ${status} ${status === 0 ? retryAfter : ''}`);
    for (const { retryAfter } of refused)
      if (!(Number(retryAfter) > 0)) findings.push('a refusal does not say when to come back');
    if (memory > MAX_MEMORY_MIB) findings.push(`it took ${memory} MiB`);
    if (loaded.every(({ status }) => status !== 201)) findings.push('no fact was recorded under load');
    return {
      nominal: recordedIn(nominal),
      overload: { ...recordedIn(loaded), refused: refused.length },
      live: { asked: lives.length, slowest: Math.max(0, ...lives.map(({ ms }) => ms)) },
      memoryMib: memory,
      slowEnded: ended,
      findings: [...new Set(findings)],
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await ledger.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function recordedIn(samples: readonly Sample[]) {
  const times = samples.flatMap(({ status, ms }) => (status === 201 ? [ms] : [])).sort((a, b) => a - b);
  return { recorded: times.length, p99: Math.round(times[Math.floor(times.length * 0.99)] ?? 0) };
}

/** Posts facts over so many connections at once, each as soon as the one before is answered. */
async function postFor(url: string, connections: number, seconds: number, run: string): Promise<Sample[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const end = performance.now() + seconds * 1_000;
  const samples: Sample[] = [];
  const client = async (i: number) => {
    for (let n = 0; performance.now() < end; n++) {
      const { headers, body } = inStructuredMode(
        registered(`${run}-${i}-${n}`, '2026-04-01T00:00:00.000Z', `a${i % 9}`),
      );
      const options = {
        method: 'POST',
        headers: headers as Record<string, string>,
        agent,
        body: String(body),
      };
      samples.push(
        await ask(url, '/v1/events', options).catch((error: Error) => ({
          status: 0,
          ms: 0,
          retryAfter: error.message,
        })),
      );
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, i) => client(i)));
  agent.destroy();
  return samples;
}

interface AskOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
  readonly body?: string;
}

function ask(url: string, path: string, { body, ...options }: AskOptions = {}): Promise<Sample> {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(url + path, options, (response) => {
      response.resume().on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          ms: performance.now() - begin,
          retryAfter: response.headers['retry-after'],
        }),
      );
    });
    sent.on('error', reject).end(body);
  });
}

function slowSocket(url: string, onEnded: () => void): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined).on('close', onEnded);
  socket.write('POST /v1/events HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  return socket;
}

function residentMib(pid: number | undefined): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1_024);
}
