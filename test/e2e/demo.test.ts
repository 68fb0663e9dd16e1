import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { sampleHistory } from '../../src/cli/demo/sample-history.ts';
import { decide } from '../../src/domain/facts/decide-fact.ts';
import { KnownFacts } from '../../src/domain/facts/known-facts.ts';
import { DAY_MS } from '../../src/domain/time.ts';
import { bearer } from '../support/keys.ts';
import { fetchPatiently } from '../support/patient-fetch.ts';
import { until } from '../support/until.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/demo/demo-main.ts', import.meta.url));
const READY = 'Ctrl-C ends the demo.';
/** Warnings of a ledger whose machine gives it no time. */
const ON_A_SLOW_MACHINE = /"problem":"overloaded"|"msg":"the probing process ended"/;
const KEY = 'demo-key-of-at-least-32-characters-000';

/** The demo as a process of its own. */
class Demo {
  output = '';
  errors = '';
  readonly process: ChildProcess;
  readonly exit: Promise<number | null>;

  constructor(
    dataDir: string,
    args: readonly string[] = [],
    port = 0,
    settings: Record<string, string> = {},
  ) {
    const env = { LEDGER_DATA_DIR: dataDir, LEDGER_HTTP_PORT: String(port), ...settings };
    this.process = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.exit = once(this.process, 'close').then(([code]) => code as number | null);
  }

  /** Resolves once the demo has printed its guide. */
  async ready(): Promise<void> {
    while (!this.output.includes(READY)) {
      const more = once(this.process.stdout as NodeJS.ReadableStream, 'data');
      const code = await Promise.race([more, this.exit]);
      if (!Array.isArray(code)) throw new Error(`the demo ended with ${code}: ${this.output}${this.errors}`);
    }
  }

  /** Ends the demo as Ctrl-C does. */
  async end(): Promise<void> {
    this.process.kill('SIGINT');
    expect(await this.exit, this.errors).toBe(0);
  }

  get url(): string {
    return /API docs +(\S+)\/docs/.exec(this.output)?.[1] ?? '';
  }

  /** The commands to paste, line breaks in quotes included. */
  get commands(): string[] {
    return Array.from(this.output.matchAll(/^ +(curl (?:'[^']*'|[^'\n])+)$/gm), ([, command]) =>
      String(command),
    );
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers have many shapes, and the test fails if one is wrong.
  async get(path: string): Promise<any> {
    const response = await fetchPatiently(this.url + path);
    expect(response.status).toBe(200);
    return response.json();
  }
}

async function folderForTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-demo-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** Runs a printed command in a shell, as a reader who pastes it does. */
async function paste(command: string): Promise<{ status: number; text: string }> {
  if (!hasCurl) return fetchLike(command);
  const { stdout } = await promisify(execFile)('sh', ['-c', `${command} --noproxy '*' -w '\\n%{http_code}'`]);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
}

async function fetchLike(command: string): Promise<{ status: number; text: string }> {
  const words = Array.from(
    command.matchAll(/'([^']*)'|(\S+)/g),
    ([, quoted, bare]) => quoted ?? String(bare),
  );
  const after = (flag: string) => (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined);
  const header = after('-H')?.split(': ');
  const body = after('-d');
  const response = await fetch(words.find((word) => word.startsWith('http')) ?? '', {
    ...(header !== undefined && { headers: [header as [string, string]] }),
    ...(body !== undefined && { method: 'POST', body }),
  });
  return { status: response.status, text: await response.text() };
}

