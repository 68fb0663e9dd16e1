import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { type Composition, compose } from '../../../src/app/compose.ts';
import type { SignedLog } from '../../../src/audit/signed-log.ts';
import { readConfig } from '../../../src/config/config.ts';
import type { EventStore } from '../../../src/eventstore/event-store.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { ReadOnly } from '../../../src/ledger/read-only-latch.ts';
import type { Projections } from '../../../src/projections/projections.ts';
import { registration, submissionOf } from '../../ledger/facts.ts';
import { inStructuredMode, registered } from '../../support/cloud-events.ts';
import { until } from '../../support/until.ts';
import { type Checks, openLogOn, optionsOf, placeOf } from './log-alone.ts';
import type { Promises } from './promises.ts';

const TIME = '2026-04-01T00:00:00.000Z';

/** A ledger on files, as far as it is judged. */
interface Judged {
  readonly store: EventStore;
  readonly projections: Projections;
  readonly signedLog: SignedLog;
  /** Returns what it says about its log. */
  logCheck(): Promise<{ readonly ok: boolean; readonly detail: string }>;
  /** Posts a new fact. @returns whether it was taken, or refused because the log is read-only; otherwise the answer */
  post(): Promise<string>;
  close(): Promise<void>;
}

type Opener = (
  folder: string,
  environment: Readonly<Record<string, string>>,
  onFailed: (error: unknown) => void,
  checks: Checks,
) => Promise<Judged>;

/** Opens all of a ledger but its port. */
export const wholeLedger: Opener = async (folder, environment, onFailed, checks) => {
  const ledger = await openLedgerOn(folder, environment, onFailed, checks);
  const { store, projections, signedLog } = ledger;
  return {
    store,
    projections,
    signedLog,
    logCheck: () => logCheckOf(ledger),
    post: async () => {
      const { status, body } = await postPatiently(ledger);
      return status === 201 ? 'taken' : status === 503 ? 'read-only' : `answered ${status}: ${body}`;
    },
    close: () => ledger.close(),
  };
};

/** Opens what reads and writes the log. */
export const logAlone: Opener = async (folder, environment, onFailed, checks) => {
  const { store, projections, signedLog, latch, ledger, close } = await openLogOn(
    folder,
    environment,
    onFailed,
    checks,
  );
  return {
    store,
    projections,
    signedLog,
    logCheck: async () => {
      const { closure } = latch;
      return {
        ok: closure === undefined,
        detail: closure === undefined ? '' : `${closure.kind}: ${closure.why}`,
      };
    },
    post: () => recordIn(ledger),
    close,
  };
};

/** Records a new fact without HTTP. @returns as `Judged.post` does */
async function recordIn(ledger: Ledger): Promise<string> {
  const id = randomUUID();
  const submission = submissionOf(registration(`after-${id}`), id);
  try {
    const [outcome] = await ledger.record([submission], { mayBackdate: true });
    return outcome?.outcome === 'appended' ? 'taken' : `answered ${JSON.stringify(outcome)}`;
  } catch (error) {
    if (error instanceof ReadOnly) return 'read-only';
    throw error;
  }
}

/**
 * Starts a ledger on files and compares it with what was promised.
 * @returns `complete` if every promise holds and it takes facts; `read-only` if it says why it takes nothing; `refused` if the start
 * ends with an error that says why; otherwise what is wrong.
 */
export async function judge(
  promises: Promises,
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  open: Opener = wholeLedger,
  checks: Checks = 'before-reads',
): Promise<string> {
  let ledger: Judged;
  let failure: unknown;
  const onFailed = (error: unknown) => {
    failure = error;
  };
  try {
    ledger = await open(folder, environment, onFailed, checks);
  } catch (error) {
    return error instanceof Error && error.message !== '' ? 'refused' : `refused without words: ${error}`;
  }
  try {
    const { signedLog, projections } = ledger;
    const isJudged = async () => signedLog.isReady || !(await ledger.logCheck()).ok;
    await until(async () => failure !== undefined || (projections.isCaughtUp && (await isJudged())));
    // The process of a ledger that failed ends.
    if (failure !== undefined) throw failure;
    const broken = await brokenPromise(ledger, promises);
    const check = await ledger.logCheck();
    const answer = await ledger.post();
    if (check.ok && broken === undefined)
      return answer === 'taken' ? 'complete' : `complete, but a post is ${answer}`;
    if (check.ok) return `${broken} in silence`;
    return answer === 'read-only' ? answer : `a post is ${answer} although ${check.detail}`;
  } catch (error) {
    return error instanceof Error && error.message !== '' ? 'refused' : `failed without words: ${error}`;
  } finally {
    await ledger.close().catch(() => undefined);
  }
}

/** Posts a new fact, again while the ledger is only busy with other work. */
async function postPatiently(ledger: Composition): Promise<{ status: number; body: string }> {
  const event = registered(`after-${randomUUID()}`, TIME);
  let answer = await post(ledger, event);
  await until(async () => {
    if (answer.body.includes('problem:overloaded')) answer = await post(ledger, event);
    return !answer.body.includes('problem:overloaded');
  });
  return answer;
}

async function logCheckOf({ app }: Composition): Promise<{ ok: boolean; detail: string }> {
  const { body } = await app.inject('/readyz');
  return (JSON.parse(body) as { checks: { log: { ok: boolean; detail: string } } }).checks.log;
}

/** Returns which promise does not hold, in words. */
async function brokenPromise(
  { store, signedLog }: Pick<Judged, 'store' | 'signedLog'>,
  { facts, closings, checkpoints }: Promises,
): Promise<string | undefined> {
  const found = new Map<number, string>();
  const closed = new Map<string, string[]>();
  for await (const events of store.readAll(0))
    for (const { position, id, recordedAt, stream, data } of events) {
      found.set(position, `${id} ${new Date(recordedAt).toISOString()}`);
      const [kind, ...rest] = stream.split('-');
      if (kind === 'period')
        closed.set(rest.join('-'), [...(closed.get(rest.join('-')) ?? []), String(data['statementsDigest'])]);
    }
  const missing = facts.filter(
    ({ position, eventId, recordedAt }) => found.get(position) !== `${eventId} ${recordedAt}`,
  );
  if (missing.length > 0) return `${missing.length} acknowledged facts are missing`;
  for (const [period, digest] of closings)
    if (closed.get(period)?.join() !== digest)
      return `${period} was closed with ${digest}, and the log has ${closed.get(period)}`;
  for (const { size, root } of checkpoints)
    if (!(await signedLog.tree.agreesWith({ size, root: Buffer.from(root, 'base64') })))
      return `the log does not continue the checkpoint of ${size} events`;
  return undefined;
}

/** Opens a ledger on the files in a folder, without a port. */
export function openLedgerOn(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  onFailed: (error: unknown) => void = () => undefined,
  checks: Checks = 'before-reads',
): Promise<Composition> {
  const config = readConfig({ ...environment, ...placeOf(folder) });
  return compose(config, {
    log: pino({ level: 'silent' }),
    now: Date.now,
    onFailed,
    ...optionsOf(checks),
  });
}

/** Posts an event to a ledger that has no port. */
export async function post(ledger: Composition, event: Parameters<typeof inStructuredMode>[0]) {
  const { headers, body } = inStructuredMode(event);
  const answer = await ledger.app.inject({
    method: 'POST',
    url: '/v1/events',
    headers: headers as Record<string, string>,
    payload: body as string,
  });
  return { status: answer.statusCode, body: answer.body };
}
