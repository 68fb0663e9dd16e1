import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inBatchMode, registered } from '../support/cloud-events.ts';
import { LedgerProcess } from '../support/ledger-process.ts';

/** How soon clients of the live stream get facts. */
export interface LiveReport {
  readonly clients: number;
  readonly facts: number;
  /** From the time that a fact names, which is when it is posted, to the arrival of the oldest fact of a part of the stream, in ms. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly findings: readonly string[];
}

const FACTS_PER_POST = 10;
const POST_EVERY_MS = 50;
const MAX_MS = 1_000;
const TIME = Buffer.from('"time":"');
const ID = Buffer.from('\nid: ');

class LiveClient {
  readonly #delays: number[];
  #request: ReturnType<typeof request> | undefined;
  /** Position of the newest fact that has arrived. */
  position = 0;

  constructor(delays: number[]) {
    this.#delays = delays;
  }

  connect(url: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#request = request(`${url}/v1/stream`, { agent: false }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`the stream answers ${answer.statusCode}`));
        this.#read(answer);
        resolve();
      });
      this.#request.once('error', reject).end();
    });
  }

  #read(answer: IncomingMessage): void {
    answer.on('data', (chunk: Buffer) => {
      const now = Date.now();
      const at = chunk.indexOf(TIME);
      if (at !== -1) {
        const time = Date.parse(chunk.toString('latin1', at + TIME.length, at + TIME.length + 24));
        if (!Number.isNaN(time)) this.#delays.push(now - time);
      }
      const last = chunk.lastIndexOf(ID);
      const id = chunk.toString('latin1', last + ID.length, last + ID.length + 12);
      if (last !== -1) this.position = Number.parseInt(id, 10) || this.position;
    });
    answer.on('error', () => undefined);
  }

  close(): void {
    this.#request?.destroy();
  }
}

/** Connects clients to the live stream, posts 200 facts a second, and measures how soon each client has them. */
export async function liveClients(clients: number, seconds: number): Promise<LiveReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-live-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: dataDir, LEDGER_LOG_LEVEL: 'fatal' });
  const delays: number[] = [];
  const connected = Array.from({ length: clients }, () => new LiveClient(delays));
  try {
    await ledger.start();
    for (const client of connected) await client.connect(ledger.url);
    let facts = 0;
    const began = performance.now();
    for (let post = 0; performance.now() - began < seconds * 1_000; post++) {
      const time = new Date().toISOString();
      const events = Array.from({ length: FACTS_PER_POST }, (_, i) => registered(`c${post}-${i}`, time));
      const { headers, body } = inBatchMode(events);
      void fetch(`${ledger.url}/v1/events`, { method: 'POST', headers, body: String(body) }).then((answer) =>
        answer.arrayBuffer(),
      );
      facts += events.length;
      await wait(Math.max(0, began + (post + 1) * POST_EVERY_MS - performance.now()));
    }
    await wait(2 * MAX_MS);
    const late = connected.filter(({ position }) => position < facts).length;
    delays.sort((a, b) => a - b);
    const at = (share: number) => delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? 0;
    const findings: string[] = [];
    if (late > 0) findings.push(`${late} clients do not have every fact after ${2 * MAX_MS} ms`);
    if (at(1) > MAX_MS) findings.push(`a fact took ${at(1)} ms`);
    return { clients, facts, p50: at(0.5), p99: at(0.99), max: at(1), findings };
  } finally {
    for (const client of connected) client.close();
    await ledger.stop('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  }
}
