/**
 * The parts of a ledger that read and write its log, in a process that is made to be killed. It does the work of `victim.ts` without HTTP and
 * webhooks, and starts in a third of the time. Its argument is a `VictimOptions` as JSON.
 */

import { flushCompileCache } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { nextToClose } from '../../../src/domain/billing/period.ts';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { submissionOf } from '../../ledger/facts.ts';
import { seededRandom } from '../seeded-random.ts';
import { type LogAlone, openLogOn } from './log-alone.ts';
import { print, printSigned } from './promises.ts';
import { type Known, type Worker, workAtRandom } from './random-work.ts';
import type { VictimOptions } from './victim-options.ts';

const effectiveAt = Date.parse('2010-01-05T00:00:00.000Z');
/** Longest wait for the projections, in milliseconds. */
const VISIBLE_MS = 60_000;

const { folder, seed, steps, work } = JSON.parse(process.argv[2] ?? '{}') as VictimOptions;
let hasFailed = false;
let log = await open();

async function open(): Promise<LogAlone> {
  const onFailed = (error: unknown) => {
    hasFailed = true;
    print({ failed: String(error) });
  };
  const opened = await openLogOn(folder, {}, onFailed, seed % 2 === 0 ? 'before-reads' : 'after-reads');
  const { projections, signedLog, latch } = opened;
  while (!hasFailed && !(projections.isCaughtUp && (signedLog.isReady || latch.closure !== undefined)))
    await wait(1);
  return opened;
}

async function record(facts: readonly (readonly [id: string, fact: Fact])[]): Promise<readonly Known[]> {
  const submissions = facts.map(([id, fact]) => submissionOf(fact, id));
  const outcomes = await log.ledger.record(submissions, { mayBackdate: true });
  const known: Known[] = [];
  for (const outcome of outcomes) {
    if (outcome.outcome !== 'appended' && outcome.outcome !== 'duplicate') continue;
    const { clusterId, eventId, recordedAt } = outcome;
    const place = await log.projections.waitForEvent(eventId, VISIBLE_MS);
    if (place === undefined) throw new Error(`${eventId} does not become visible`);
    print({ fact: { eventId, position: place.position, recordedAt: new Date(recordedAt).toISOString() } });
    known.push({ clusterId, eventId });
  }
  return known;
}

const worker: Worker = {
  register: (ids) =>
    record(
      ids.map((id, i) => [
        id,
        {
          type: 'ClusterRegistered',
          clusterId: id,
          effectiveAt,
          accountId: `a${i % 5}`,
          billable: true,
        } as Fact,
      ]),
    ),
  stop: (clusterId, id) =>
    record([[id, { type: 'BillingStopped', clusterId, effectiveAt, cause: 'manual' } as Fact]]),
  void: ({ clusterId, eventId }, id) =>
    record([
      [
        id,
        { type: 'FactVoided', clusterId, effectiveAt, voids: eventId, reason: 'posted by mistake' } as Fact,
      ],
    ]),
  close: async () => {
    const period = nextToClose(log.projections.model.calendar);
    if (period === undefined) return;
    const command = { period, early: true, dryRun: false, actor: 'victim' };
    const result = await log.closePeriod.run(command);
    if (result.outcome === 'closed') print({ closed: { period, digest: result.close.statementsDigest } });
  },
  sign: async () => {
    printSigned((await log.signedLog.checkpoint(log.projections.model.position)).note);
  },
  restart: async () => {
    await log.close();
    log = await open();
  },
  acceptLoss: async () => {
    throw new Error('only a whole ledger can accept a loss');
  },
};

// A killed process could not keep what it has compiled for the next one.
flushCompileCache();
const { closure } = log.latch;
const detail = closure === undefined ? '' : `${closure.kind}: ${closure.why}`;
print({ ready: { head: await log.store.head(), ok: closure === undefined, detail } });
await workAtRandom(worker, { seed, random: seededRandom(seed), steps, work, hasFailed: () => hasFailed });
await log.close();
print({ done: true });
process.exit(hasFailed ? 1 : 0);
