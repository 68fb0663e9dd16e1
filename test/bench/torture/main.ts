/**
 * Requests every expensive answer of a ledger with crowded accounts and clusters, and reports what each costs the others: how
 * long it holds the event loop, and how much memory it takes. `npm run torture:loop`
 */
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DAY_MS } from '../../../src/domain/time.ts';
import { SqliteStore } from '../../../src/eventstore/sqlite/sqlite-store.ts';
import { logFile } from '../support/log.ts';
import { Resources } from '../support/resources.ts';
import { DAYS, FROM, FULL, writeCrowdedLog } from './crowded-log.ts';
import type { Measured } from './loop-probe.ts';
import { type Probed, startProbed } from './probed-ledger.ts';

const MAX_HOLD_MS = 50;
const MAX_RSS_MIB = 200;
/** Maximum CPU of an abandoned request after its client is gone, in milliseconds. */
const MAX_ABANDONED_MS = 100;
/** Maximum CPU of 100 late facts in a batch, in milliseconds. */
const MAX_LATE_MS = 20;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    part: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const say = (text: string) => void process.stderr.write(`${text}\n`);

const MONTHS = ['2025-10', '2025-11', '2025-12'];

const day = (n: number) => new Date(FROM + n * DAY_MS).toISOString();
const whole = `from=${day(0)}&to=${day(DAYS)}`;

/** The requests, by name: path, and for a POST its body. */
const REQUESTS: readonly (readonly [name: string, path: string, body?: object])[] = [
  ['usage, all accounts', `/v1/usage?${whole}`],
  ['usage, all accounts, as of', `/v1/usage?${whole}&asOf=150000`],
  ['usage, all accounts, by region', `/v1/usage?${whole}&groupBy=region`],
  ['usage, all accounts, by day', `/v1/usage?${whole}&granularity=day`],
  ['usage, all accounts, by day and region', `/v1/usage?${whole}&granularity=day&groupBy=region`],
  ['usage of 5,000 clusters', `/v1/accounts/big/usage?${whole}`],
  ['usage of 5,000 clusters, by day', `/v1/accounts/big/usage?${whole}&granularity=day`],
  [
    'usage of 5,000 clusters, by day and region',
    `/v1/accounts/big/usage?${whole}&granularity=day&groupBy=region`,
  ],
  ['usage of the busy cluster, by day', `/v1/accounts/one/usage?${whole}&granularity=day`],
  ['explain 5,000 clusters', `/v1/accounts/big/usage/explain?${whole}`],
  ['explain the busy cluster', `/v1/accounts/one/usage/explain?${whole}`],
  ['explain the busy cluster, as of', `/v1/accounts/one/usage/explain?${whole}&asOf=15000`],
  ['replay 5,000 clusters', `/v1/accounts/big/replay?${whole}`],
  ['replay the busy cluster', `/v1/accounts/one/replay?${whole}`],
  ['diff 5,000 clusters', `/v1/accounts/big/diff?${whole}&before=60000`],
  ['diff the busy cluster', `/v1/accounts/one/diff?${whole}&before=5000`],
  [
    'what if, 5,000 clusters',
    '/v1/accounts/big/what-if',
    { from: day(0), to: day(DAYS), add: [registration('new', 'big')] },
  ],
  [
    'what if, the busy cluster',
    '/v1/accounts/one/what-if',
    { from: day(0), to: day(DAYS), add: [stop('busy', 200.5)] },
  ],
  ['clusters', '/v1/clusters?limit=1000'],
  ['clusters by name', '/v1/clusters?sort=name&limit=1000'],
  ['clusters that match', '/v1/clusters?q=19&limit=1000'],
  ['the busy cluster', '/v1/clusters/busy'],
  ['billing of the busy cluster', '/v1/clusters/busy/billing'],
  ['billing of the busy cluster, as of', '/v1/clusters/busy/billing?asOf=15000'],
  ['one fact of the busy cluster', '/v1/clusters/busy/events?limit=1'],
  ['1,000 facts of the busy cluster', '/v1/clusters/busy/events?limit=1000'],
  ['accounts', '/v1/accounts?limit=1000'],
  ['account of 5,000 clusters', '/v1/accounts/big'],
  ['feed', '/v1/feed?after=0&limit=1000'],
  ['periods', '/v1/periods'],
  ['statements of the first month', '/v1/periods/2025-10/statements'],
  ['statements of the third month', '/v1/periods/2025-12/statements'],
  ['a statement', '/v1/periods/2025-12/statements/big'],
  ['dry run of a close', '/v1/periods/2026-01/close', { dryRun: true }],
  ['evidence of 5,000 clusters', '/v1/accounts/big/evidence?period=2025-12'],
  ['evidence of the busy cluster', '/v1/accounts/one/evidence?period=2025-12'],
  [
    'dry run of a transfer of the busy cluster',
    '/v1/clusters/busy/transfers',
    { accountId: 'big', effectiveAt: day(1), dryRun: true },
  ],
  ['alerts', '/v1/alerts'],
  ['metrics', '/metrics'],
  ['readiness', '/readyz'],
];