describe('the demo while it runs', () => {
  let dataDir: string;
  let demo: Demo;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ledger-demo-'));
    demo = new Demo(dataDir);
    await demo.ready();
  });

  afterAll(async () => {
    demo.process.kill('SIGKILL');
    await demo.exit;
    await rm(dataDir, { recursive: true });
  });

  test('gives the Pro app a command that posts a fact, and a duplicate when it is pasted again', async () => {
    const command = demo.commands.find((each) => each.includes('cloudevents')) as string;
    const first = await paste(command);
    expect(first.status, first.text).toBe(201);
    expect(JSON.parse(first.text)).toMatchObject({ outcome: 'appended', clusterId: 'my-first-cluster' });
    const second = await paste(command);
    expect(second.status, second.text).toBe(200);
    expect(JSON.parse(second.text)).toEqual({ ...JSON.parse(first.text), outcome: 'duplicate' });
  });

  test('gives billing a command that pulls the usage of the month before, a row for each account and for each of its cluster types', async () => {
    const { status, text } = await paste(demo.commands.find((each) => each.includes('/v1/usage')) as string);
    expect(status).toBe(200);
    const [header, ...rows] = text.trim().split('\r\n');
    expect(header).toMatch(/^accountId,.*billableClusters,clusterSeconds,clusterMilliseconds,peakClusters/);
    const type = header?.split(',').indexOf('clusterType') ?? -1;
    const ofAllTypes = rows.filter((row) => row.split(',')[type] === '*');
    expect(ofAllTypes).toHaveLength(40);
    expect(rows.length).toBeGreaterThanOrEqual(80);
    expect(ofAllTypes.find((row) => row.startsWith('harbor-pay'))).toMatch(
      /,,\*,[1-9]\d*,[1-9]\d*\.\d{3},[1-9]/,
    );
  });

  test('gives the auditor commands that show a wrong deletion before and after its correction', async () => {
    const [events, believed, known] = await Promise.all(
      demo.commands.filter((each) => each.includes('/v1/clusters/')).map(paste),
    );
    const facts = JSON.parse(events?.text ?? '').items as { type: string }[];
    expect(facts.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['io.clusterledger.cluster.deleted.v1', 'io.clusterledger.fact.voided.v1']),
    );
    expect(JSON.parse(believed?.text ?? '').intervals).toMatchObject([{ to: expect.any(String) }]);
    expect(JSON.parse(known?.text ?? '').intervals).toMatchObject([{ to: null }]);
  });

  test('gives the auditor a command that reads the feed from the beginning', async () => {
    const { status, text } = await paste(demo.commands.find((each) => each.includes('/v1/feed')) as string);
    expect(status).toBe(200);
    const { events, next } = JSON.parse(text);
    expect(events).toHaveLength(100);
    expect(next).toBe(events.at(-1).ledgerposition);
  });

  test('has closed every month that is due, and has adjustments for late facts', async () => {
    const { text } = await paste(`curl -sS '${demo.url}/v1/periods'`);
    const { items } = JSON.parse(text) as { items: { period: string; state: string }[] };
    expect(items.length).toBeGreaterThan(10);
    expect(items.filter(({ state }) => state === 'due')).toEqual([]);
    const closed = items.filter(({ state }) => state === 'closed');
    expect(closed.length).toBeGreaterThanOrEqual(items.length - 2);
    const statements = await Promise.all(
      closed.map(({ period }) => paste(`curl -sS '${demo.url}/v1/periods/${period}/statements'`)),
    );
    const adjustments = statements.flatMap((each) =>
      (JSON.parse(each.text).items as { adjustments: object[] }[]).flatMap((one) => one.adjustments),
    );
    expect(adjustments.length).toBeGreaterThan(0);
  });

  test('has open problems at the places that it prints', async () => {
    const [, problems = ''] = demo.output.split('Open problems');
    const paths = Array.from(problems.matchAll(/http\S+(\/v1\S+)/g), ([, path]) => String(path));
    const [orphans, unreachable, stuck, spared, refused] = await Promise.all(
      paths.map((path) => demo.get(path)),
    );
    expect(orphans.items).toMatchObject([{ status: 'orphan' }]);
    expect(unreachable).toMatchObject({ status: 'stopped', stoppedBy: ['unreachable'] });
    expect(stuck.items.at(-1).type).toBe('io.clusterledger.cluster.deletion-confirmed.v1');
    // No other deletion is stuck, so the list of problems is complete.
    const { items: deletions } = await demo.get('/v1/deletions?limit=500');
    const stuckOnes = deletions.filter(({ state }: { state: string }) => state === 'stuck');
    expect(stuckOnes).toMatchObject([{ clusterId: stuck.items.at(-1).subject }]);
    expect(spared.intervals.at(-1).to).toBeNull();
    const codes = refused.items.map(({ problem }: { problem: { type: string } }) =>
      problem.type.split(':').at(-1),
    );
    expect(codes).toEqual(
      expect.arrayContaining(['registration-conflict', 'event-id-reused', 'cluster-deleted']),
    );
  });

  test('has clusters that the validator finds, a webhook that receives, and accounts with a plan', async () => {
    let counts: Record<string, number> = {};
    await until(async () => {
      counts = (await demo.get('/v1/validations')).items[0]?.result?.counts ?? {};
      // In a run on a slow machine, a cluster may not answer in time.
      return counts['unknown'] === 0 && counts['unverifiable'] === 0;
    });
    expect(counts['alive']).toBeGreaterThan(100);
    expect(counts['unreachable']).toBeGreaterThan(0);
    await until(async () => (await demo.get('/v1/webhooks')).items[0]?.delivery.lastSuccessAt !== undefined);
    const { limitUse } = await demo.get('/v1/accounts/acorn-insurance');
    expect(limitUse).toMatchObject([{ clusterType: 'workload-cluster', limit: expect.any(Number) }]);
  });

  test('has a year of facts, each recorded when it happened', async () => {
    const { events } = await demo.get('/v1/feed?after=0&limit=1');
    const [first] = events;
    expect(Date.now() - Date.parse(first.recordedtime)).toBeGreaterThan(350 * DAY_MS);
    expect(Date.parse(first.recordedtime) - Date.parse(first.time)).toBeLessThan(60_000);
  });

  test('receives posted facts continuously', async () => {
    const { headers } = await fetch(`${demo.url}/readyz`).then(() =>
      fetch(`${demo.url}/v1/accounts?limit=1`),
    );
    const feed = `/v1/feed?after=${headers.get('ledger-position')}&wait=20`;
    await until(async () => (await demo.get(feed)).events.length > 0);
  });

  test('does not share its port and its data with a second demo', async () => {
    const sameData = new Demo(dataDir);
    expect(await sameData.exit).toBe(1);
    expect(sameData.errors).toContain('is another demo running?');
    const samePort = new Demo(await folderForTest(), [], Number(new URL(demo.url).port));
    expect(await samePort.exit).toBe(1);
    expect(samePort.errors).toMatch(/^Port \d+ of 127\.0\.0\.1 is in use/);
    expect((await demo.get('/readyz')).status).toBe('ready');
  });

  test('ends cleanly at SIGINT, and prints nothing unexpected', async () => {
    await demo.end();
    expect(demo.output).toContain('The demo has ended.');
    for (const control of ['\r', '\u001b']) expect(demo.output).not.toContain(control);
    const unexpected = demo.errors.split('\n').filter((line) => line !== '' && !ON_A_SLOW_MACHINE.test(line));
    expect(unexpected).toEqual([]);
  });
});

