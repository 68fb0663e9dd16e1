import { once } from 'node:events';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Composition } from '../../app/compose.ts';
import type { Config } from '../../config/config.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { viewCluster } from '../../projections/queries/cluster-view.ts';
import { startBillingReceiver } from './billing-receiver.ts';
import { countClusters } from './counts.ts';
import { guide, statusLine } from './guide.ts';
import { ACCOUNTS } from './sample-accounts.ts';
import type { SampleClusters } from './sample-clusters.ts';
import { sampleHistory } from './sample-history.ts';
import { Screen } from './screen.ts';
import { type SampleClock, seedLedger } from './seed-ledger.ts';
import { type Target, Traffic } from './traffic.ts';

const STATUS_EVERY_MS = 10_000;
const CATCH_UP_TIMEOUT_MS = 10_000;
const ACCOUNTS_WITH_PROFILE = 12;
const VALIDATE_EVERY_MS = 300_000;

export interface RunOptions {
  /** Duration of the live traffic; `undefined` means until `stop` is aborted. */
  readonly seconds: number | undefined;
  readonly stop: AbortController;
  readonly clusters: SampleClusters;
}

/** Records the sample data, starts the server, prints the guide, and posts live traffic until the end. */
export async function runDemo(
  { app, ledger, projections, store, closePeriod }: Composition,
  clock: SampleClock,
  { host, port, dataDir, bootstrapKey }: Config,
  { seconds, stop, clusters }: RunOptions,
): Promise<void> {
  const screen = new Screen(process.stdout);
  const began = performance.now();
  const history = sampleHistory(Date.now());
  for (const { fact } of history.steps)
    if (fact.type === 'ClusterRegistered') await clusters.add(fact.clusterId);
  await seedLedger(history.steps, { ledger, projections, closePeriod }, clock, stop.signal);
  if (stop.signal.aborted) return;
  clock.release();
  await projections.waitForPosition(await store.head(), CATCH_UP_TIMEOUT_MS);
  const tookMs = performance.now() - began;
  clusters.run((clusterId) => isRunning(projections.model, clusterId));
  const url = await app.listen({ host, port });
  const billing = await startBillingReceiver();
  stop.signal.addEventListener('abort', () => void billing.close(), { once: true });
  const to = { url, key: bootstrapKey };
  await showParts(to, `${billing.url}/ledger-events`);
  const validate = () => send(to, 'POST', '/v1/validations', {});
  await validate();
  // A run may be active if somebody has asked for one.
  const validating = setInterval(() => void validate().catch(() => undefined), VALIDATE_EVERY_MS);

  const count = () => countClusters(projections.model, Date.now());
  const folder = shortestPath(dataDir);
  screen.print(
    guide(
      {
        url,
        needsKey: bootstrapKey !== undefined,
        folder,
        history,
        counts: count(),
        now: Date.now(),
        tookMs,
      },
      screen,
    ),
  );
  const traffic = new Traffic(to, join(dataDir, 'pro-app-outbox.db'), clusters, stop.signal);
  const showStatus = () => screen.status(statusLine(count(), traffic.tally, Date.now()));
  const ticking = setInterval(showStatus, STATUS_EVERY_MS);
  const posting = traffic.run();
  await untilEnd(seconds, stop.signal);
  stop.abort();
  clearInterval(ticking);
  clearInterval(validating);
  await posting;
  showStatus();
  screen.print('The demo has ended.');
}

/** Returns whether a cluster answers: not if it is deleted, or gone without a word. */
function isRunning(model: LedgerModel, clusterId: string): boolean {
  const cluster = model.clusters.find(clusterId);
  if (cluster === undefined) return false;
  const { status, stoppedBy } = viewCluster(model, cluster, Date.now());
  return status !== 'deleted' && status !== 'orphan' && !stoppedBy.includes('unreachable');
}

/** Creates a webhook and gives some accounts a profile, so that every page has something to show. */
async function showParts(to: Target, receiver: string): Promise<void> {
  await send(to, 'POST', '/v1/webhooks', { url: receiver, description: 'Billing service' });
  for (const { accountId, size } of ACCOUNTS.slice(0, ACCOUNTS_WITH_PROFILE))
    await send(to, 'PUT', `/v1/accounts/${accountId}`, {
      externalIds: { stripe: `cus_${accountId.replaceAll('-', '')}` },
      limits: { 'workload-cluster': size + 3 },
    });
}

/** Sends a request to the ledger. @throws Error if it is rejected */
async function send({ url, key }: Target, method: string, path: string, body: object): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  };
  const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
}

async function untilEnd(seconds: number | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  if (seconds === undefined) await once(signal, 'abort');
  else await wait(seconds * 1_000, undefined, { signal }).catch(() => undefined);
}

/** Returns a path relative to the current folder if it is inside it. */
function shortestPath(path: string): string {
  const fromHere = relative('', path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere;
}
