/**
 * A whole ledger in a process that is made to be killed: it does random work, chosen by a seed, and prints each promise that it
 * gives, after it has given it. Its argument is a `VictimOptions` as JSON.
 */

import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { pino } from 'pino';
import { type Composition, compose } from '../../../src/app/compose.ts';
import { readConfig } from '../../../src/config/config.ts';
import type { LossAcceptance } from '../../../src/ledger/loss-records.ts';
import {
  inBatchMode,
  inStructuredMode,
  type Message,
  type PostedEvent,
  registered,
  stopped,
  voided,
} from '../../support/cloud-events.ts';
import { seededRandom } from '../seeded-random.ts';
import { placeOf } from './judge.ts';
import type { Line } from './promises.ts';

/** Work of a victim. */
export interface VictimOptions {
  /** Folder of all its files. */
  readonly folder: string;
  readonly seed: number;
  /** Number of things that it does; without end by default. */
  readonly steps?: number;
  /** A kind of work; by default a random one each time. */
  readonly work?: string;
  /** URL that gets webhooks. */
  readonly webhook?: string;
  /** A mistake: it takes each answer for an acknowledgement. */
  readonly plant?: 'any-answer' | undefined;
}

const { folder, seed, steps, work, webhook, plant } = JSON.parse(process.argv[2] ?? '{}') as VictimOptions;
const random = seededRandom(seed);
const run = `v${seed}`;
const TIME = '2010-01-05T00:00:00.000Z';
let count = 0;
let hasFailed = false;
let acceptance: LossAcceptance | undefined;