describe('a start of the demo', () => {
  test('empties the folder of the previous demo', async () => {
    const dataDir = await folderForTest();
    const first = new Demo(dataDir);
    await first.ready();
    await Promise.all(first.commands.map(paste));
    await first.end();
    await writeFile(join(dataDir, 'demo', 'left-over'), '');
    const second = new Demo(dataDir);
    await second.ready();
    expect(await readdir(join(dataDir, 'demo'))).not.toContain('left-over');
    const { status } = await fetch(`${second.url}/v1/clusters/my-first-cluster`);
    expect(status).toBe(404);
    await second.end();
  });

  test('ends after the given time', async () => {
    const demo = new Demo(await folderForTest(), ['--seconds', '1']);
    await demo.ready();
    expect(await demo.exit, demo.errors).toBe(0);
  });

  test('leaves a folder unchanged that the demo did not create', async () => {
    const dataDir = await folderForTest();
    const file = join(dataDir, 'demo', 'ledger.db');
    await mkdir(join(dataDir, 'demo'));
    await writeFile(file, 'the ledger of a company called demo');
    const demo = new Demo(dataDir, ['--seconds', '1']);
    expect(await demo.exit).toBe(1);
    expect(demo.errors).toContain('was not made by the demo');
    expect(await readFile(file, 'utf8')).toBe('the ledger of a company called demo');
    expect(await readdir(join(dataDir, 'demo'))).toEqual(['ledger.db']);
  });

  test.each(['--fast', 'now', '--seconds', '--seconds 0', '--seconds 1.5'])(
    'fails with a usage error for %s, and creates nothing',
    async (args) => {
      const dataDir = await folderForTest();
      const demo = new Demo(dataDir, args.split(' '));
      expect(await demo.exit).toBe(2);
      expect(demo.errors).toContain('Usage: npm run demo');
      expect(await readdir(dataDir)).toEqual([]);
    },
  );

  test('needs no API key on its own machine, also if one is configured: the printed commands work', async () => {
    const demo = new Demo(await folderForTest(), [], 0, { LEDGER_BOOTSTRAP_KEY: KEY });
    await demo.ready();
    expect(demo.output).not.toContain('LEDGER_BOOTSTRAP_KEY');
    const answers = await Promise.all(demo.commands.map(paste));
    expect(answers.map(({ status }) => status)).toEqual(
      answers.map(() => expect.toSatisfy((it) => it < 300)),
    );
    await demo.end();
  });

  test('asks for the API key on an address that other machines can use, says so, and fills every page with it', async () => {
    const settings = { LEDGER_HTTP_HOST: '0.0.0.0', LEDGER_BOOTSTRAP_KEY: KEY };
    const demo = new Demo(await folderForTest(), [], 0, settings);
    await demo.ready();
    expect(demo.output).toContain('Requests need the API key in LEDGER_BOOTSTRAP_KEY');
    const url = demo.url.replace('0.0.0.0', '127.0.0.1');
    expect((await fetch(`${url}/v1/webhooks`)).status).toBe(401);
    // biome-ignore lint/suspicious/noExplicitAny: answers have many shapes, and the test fails if one is wrong.
    const get = async (path: string): Promise<any> =>
      (await fetchPatiently(url + path, { headers: bearer(KEY) })).json();
    await until(async () => (await get('/v1/webhooks')).items[0]?.delivery.lastSuccessAt !== undefined);
    const { headers } = await fetch(`${url}/v1/accounts?limit=1`, { headers: bearer(KEY) });
    const feed = `/v1/feed?after=${headers.get('ledger-position')}&wait=20`;
    await until(async () => (await get(feed)).events.length > 0);
    await demo.end();
  });

  test('reports a setting that is not allowed', async () => {
    const demo = new Demo(await folderForTest(), [], 70_000);
    expect(await demo.exit).toBe(2);
    expect(demo.errors).toContain('LEDGER_HTTP_PORT must be a port');
  });

  test('prints its usage with --help', async () => {
    const demo = new Demo(await folderForTest(), ['--help']);
    expect(await demo.exit).toBe(0);
    expect(demo.output).toMatch(/^Usage: npm run demo/);
    expect(demo.errors).toBe('');
  });
});

