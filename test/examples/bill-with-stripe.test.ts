import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { event, registered, stopped } from '../support/cloud-events.ts';
import { freePorts } from '../support/eventstored.ts';
import { openLedger, type TestLedger } from '../support/ledger.ts';
import { StripeStandIn } from '../support/stripe.ts';
import { until } from '../support/until.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/bill-with-stripe/bill-with-stripe.ts');
const JANUARY_MS = 31n * 86_400_000n;
const FEBRUARY_MS = 28n * 86_400_000n;
const DAY_MS = 86_400_000n;

async function post(
  ledger: TestLedger,
  path: string,
  body: object,
  method = 'POST',
): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json' };
  const { status, text } = await ledger.fetch(path, { method, headers, body: JSON.stringify(body) });
  if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
  return JSON.parse(text);
}

const close = (ledger: TestLedger, period: string) => post(ledger, `/v1/periods/${period}/close`, {});
const setCustomer = (ledger: TestLedger, account: string) =>
  post(ledger, `/v1/accounts/${account}`, { externalIds: { stripe: `cus_${account}` } }, 'PUT');

/** A ledger with January 2026 closed, a stand-in for Stripe, and the example that runs between them. */
async function setUp(now?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'stripe-'));
  const ledger = await openLedger(now === undefined ? {} : { now });
  const stripe = new StripeStandIn();
  await stripe.start();
  onTestFinished(async () => {
    await stripe.stop();
    await ledger.discard();
    await rm(folder, { recursive: true });
  });
  for (const account of ['acme', 'globex']) {
    stripe.customers.add(`cus_${account}`);
    await setCustomer(ledger, account);
  }
  for (const name of ['cluster_time', 'vcluster_time']) stripe.eventNames.add(name);
  await ledger.record(
    registered('c1', '2026-01-01T00:00:00Z', 'acme'),
    registered('c2', '2026-01-01T00:00:00Z', 'acme', { clusterType: 'vcluster' }),
    registered('c3', '2026-01-21T00:00:00Z', 'globex'),
  );
  await close(ledger, '2026-01');
  const journal = join(folder, 'charges.jsonl');
  const start = (args: readonly string[] = [], more: Record<string, string> = {}): ChildProcess =>
    spawn(process.execPath, [EXAMPLE, ...args], {
      env: {
        LEDGER_URL: `http://127.0.0.1:${ledger.port}`,
        STRIPE_URL: stripe.url,
        STRIPE_KEY: stripe.key,
        STRIPE_METERS: 'vcluster=vcluster_time,*=cluster_time',
        BILL_FROM: '2026-01',
        JOURNAL: journal,
        ...more,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  const run = async (more: Record<string, string> = {}) => {
    const started = start([], more);
    let said = '';
    started.stderr?.on('data', (chunk) => (said += String(chunk)));
    const [code] = await once(started, 'close');
    return { code, said };
  };
  return { ledger, stripe, journal, start, run };
}

const JANUARY = new Map([
  ['cus_acme cluster_time', JANUARY_MS],
  ['cus_acme vcluster_time', JANUARY_MS],
  ['cus_globex cluster_time', 11n * DAY_MS],
]);

test('a closed month is charged to the millisecond, and once, however often and late it is handed over again', async () => {
  const { stripe, run } = await setUp();
  expect(await run()).toEqual({ code: 0, said: '3 charges accepted\n' });
  expect(stripe.counted).toEqual(JANUARY);
  stripe.letADayPass();
  expect(await run()).toEqual({ code: 0, said: '0 charges accepted\n' });
  expect([stripe.requests, stripe.counted]).toEqual([3, JANUARY]);
});

test('if the example is killed after Stripe has counted a charge, or the answer is lost, it is counted once', async () => {
  const { stripe, start, run } = await setUp();
  const killed = start();
  stripe.onCounted = () => killed.kill('SIGKILL');
  await once(killed, 'close');
  stripe.onCounted = () => {};
  for (const trouble of ['asks to wait', 'fails after counting', 'never answers'] as const) {
    stripe.trouble = trouble;
    const { code, said } = await run();
    expect([trouble, code]).toEqual([trouble, 1]);
    expect(said).toContain('failed, will be sent again: account acme');
  }
  stripe.trouble = 'none';
  expect((await run()).code).toBe(0);
  expect(stripe.counted).toEqual(JANUARY);
});

test('a charge whose outcome is unknown for a day is not sent again, and its identifier is printed', async () => {
  const { stripe, journal, run } = await setUp();
  stripe.trouble = 'never answers';
  await run();
  const entries = readFileSync(journal, 'utf8').replaceAll(
    /"at":"[^"]*"/g,
    '"at":"2026-01-01T00:00:00.000Z"',
  );
  writeFileSync(journal, entries);
  stripe.trouble = 'none';
  stripe.letADayPass();
  const { code, said } = await run();
  expect(code).toBe(1);
  expect(said).toMatch(/needs you: account acme, .* look for st_[a-z2-7]{26}_[0-9a-f]{16} at Stripe/);
  expect(stripe.counted).toEqual(JANUARY);
});

test('an account without a customer, and a customer that Stripe does not know, are reported and hold up nobody else', async () => {
  const { ledger, stripe, run } = await setUp();
  await ledger.record(registered('c4', '2026-02-01T00:00:00Z', 'initech'));
  await setCustomer(ledger, 'umbrella');
  await ledger.record(registered('c5', '2026-02-01T00:00:00Z', 'umbrella'));
  await close(ledger, '2026-02');
  const { code, said } = await run();
  expect(code).toBe(1);
  expect(said).toContain(
    'account initech, clusters without a type, 2026-02, 2419200000 ms: set externalIds.stripe',
  );
  expect(said).toContain(
    'account umbrella, clusters without a type, 2026-02, 2419200000 ms: Stripe refused it: 400',
  );
  expect(stripe.counted.get('cus_globex cluster_time')).toBe(11n * DAY_MS + FEBRUARY_MS);
  stripe.customers.add('cus_initech').add('cus_umbrella');
  await setCustomer(ledger, 'initech');
  expect((await run()).said).toContain('account umbrella');
  expect(stripe.counted.get('cus_initech cluster_time')).toBe(FEBRUARY_MS);
});

test('a month that is negative because of late facts reduces the next months, to the millisecond', async () => {
  const { ledger, stripe, run } = await setUp();
  await run();
  // Known only now: globex went on 23 January, acme's vcluster on 2 January.
  await ledger.record(stopped('c3', '2026-01-23T00:00:00Z'), stopped('c2', '2026-01-02T00:00:00Z'));
  await close(ledger, '2026-02');
  await run();
  expect(stripe.counted.get('cus_globex cluster_time')).toBe(11n * DAY_MS);
  await ledger.record(event('billing.resumed', 'c3', '2026-03-01T00:00:00Z', { cause: 'manual' }));
  await close(ledger, '2026-03');
  expect((await run()).code).toBe(0);
  expect(stripe.counted.get('cus_globex cluster_time')).toBe(2n * DAY_MS + JANUARY_MS);
  expect(stripe.counted.get('cus_acme vcluster_time')).toBe(JANUARY_MS);
  expect(stripe.counted.get('cus_acme cluster_time')).toBe(2n * JANUARY_MS + FEBRUARY_MS);
});

test('as a webhook it charges each month when the ledger closes it, and what it missed when it starts', async () => {
  const { ledger, stripe, start } = await setUp(
    // Receivers compare the time of a message with the real clock.
    new Date().toISOString(),
  );
  const [port] = (await freePorts(1)) as [number];
  const { secret } = await post(ledger, '/v1/webhooks', {
    url: `http://127.0.0.1:${port}/`,
    types: ['io.clusterledger.period.closed.v1', 'io.clusterledger.account.described.v1'],
  });
  const receiver = start(['serve'], { WEBHOOK_SECRET: String(secret), PORT: String(port) });
  onTestFinished(async () => {
    receiver.kill();
    await once(receiver, 'close');
  });
  await until(() => stripe.counted.size === 3);
  await close(ledger, '2026-02');
  await until(() => stripe.counted.get('cus_globex cluster_time') === 11n * DAY_MS + FEBRUARY_MS);
  const forged = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' });
  expect(forged.status).toBe(401);
});

test('a journal whose last line was cut off by a crash is read, and goes on on a new line', async () => {
  const { stripe, journal, run } = await setUp();
  await run();
  appendFileSync(journal, '{"identifier":"st_');
  expect(await run()).toEqual({ code: 0, said: '0 charges accepted\n' });
  expect(stripe.requests).toBe(3);
});