function print(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function open(): Promise<Composition> {
  const ledger = await compose(readConfig(placeOf(folder)), {
    log: pino({ level: 'silent' }),
    now: Date.now,
    onFailed: (error) => {
      hasFailed = true;
      print({ failed: String(error) });
    },
    onLossAccepted: (given) => {
      acceptance = given;
    },
    ...(acceptance !== undefined && { acceptLoss: acceptance }),
  });
  acceptance = undefined;
  return ledger;
}

type Known = { readonly clusterId: string; readonly eventId: string };
const known: Known[] = [];
let nextMonth: string | undefined;

async function ask(ledger: Composition, method: 'GET' | 'POST', url: string, body?: object | Message) {
  const message: Message | undefined =
    body === undefined || 'headers' in body
      ? (body as Message | undefined)
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await ledger.app.inject({
    method,
    url,
    ...(message && { headers: message.headers as Record<string, string>, payload: message.body as string }),
  });
  return { status: answer.statusCode, text: answer.body };
}

/** Prints the facts of an answer that the ledger has acknowledged. */
function acknowledge(results: readonly Record<string, string>[]): void {
  for (const { outcome, eventId, position, recordedAt, clusterId } of results) {
    if (outcome !== 'appended' && outcome !== 'duplicate') continue;
    known.push({ clusterId: String(clusterId), eventId: String(eventId) });
    // A position that is not known yet is not promised.
    if (position !== null)
      print({
        fact: { eventId: String(eventId), position: Number(position), recordedAt: String(recordedAt) },
      });
  }
}

async function postOne(ledger: Composition, event: PostedEvent): Promise<void> {
  const { status, text } = await ask(ledger, 'POST', '/v1/events', inStructuredMode(event));
  if (status === 200 || status === 201) acknowledge([JSON.parse(text)]);
  else if (plant === 'any-answer')
    print({ fact: { eventId: event.id, position: (await ledger.store.head()) + 1, recordedAt: '' } });
}

/** Kinds of work, by name. Each returns once its answer has arrived. */
const WORK: Readonly<Record<string, (ledger: Composition) => Promise<Composition | undefined>>> = {
  async append(ledger) {
    await postOne(ledger, { ...registered(`${run}-${count}`, TIME), id: `${run}-${count++}` });
    return undefined;
  },
  async batch(ledger) {
    const events = Array.from({ length: 2 + Math.floor(random() * 30) }, () => {
      const id = `${run}-${count++}`;
      return { ...registered(id, TIME, `a${count % 5}`), id };
    });
    const { status, text } = await ask(ledger, 'POST', '/v1/events', inBatchMode(events));
    if (status === 200) acknowledge((JSON.parse(text) as { results: Record<string, string>[] }).results);
  },
  async void(ledger) {
    const target = known[Math.floor(random() * known.length)];
    if (target === undefined) return;
    const id = `${run}-${count++}`;
    if (random() < 0.5) await postOne(ledger, { ...stopped(target.clusterId, TIME), id });
    else await postOne(ledger, { ...voided(target.clusterId, TIME, target.eventId), id });
  },
  async close(ledger) {
    const { status: found, text: list } = await ask(ledger, 'GET', '/v1/periods?limit=1000');
    if (found !== 200) return undefined;
    const { items } = JSON.parse(list) as {
      items: { period: string; close: { statementsDigest: string } | null }[];
    };
    for (const { period, close } of items)
      if (close !== null) print({ closed: { period, digest: close.statementsDigest } });
    nextMonth = items.find(({ close }) => close === null)?.period;
    if (nextMonth === undefined) return;
    const { status, text } = await ask(ledger, 'POST', `/v1/periods/${nextMonth}/close`, { early: true });
    if (status === 200)
      print({
        closed: {
          period: nextMonth,
          digest: (JSON.parse(text) as { statementsDigest: string }).statementsDigest,
        },
      });
  },
  async sign(ledger) {
    const { status, text } = await ask(ledger, 'POST', '/log/checkpoint');
    if (status !== 200) return;
    const [, size = '', root = ''] = text.split('\n');
    print({ signed: { size: Number(size), root } });
  },
  /** Stops, which writes a snapshot, and starts again. */
  async snapshot(ledger) {
    await ledger.close();
    return open();
  },
  /** Accepts that facts are lost, if they are. */
  async 'accept-loss'(ledger) {
    const { status } = await ask(ledger, 'POST', '/v1/log/accept-loss', {
      reason: 'the backup is the newest one',
    });
    if (status !== 202) return;
    while (acceptance === undefined) await new Promise(setImmediate);
    await ledger.close();
    return open();
  },
};

function nextWork(): string {
  if (work !== undefined) return work;
  const dice = random();
  if (dice < 0.5) return 'append';
  if (dice < 0.7) return 'batch';
  if (dice < 0.85) return 'void';
  if (dice < 0.92) return 'close';
  return dice < 0.97 ? 'sign' : 'snapshot';
}

let ledger = await open();
const isJudged = async () => ledger.signedLog.isReady || !(await check()).ok;
const check = async () => {
  const { text } = await ask(ledger, 'GET', '/readyz');
  return (JSON.parse(text) as { checks: { log: { ok: boolean; detail: string } } }).checks.log;
};
while (!hasFailed && !(ledger.projections.isCaughtUp && (await isJudged())))
  await new Promise((resolve) => setTimeout(resolve, 1));
while (webhook !== undefined && !hasFailed) {
  const { status, text } = await ask(ledger, 'GET', '/v1/webhooks');
  const isThere = status === 200 && (JSON.parse(text) as { items: unknown[] }).items.length > 0;
  if (isThere) break;
  if (status === 200) await ask(ledger, 'POST', '/v1/webhooks', { url: webhook, after: '0' });
  else await new Promise((resolve) => setTimeout(resolve, 10));
}
// A killed process could not keep what it has compiled for the next one.
flushCompileCache();
print({ ready: { head: await ledger.store.head(), ...(await check()) } });
for (let step = 0; (steps === undefined || step < steps) && !hasFailed; step++)
  ledger = (await WORK[nextWork()]?.(ledger)) ?? ledger;
await ledger.close();
print({ done: true });
process.exit(hasFailed ? 1 : 0);