describe('the sample history', () => {
  test('is the same at every start of a day', () => {
    const morning = sampleHistory(Date.UTC(2027, 2, 3, 4));
    const evening = sampleHistory(Date.UTC(2027, 2, 3, 21));
    const idsOf = ({ steps }: typeof morning) => new Set(steps.map(({ origin }) => origin.id));
    expect(idsOf(evening).isSupersetOf(idsOf(morning))).toBe(true);
    expect(evening.problems).toEqual(morning.problems);
  });

  test.each(
    Array.from({ length: 40 }, (_, i) => new Date(Date.UTC(2027, 11, 31, (i * 7) % 24) + i * 9 * DAY_MS)),
  )('is consistent if it is generated at %s', (date) => {
    const now = date.getTime();
    const known = new Map<string, KnownFacts>();
    for (const { fact, origin, recordedAt, outcome, voids } of sampleHistory(now).steps) {
      expect(recordedAt).toBeLessThanOrEqual(now);
      const facts = known.get(fact.clusterId) ?? new KnownFacts();
      known.set(fact.clusterId, facts);
      const isKnown = facts.find(origin.id) !== undefined;
      const said = fact.type === 'FactVoided' ? { ...fact, voids: voids?.origin.id ?? '' } : fact;
      const { ok } = decide(facts, said, { now: recordedAt, mayBackdate: false });
      if (outcome !== 'appended') {
        expect(isKnown || !ok).toBe(true);
        continue;
      }
      expect({ said, isKnown, ok }).toEqual({ said, isKnown: false, ok: true });
      facts.add({ eventId: origin.id, order: facts.all.length, fact: said });
    }
    expect(known.size).toBeGreaterThan(400);
  });
});
