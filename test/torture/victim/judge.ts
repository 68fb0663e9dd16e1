import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Composition, compose } from '../../../src/app/compose.ts';
import { readConfig } from '../../../src/config/config.ts';
import { inStructuredMode, registered } from '../../support/cloud-events.ts';
import { until } from '../../support/until.ts';
import type { Promises } from './promises.ts';

const TIME = '2026-04-01T00:00:00.000Z';

/**
 * Starts a ledger on files and compares it with what was promised.
 * @returns `complete` if every promise holds and it takes facts; `read-only` if it says why it takes nothing; `refused` if the start
 * ends with an error that says why; otherwise what is wrong.
 */
export async function judge(
  promises: Promises,
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  let ledger: Composition;
  let failure: unknown;
  const onFailed = (error: unknown) => {
    failure = error;
  };
  try {
    ledger = await openLedgerOn(folder, environment, onFailed);
  } catch (error) {
    return error instanceof Error && error.message !== '' ? 'refused' : `refused without words: ${error}`;
  }
  try {
    const { signedLog, projections } = ledger;
    const isJudged = async () => signedLog.isReady || !(await logCheckOf(ledger)).ok;
    await until(async () => failure !== undefined || (projections.isCaughtUp && (await isJudged())));
    // The process of a ledger that failed ends.
    if (failure !== undefined) throw failure;
    const broken = await brokenPromise(ledger, promises);
    const check = await logCheckOf(ledger);
    const status = await statusOfPost(ledger);
    if (check.ok && broken === undefined)
      return status === 201 ? 'complete' : `complete, but a post is answered ${status}`;
    if (check.ok) return `${broken} in silence`;
    return status === 503 ? 'read-only' : `a post is answered ${status} although ${check.detail}`;
  } catch (error) {
    return error instanceof Error && error.message !== '' ? 'refused' : `failed without words: ${error}`;
  } finally {
    await ledger.close().catch(() => undefined);
  }
}

/** Posts a new fact, again while the ledger is only busy with other work. */
async function statusOfPost(ledger: Composition): Promise<number> {
  const event = registered(`after-${randomUUID()}`, TIME);
  let answer = await post(ledger, event);
  await until(async () => {
    if (answer.body.includes('problem:overloaded')) answer = await post(ledger, event);
    return !answer.body.includes('problem:overloaded');
  });
  return answer.status;
}

async function logCheckOf({ app }: Composition): Promise<{ ok: boolean; detail: string }> {
  const { body } = await app.inject('/readyz');
  return (JSON.parse(body) as { checks: { log: { ok: boolean; detail: string } } }).checks.log;
}

/** Returns which promise does not hold, in words. */
async function brokenPromise(
  { store, signedLog }: Composition,
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

/** The settings of a ledger whose files are all in one folder. */
export function placeOf(folder: string): Record<string, string> {
  return {
    LEDGER_DATA_DIR: folder,
    LEDGER_STORE: `sqlite:${join(folder, 'ledger.db')}`,
    LEDGER_HTTP_PORT: '0',
  };
}

/** Opens a ledger on the files in a folder, without a port. */
export function openLedgerOn(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  onFailed: (error: unknown) => void = () => undefined,
): Promise<Composition> {
  const config = readConfig({ ...environment, ...placeOf(folder) });
  return compose(config, { log: pino({ level: 'silent' }), now: Date.now, onFailed });
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
