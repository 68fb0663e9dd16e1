import { once } from 'node:events';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Composition } from '../../app/compose.ts';
import type { Config } from '../../config/config.ts';
import { countClusters } from './counts.ts';
import { guide, statusLine } from './guide.ts';
import { sampleHistory } from './sample-history.ts';
import { Screen } from './screen.ts';
import { type SampleClock, seedLedger } from './seed-ledger.ts';
import { Traffic } from './traffic.ts';

const STATUS_EVERY_MS = 10_000;
const CATCH_UP_TIMEOUT_MS = 10_000;

export interface RunOptions {
  /** Duration of the live traffic; `undefined` means until `stop` is aborted. */
  readonly seconds: number | undefined;
  readonly stop: AbortController;
}

/** Records the sample data, starts the server, prints the guide, and posts live traffic until the end. */
export async function runDemo(
  { app, ledger, projections, store, closePeriod }: Composition,
  clock: SampleClock,
  { host, port, dataDir }: Config,
  { seconds, stop }: RunOptions,
): Promise<void> {
  const screen = new Screen(process.stdout);
  const began = performance.now();
  const history = sampleHistory(Date.now());
  await seedLedger(history.steps, { ledger, projections, closePeriod }, clock, stop.signal);
  if (stop.signal.aborted) return;
  clock.release();
  await projections.waitForPosition(await store.head(), CATCH_UP_TIMEOUT_MS);
  const tookMs = performance.now() - began;
  const url = await app.listen({ host, port });

  const count = () => countClusters(projections.model, Date.now());
  const folder = shortestPath(dataDir);
  screen.print(guide({ url, folder, history, counts: count(), now: Date.now(), tookMs }, screen));
  const traffic = new Traffic(url, join(dataDir, 'pro-app-outbox.db'), stop.signal);
  const showStatus = () => screen.status(statusLine(count(), traffic.tally, Date.now()));
  const ticking = setInterval(showStatus, STATUS_EVERY_MS);
  const posting = traffic.run();
  await untilEnd(seconds, stop.signal);
  stop.abort();
  clearInterval(ticking);
  await posting;
  showStatus();
  screen.print('The demo has ended.');
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