/** The requests that stop when their client is gone, if they take long. */
const LONG = /by day|by region|explain|replay|diff|evidence|statements/;
/** Work that went on would use most of this time. */
const ABANDONED_WAIT_MS = 2_000;

function event(type: string, clusterId: string, at: number, data: object) {
  const time = new Date(FROM + Math.floor(at * DAY_MS)).toISOString();
  const id = `${type}-${clusterId}-${at}`;
  return {
    specversion: '1.0',
    type: `io.clusterledger.${type}.v1`,
    source: 'urn:late',
    id,
    subject: clusterId,
    time,
    data,
  };
}

function registration(clusterId: string, accountId: string) {
  return event('cluster.registered', clusterId, 1, { accountId, name: clusterId });
}

function stop(clusterId: string, at: number) {
  return event('billing.stopped', clusterId, at, { cause: 'manual', reason: 'late' });
}

/** Other late facts of the busy cluster. Most of them change the billing until the next fact of their kind, or permanently. */
const LATE_KINDS: readonly (readonly [kind: string, factOf: (n: number, at: number) => object])[] = [
  [
    'stops and resumptions for another cause',
    (n, at) => event(n % 2 === 0 ? 'billing.stopped' : 'billing.resumed', 'busy', at, { cause: 'missing' }),
  ],
  ['observations', (_, at) => event('cluster.unreachable', 'busy', at, {})],
  [
    'changes',
    (n, at) => event('cluster.changed', 'busy', at, { clusterType: n % 2 === 0 ? 'vcluster' : 'gpu' }),
  ],
  ['transfers', (n, at) => event('cluster.changed', 'busy', at, { accountId: n % 2 === 0 ? 'two' : 'one' })],
  ['deletions', (n, at) => event('cluster.deleted', 'busy', 390 + at / 100 - n / 1_000, {})],
];

