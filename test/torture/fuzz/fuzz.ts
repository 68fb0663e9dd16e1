import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectOptions } from 'fastify';
import { inBatchMode, registered, stopped } from '../../support/cloud-events.ts';
import { until } from '../../support/until.ts';
import { seededRandom } from '../seeded-random.ts';
import { openLedgerOn } from '../victim/judge.ts';
import { mutate } from './mutate.ts';
import { parsers, type Target } from './parsers.ts';
import { RouteFuzzer, sendFuzzed } from './routes.ts';

/** The result of a run. */
export interface FuzzReport {
  inputs: number;
  /** Inputs that were not refused, by the name of the target. */
  readonly taken: Map<string, number>;
  readonly findings: string[];
}

export interface FuzzOptions {
  readonly seed: number;
  /** Number of inputs; one in ten is a request, the others are divided among the parsers. */
  readonly count: number;
  /** Further targets, for tests of this harness. */
  readonly plant?: readonly Target[];
  readonly progress?: (report: FuzzReport) => void;
}

const MAX_FINDINGS = 20;
/** CPU time of this thread after which an input counts as one that hangs. */
const HANG_US = 1_000_000;

/** Gives every parser and every route texts with defects. None may crash, hang, or take what it must not. */
export async function fuzz({ seed, count, plant = [], progress }: FuzzOptions): Promise<FuzzReport> {
  const report: FuzzReport = { inputs: 0, taken: new Map(), findings: [] };
  const folder = mkdtempSync(join(tmpdir(), 'ledger-fuzzed-'));
  const ledger = await openLedgerOn(folder, { LEDGER_HTTP_RATE_LIMIT: '1000000' });
  const evidence = await evidenceOf(ledger);
  const { targets, close } = parsers(evidence);
  try {
    const all = [...targets, ...plant];
    const random = seededRandom(seed);
    const routes = new RouteFuzzer(random);
    while (report.inputs < count && report.findings.length < MAX_FINDINGS) {
      const n = report.inputs++;
      // Of this thread: the others collect garbage and write the log of the ledger.
      const before = process.threadCpuUsage();
      if (n % 10 === 0) {
        const request = routes.next();
        const wrong = await sendFuzzed(ledger, request);
        if (wrong !== undefined)
          report.findings.push(`${wrong}, of ${JSON.stringify(request).slice(0, 2_000)}`);
        else count1(report, 'routes');
      } else {
        const target = all[n % all.length] as Target;
        const text = mutate(target.samples, random);
        const wrong = run(target, text);
        if (wrong === undefined) count1(report, target.name);
        else if (wrong !== 'refused')
          report.findings.push(`${target.name}: ${wrong}, of ${JSON.stringify(text).slice(0, 2_000)}`);
      }
      const { user } = process.threadCpuUsage(before);
      if (user > HANG_US)
        report.findings.push(`input ${n} of seed ${seed} took ${Math.round(user / 1_000)} ms of CPU`);
      if (n % 20_000 === 19_999) progress?.(report);
    }
    return report;
  } finally {
    close();
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function count1({ taken }: FuzzReport, name: string): void {
  taken.set(name, (taken.get(name) ?? 0) + 1);
}

function run({ parse, refusals }: Target, text: string): string | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    if (refusals.some((refusal) => error instanceof refusal)) return 'refused';
    return String((error as Error).stack ?? error).slice(0, 400);
  }
}

/** Fills a ledger, and returns an evidence file of it and the key that verifies the file. */
async function evidenceOf({
  app,
}: Awaited<ReturnType<typeof openLedgerOn>>): Promise<{ file: string; key: string }> {
  const { headers, body } = inBatchMode([
    ...['c1', 'c2'].map((id) => registered(id, '2026-04-01T00:00:00.000Z')),
    stopped('c1', '2026-04-09T00:00:00.000Z'),
  ]);
  // A machine that does other work may make the ledger busy.
  const answerOf = async (asked: InjectOptions) => {
    let answer = await app.inject(asked);
    await until(async () => {
      if (answer.statusCode === 503) answer = await app.inject(asked);
      return answer.statusCode !== 503;
    });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${answer.body}`);
    return answer.body;
  };
  const posted = {
    method: 'POST',
    headers: headers as Record<string, string>,
    payload: String(body),
  } as const;
  await answerOf({ ...posted, url: '/v1/events' });
  await answerOf({ method: 'POST', url: '/v1/periods/2026-04/close', payload: { early: true } });
  const file = await answerOf({ url: '/v1/accounts/acme/evidence?period=2026-04' });
  return { file, key: (await answerOf({ url: '/log/key' })).trim() };
}
