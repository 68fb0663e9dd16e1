/**
 * A whole ledger in a process that is made to be killed: it does random work, chosen by a seed, and prints each promise that it
 * gives, after it has given it. Its argument is a `VictimOptions` as JSON.
 */

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
import { optionsOf, placeOf } from './log-alone.ts';
import { print, printSigned } from './promises.ts';
import { type Known, type Worker, workAtRandom } from './random-work.ts';
import type { VictimOptions } from './victim-options.ts';

const { folder, seed, steps, work, webhook, plant } = JSON.parse(process.argv[2] ?? '{}') as VictimOptions;
const TIME = '2010-01-05T00:00:00.000Z';
let hasFailed = false;
let acceptance: LossAcceptance | undefined;

async function open(): Promise<Composition> {
  const ledger = await compose(readConfig(placeOf(folder)), {
    log: pino({ level: 'silent' }),
    now: Date.now,
    ...optionsOf(seed % 2 === 0 ? 'before-reads' : 'after-reads'),
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

/** Prints the facts of an answer that the ledger has acknowledged, and returns them. */
function acknowledge(results: readonly Record<string, string>[]): readonly Known[] {
  const known: Known[] = [];
  for (const { outcome, eventId, position, recordedAt, clusterId } of results) {
    if (outcome !== 'appended' && outcome !== 'duplicate') continue;
    known.push({ clusterId: String(clusterId), eventId: String(eventId) });
    // A position that is not known yet is not promised.
    if (position !== null)
      print({
        fact: { eventId: String(eventId), position: Number(position), recordedAt: String(recordedAt) },
      });
  }
  return known;
}

async function postOne(event: PostedEvent): Promise<readonly Known[]> {
  const { status, text } = await ask(ledger, 'POST', '/v1/events', inStructuredMode(event));
  if (status === 200 || status === 201) return acknowledge([JSON.parse(text)]);
  if (plant === 'any-answer')
    print({ fact: { eventId: event.id, position: (await ledger.store.head()) + 1, recordedAt: '' } });
  return [];
}

const worker: Worker = {
  register: async (ids) => {
    const events = ids.map((id, i) => ({ ...registered(id, TIME, `a${i % 5}`), id }));
    if (events.length === 1) return postOne(events[0] as PostedEvent);
    const { status, text } = await ask(ledger, 'POST', '/v1/events', inBatchMode(events));
    if (status !== 200) return [];
    return acknowledge((JSON.parse(text) as { results: Record<string, string>[] }).results);
  },
  stop: (clusterId, id) => postOne({ ...stopped(clusterId, TIME), id }),
  void: ({ clusterId, eventId }, id) => postOne({ ...voided(clusterId, TIME, eventId), id }),
  close: async () => {
    const { status: found, text: list } = await ask(ledger, 'GET', '/v1/periods?limit=1000');
    if (found !== 200) return;
    const { items } = JSON.parse(list) as {
      items: { period: string; close: { statementsDigest: string } | null }[];
    };
    for (const { period, close } of items)
      if (close !== null) print({ closed: { period, digest: close.statementsDigest } });
    const period = items.find(({ close }) => close === null)?.period;
    if (period === undefined) return;
    const { status, text } = await ask(ledger, 'POST', `/v1/periods/${period}/close`, { early: true });
    if (status !== 200) return;
    const { statementsDigest: digest } = JSON.parse(text) as { statementsDigest: string };
    print({ closed: { period, digest } });
  },
  sign: async () => {
    const { status, text } = await ask(ledger, 'POST', '/log/checkpoint');
    if (status === 200) printSigned(text);
  },
  restart: async () => {
    await ledger.close();
    ledger = await open();
  },
  acceptLoss: async () => {
    const { status } = await ask(ledger, 'POST', '/v1/log/accept-loss', {
      reason: 'the backup is the newest one',
    });
    if (status !== 202) return;
    while (acceptance === undefined) await new Promise(setImmediate);
    await ledger.close();
    ledger = await open();
  },
};

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
await workAtRandom(worker, { seed, random: seededRandom(seed), steps, work, hasFailed: () => hasFailed });
await ledger.close();
print({ done: true });
process.exit(hasFailed ? 1 : 0);
