import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { LedgerProcess } from '../../support/ledger-process.ts';
import { until } from '../../support/until.ts';
import { seededRandom } from '../seeded-random.ts';
import { UnreliableProxy } from './unreliable-proxy.ts';

const APP = join(import.meta.dirname, 'app.ts');

/** Number of apps that share the outbox. */
const APPS = 2;

export interface OutboxReport {
  readonly kills: number;
  readonly ledgerRestarts: number;
  readonly cuts: number;
  /** Number of events that the outbox took, and that the ledger must have or must have rejected. */
  readonly taken: number;
  readonly rejected: number;
  /** Descriptions of everything that is wrong. */
  readonly findings: readonly string[];
}

interface Taken {
  readonly cluster: string;
  readonly id: string;
  readonly isPoisoned: boolean;
}

interface FeedEvent {
  readonly id: string;
  readonly subject: string;
}

/**
 * Kills apps that share an outbox, while the ledger is killed and started and connections are cut, and compares what the outbox
 * took with what the ledger recorded.
 */
export async function tortureOutbox(options: {
  readonly seed: number;
  /** Number of times that an app is killed. */
  readonly count: number;
  readonly progress?: (kills: number) => void;
}): Promise<OutboxReport> {
  const { seed, count, progress = () => undefined } = options;
  const random = seededRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'torture-outbox-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: join(folder, 'ledger'), LEDGER_LOG_LEVEL: 'fatal' });
  const proxy = new UnreliableProxy(() => Number(new URL(ledger.url).port), random);
  const file = join(folder, 'outbox.db');
  const url = await proxy.listen();
  const taken: Taken[] = [];
  const apps: ChildProcess[] = [];
  const end = new AbortController();
  let ledgerRestarts = 0;
  try {
    await ledger.start();
    const restarting = (async () => {
      while (!end.signal.aborted) {
        await wait(random() * 800);
        await ledger.stop(random() < 0.5 ? 'SIGKILL' : 'SIGTERM');
        await wait(random() * 400);
        await ledger.start();
        ledgerRestarts++;
      }
    })();
    for (let kills = 0, run = 0; kills < count; kills++) {
      while (apps.length < APPS) apps.push(await startApp(file, url, `run${run++}`, taken));
      await wait(random() * 300);
      const [victim] = apps.splice(Math.floor(random() * apps.length), 1) as [ChildProcess];
      await kill(victim);
      progress(kills + 1);
    }
    for (const app of apps.splice(0)) await kill(app);
    end.abort();
    await restarting;
    const rejected = await flush(file, url);
    return {
      kills: count,
      ledgerRestarts,
      cuts: proxy.cuts,
      taken: taken.length,
      rejected: rejected.length,
      findings: compare(taken, await readFeed(ledger), rejected),
    };
  } finally {
    end.abort();
    for (const app of apps) await kill(app);
    await ledger.stop('SIGKILL');
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts an app, and waits until its outbox has taken an event. */
async function startApp(file: string, url: string, run: string, taken: Taken[]): Promise<ChildProcess> {
  const app = spawn(process.execPath, [APP, file, url, run], { stdio: ['ignore', 'pipe', 'inherit'] });
  let hasBegun = false;
  createInterface({ input: app.stdout as NonNullable<typeof app.stdout> }).on('line', (line) => {
    const [cluster = '', id = '', kind] = line.split(' ');
    // The last line of a killed app can be cut.
    if (kind !== 'valid' && kind !== 'poisoned') return;
    hasBegun = true;
    taken.push({ cluster, id, isPoisoned: kind === 'poisoned' });
  });
  await until(() => {
    if (app.exitCode !== null) throw new Error(`the app ended with ${app.exitCode}`);
    return hasBegun;
  });
  return app;
}

async function kill(app: ChildProcess): Promise<void> {
  const closed = once(app, 'close');
  app.kill('SIGKILL');
  await closed;
}

/** Starts an app that ends once all events have arrived. @returns the events that the ledger rejected. */
async function flush(file: string, url: string): Promise<{ id: string; status: number }[]> {
  const app = spawn(process.execPath, [APP, file, url, 'flush', 'flush'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  app.stdout.on('data', (bytes) => (text += String(bytes)));
  const [code] = (await once(app, 'close')) as [number];
  if (code !== 0) throw new Error(`the app that flushes ended with ${code}`);
  return JSON.parse(text);
}

async function readFeed(ledger: LedgerProcess): Promise<FeedEvent[]> {
  const all: FeedEvent[] = [];
  for (let after = '0'; ; ) {
    const page = await ledger.getJson(`/v1/feed?limit=1000&after=${after}`);
    const { events, next } = page as { events: FeedEvent[]; next: string };
    if (events.length === 0) return all;
    all.push(...events);
    after = next;
  }
}

function compare(
  taken: readonly Taken[],
  recorded: readonly FeedEvent[],
  rejected: readonly { id: string; status: number }[],
): string[] {
  const findings: string[] = [];
  const places = new Map<string, number>();
  for (const [place, { id }] of recorded.entries()) {
    if (places.has(id)) findings.push(`${id} was recorded twice`);
    places.set(id, place);
  }
  const refused = new Map(rejected.map(({ id, status }) => [id, status]));
  if (refused.size !== rejected.length) findings.push('an event was rejected twice');
  const last = new Map<string, number>();
  for (const { cluster, id, isPoisoned } of taken) {
    const place = places.get(id);
    if (isPoisoned) {
      if (place !== undefined) findings.push(`${id} is not valid, and was recorded`);
      if (refused.get(id) !== 400) findings.push(`${id} is not valid, and is not among the rejected events`);
      continue;
    }
    if (refused.has(id)) findings.push(`${id} is valid, and was rejected`);
    if (place === undefined) {
      findings.push(`${id} was taken, and was not recorded`);
      continue;
    }
    const run = `${cluster} ${id.split('-')[0]}`;
    if (place < (last.get(run) ?? -1))
      findings.push(`${id} was recorded before an earlier event of its cluster`);
    last.set(run, place);
    const registered = places.get(`register-${cluster}`);
    if (registered === undefined || registered > place)
      findings.push(`${id} was recorded before the registration of its cluster`);
  }
  return findings;
}
