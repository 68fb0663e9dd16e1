import { once } from 'node:events';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { destination, pino } from 'pino';
import { type Composition, compose } from '../../compose.ts';
import { type Config, ConfigError, readConfig } from '../../config.ts';
import { takeCensus } from './census.ts';
import { FolderRefused, freshFolder } from './folder.ts';
import { guide, statusLine } from './guide.ts';
import { play, StoryClock } from './play.ts';
import { Screen } from './screen.ts';
import { tellStory } from './story.ts';
import { Traffic } from './traffic.ts';

const HELP = `Usage: npm run demo [-- --seconds N]

Starts a ledger with a made-up year of facts for forty accounts, a few open problems
and live traffic, and says where to look.

  --seconds N  stop after N seconds of live traffic; without it, at Ctrl-C
  --help       show this text

Environment: LEDGER_HTTP_PORT (8400; 0 for any that is free), LEDGER_DATA_DIR (./data).
The demo keeps its data in the folder "demo" below LEDGER_DATA_DIR, always in SQLite, and
empties that folder at every start; a folder that it did not make is left alone.
`;

const DATABASE_FILE = 'ledger.db';
const STATUS_EVERY_MS = 10_000;
/** How long requests under way may take to end, before the process does. */
const CLOSE_MS = 5_000;

/** What keeps the demo from starting; its message is for people. */
class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** The command line is not understood. */
class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

function readArguments(): { help: boolean; seconds: number | undefined } {
  let given: { help?: boolean; seconds?: string };
  try {
    given = parseArgs({ options: { help: { type: 'boolean' }, seconds: { type: 'string' } } }).values;
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
  const { help = false, seconds } = given;
  if (seconds !== undefined && !/^[1-9]\d{0,5}$/.test(seconds)) {
    throw new WrongUsage(
      `--seconds must be a whole number from 1 to 999999; given ${JSON.stringify(seconds)}`,
    );
  }
  return { help, seconds: seconds === undefined ? undefined : Number(seconds) };
}

async function main(): Promise<void> {
  const { help, seconds } = readArguments();
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  const given = readConfig();
  const folder = join(given.dataDir, 'demo');
  const store = { kind: 'sqlite', file: join(folder, DATABASE_FILE) } as const;
  const config: Config = { ...given, dataDir: folder, store };
  await refuseTakenPort(config);
  await freshFolder(folder, DATABASE_FILE);
  await run(config, seconds);
}

async function run(config: Config, seconds: number | undefined): Promise<void> {
  const stop = stopSignal();
  const clock = new StoryClock();
  const ledger = await compose(config, {
    log: pino({ name: 'cluster-ledger', level: 'warn' }, destination({ dest: 2, sync: true })),
    now: clock.now,
    onFailed: (error) => stop.abort(error),
  });
  try {
    await perform(ledger, clock, config, seconds, stop);
  } finally {
    setTimeout(() => process.exit(), CLOSE_MS).unref();
    await ledger.close();
  }
  if (stop.signal.reason instanceof Error && stop.signal.reason.name !== 'AbortError')
    throw stop.signal.reason;
}

/** Plays the year, opens the doors, says where to look and keeps the traffic going until it is told to stop. */
async function perform(
  { app, ledger, projections, store }: Composition,
  clock: StoryClock,
  config: Config,
  seconds: number | undefined,
  stop: AbortController,
): Promise<void> {
  const { signal } = stop;
  const screen = new Screen(process.stdout);
  const began = performance.now();
  const story = tellStory(Date.now());
  await play(story.steps, ledger, clock, signal);
  clock.release();
  if (signal.aborted) return;
  await projections.reached(await store.head(), CLOSE_MS);
  const tookMs = performance.now() - began;
  const url = (await app.listen({ host: config.host, port: config.port })).replace(/\/$/, '');

  const census = () => takeCensus(projections.model, Date.now());
  const folder = relative('', config.dataDir) || config.dataDir;
  screen.print(guide({ url, folder, story, census: census(), now: Date.now(), tookMs }, screen));
  const traffic = new Traffic(url, signal);
  const running = traffic.run();
  const status = () => screen.status(statusLine(census(), traffic.tally, Date.now()));
  const ticking = setInterval(status, STATUS_EVERY_MS);
  if (seconds === undefined) await once(signal, 'abort');
  else await wait(seconds * 1_000, undefined, { signal }).catch(() => undefined);
  clearInterval(ticking);
  stop.abort();
  await running;
  status();
  screen.print('The demo has ended.');
}

/** Ends with the first SIGINT or SIGTERM; later ones, such as npm's own copy of a Ctrl-C, change nothing. */
function stopSignal(): AbortController {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  // Whoever read the output has gone, as in `npm run demo | head`.
  process.stdout.on('error', () => stop.abort());
  return stop;
}

/** Asked before anything is emptied or recorded. */
async function refuseTakenPort({ host, port }: Config): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen(port, host), 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code ?? message})`;
    throw new CannotStart(
      `Port ${port} of ${host} ${why}: set LEDGER_HTTP_PORT to another one, or to 0 for any.`,
    );
  }
  probe.close();
  await once(probe, 'close');
}

try {
  await main();
} catch (error) {
  if (error instanceof WrongUsage) {
    process.stderr.write(`${error.message}\n\n${HELP}`);
    process.exitCode = 2;
  } else if (error instanceof ConfigError) {
    process.stderr.write(`The configuration is not valid:\n${error.message.replaceAll(/^/gm, '  ')}\n`);
    process.exitCode = 2;
  } else {
    const isForPeople = error instanceof CannotStart || error instanceof FolderRefused;
    process.stderr.write(
      `${isForPeople ? error.message : `The demo has failed: ${(error as Error).stack}`}\n`,
    );
    process.exitCode = 1;
  }
}