async function post(url: string, body: unknown, type = 'application/json'): Promise<string> {
  const headers = { 'content-type': type };
  const answer = await untilAnswered(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text}`);
  return text;
}

/** Asks again while the ledger says that it is busy. */
async function untilAnswered(url: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const answer = await fetch(url, init);
    if (answer.status !== 503) return answer;
    await answer.text();
    await wait(1_000);
  }
}

async function ask({ url }: Probed, path: string, body: object | undefined): Promise<number> {
  if (body !== undefined) return (await post(url + path, body)).length;
  const answer = await untilAnswered(url + path);
  let bytes = 0;
  for await (const chunk of answer.body ?? []) bytes += (chunk as Uint8Array).length;
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return bytes;
}

/** Requests a path on a connection of its own, and returns once the answer has begun. */
async function begun({ url }: Probed, path: string): Promise<IncomingMessage> {
  const sent = request(url + path, { agent: false });
  sent.on('error', () => undefined).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  await once(answer, 'readable');
  return answer;
}

/** Returns the median time that a write of 4 KiB and its sync take in a folder, in milliseconds. */
function syncMs(folder: string): number {
  const file = openSync(join(folder, 'floor'), 'a');
  const page = Buffer.alloc(4_096);
  const times = Array.from({ length: 21 }, () => {
    const since = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - since;
  });
  closeSync(file);
  return median(times);
}

/** Returns the median time of the smallest request, in milliseconds. */
async function smallestMs({ url }: Probed): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 21; i++) {
    const since = performance.now();
    await (await fetch(`${url}/livez`)).text();
    times.push(performance.now() - since);
  }
  return median(times);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

async function main(): Promise<void> {
  const resources = new Resources();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void resources.release().then(() => process.exit(130)));
  try {
    const folder = await resources.folderOnDisk();
    const part = Number(values.part);
    const size = {
      facts: FULL.facts * part,
      clusters: FULL.clusters * part,
      bigAccount: FULL.bigAccount * part,
      busyCluster: FULL.busyCluster * part,
    };
    say(`writing ${size.facts} facts of ${size.clusters} clusters`);
    const store = await SqliteStore.open(logFile(folder));
    await writeCrowdedLog(store, size);
    await store.close();
    const ledger = await startProbed(resources, folder);
    say(
      `floors: a write and its sync ${syncMs(folder).toFixed(1)} ms, GET /livez ${(await smallestMs(ledger)).toFixed(1)} ms`,
    );
    const rows: Row[] = [];
    const run = async (name: string, work: () => Promise<number>, maxCpuMs = Number.POSITIVE_INFINITY) => {
      if (values.only !== undefined && !new RegExp(values.only).test(name)) return;
      let [bytes, ms] = [0, 0];
      const measured = await ledger.measured(async () => {
        const since = performance.now();
        bytes = await work();
        ms = performance.now() - since;
      });
      const row = { name, bytes, ms, measured, maxCpuMs };
      rows.push(row);
      say(line(row));
    };
    for (const month of MONTHS) {
      // The first facts after the start also compile the code.
      const isWarm = month !== MONTHS[0];
      await run(
        `close of ${month}`,
        async () => (await post(`${ledger.url}/v1/periods/${month}/close`, {})).length,
      );
      const late = Array.from({ length: 100 }, (_, i) =>
        stop('busy', 1 + i / 7 + Number(month.slice(-2)) / 100),
      );
      await run(
        `100 late facts after the close of ${month}, in a batch`,
        async () =>
          (await post(`${ledger.url}/v1/events`, late, 'application/cloudevents-batch+json')).length,
        isWarm ? MAX_LATE_MS : undefined,
      );
      for (const [kind, lateFact] of LATE_KINDS) {
        const facts = Array.from({ length: 100 }, (_, i) =>
          lateFact(i, 1.5 + i / 7 + Number(month.slice(-2)) / 100),
        );
        await run(
          `100 late ${kind} after the close of ${month}, in a batch`,
          async () =>
            (await post(`${ledger.url}/v1/events`, facts, 'application/cloudevents-batch+json')).length,
          isWarm ? MAX_LATE_MS : undefined,
        );
      }
      await run(`100 late facts after the close of ${month}, one by one`, async () => {
        for (const each of late)
          await post(
            `${ledger.url}/v1/events`,
            { ...each, id: `${each.id}-single` },
            'application/cloudevents+json',
          );
        return 0;
      });
    }
    for (const [name, path, body] of REQUESTS) await run(name, () => ask(ledger, path, body));
    const idle = () => wait(ABANDONED_WAIT_MS).then(() => 0);
    await run('nothing, for as long as an abandoned request is watched', idle);
    const long = rows.filter(({ name, measured }) => LONG.test(name) && measured.cpuMs > MAX_ABANDONED_MS);
    for (const [name, path] of REQUESTS.filter(([name]) => long.some((row) => row.name === name))) {
      const answer = await begun(ledger, path);
      const rest = async () => {
        answer.destroy();
        return idle();
      };
      await run(`${name}, after its client is gone`, rest, MAX_ABANDONED_MS);
    }
    const wrong = rows.filter(isBeyond);
    process.stdout.write(
      values.json ? `${JSON.stringify(rows, undefined, 2)}\n` : `${rows.map(line).join('\n')}\n`,
    );
    say(
      wrong.length === 0
        ? 'all within the limits'
        : `${wrong.length} beyond the limits: ${wrong.map(({ name }) => name).join('; ')}`,
    );
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } finally {
    await resources.release();
  }
}

/** A request, or a number of them, and its cost. */
interface Row {
  readonly name: string;
  readonly bytes: number;
  readonly ms: number;
  readonly measured: Measured;
  /** Maximum CPU of the main thread, in milliseconds. */
  readonly maxCpuMs: number;
}

function isBeyond({ measured: { holdMs, rssMiB, cpuMs }, maxCpuMs }: Row): boolean {
  return holdMs > MAX_HOLD_MS || rssMiB > MAX_RSS_MIB || cpuMs > maxCpuMs;
}

function line(row: Row): string {
  const { name, bytes, ms, measured } = row;
  const { holdMs, cpuMs, processCpuMs, rssMiB } = measured;
  const mark = isBeyond(row) ? '!' : ' ';
  return `${mark} ${name.padEnd(56)} hold ${holdMs.toFixed(0).padStart(4)} ms  CPU ${cpuMs.toFixed(0).padStart(5)} ms (process ${processCpuMs.toFixed(0)})  RSS +${rssMiB.toFixed(0).padStart(4)} MiB  ${(bytes / 1e6).toFixed(1).padStart(7)} MB in ${ms.toFixed(0)} ms`;
}

await main();
