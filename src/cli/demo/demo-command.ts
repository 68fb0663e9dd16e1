import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { compose } from '../../app/compose.ts';
import { type Config, ConfigError, readConfig } from '../../config/config.ts';
import { DemoUsageError, HELP, readArguments } from './arguments.ts';
import { FolderNotUsable, prepareFolder } from './folder.ts';
import { runDemo } from './run-demo.ts';
import { SampleClock } from './seed-ledger.ts';

const DATABASE_FILE = 'ledger.db';

/** How long requests under way may take to end, before the process does. */
const CLOSE_TIMEOUT_MS = 5_000;

/** The address cannot be listened on; the message is for people. */
class PortUnavailable extends Error {
  override readonly name = 'PortRefused';
}

/** Runs the demo, and sets the exit code. @param given what stands behind its name on the command line. */
export async function runDemoCommand(given: readonly string[]): Promise<void> {
  try {
    await start(given);
  } catch (error) {
    report(error);
    // A ledger that failed to start may have left its store open, which would keep the process alive.
    process.exit();
  }
}

async function start(given: readonly string[]): Promise<void> {
  const { help, seconds } = readArguments(given);
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  const configured = readConfig();
  const folder = join(configured.dataDir, 'demo');
  const store = { kind: 'sqlite', file: join(folder, DATABASE_FILE) } as const;
  const config: Config = { ...configured, dataDir: folder, store };
  await requireFreePort(config);
  await prepareFolder(folder, DATABASE_FILE);
  await run(config, seconds);
}

async function run(config: Config, seconds: number | undefined): Promise<void> {
  const stop = stopAtSignal();
  const clock = new SampleClock();
  let failure: unknown;
  const ledger = await compose(config, {
    log: pino({ name: 'cluster-ledger', level: 'warn' }, pino.destination({ dest: 2, sync: true })),
    now: clock.now,
    onFailed: (error) => {
      failure ??= error;
      stop.abort();
    },
  });
  await runDemo(ledger, clock, config, { seconds, stop }).catch((error: unknown) => {
    failure ??= error;
  });
  if (failure !== undefined) report(failure);
  setTimeout(() => process.exit(), CLOSE_TIMEOUT_MS).unref();
  await ledger.close();
}

/** Stops at the first SIGINT or SIGTERM; later ones, such as npm's own copy of a Ctrl-C, change nothing. */
function stopAtSignal(): AbortController {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  // Whoever read the output has gone, as in `npm run demo | head`.
  process.stdout.on('error', () => stop.abort());
  return stop;
}

/** Asked before anything is emptied or recorded. @throws PortRefused */
async function requireFreePort({ host, port }: Config): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen(port, host), 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${message})`;
    throw new PortUnavailable(
      `Port ${port} of ${host} ${why}.\nSet LEDGER_HTTP_PORT to another port, or to 0 for any that is free.`,
    );
  }
  probe.close();
  await once(probe, 'close');
}

/** Says what went wrong, and sets the exit code. */
function report(error: unknown): void {
  process.exitCode = error instanceof DemoUsageError || error instanceof ConfigError ? 2 : 1;
  process.stderr.write(`${describeError(error)}\n`);
}

function describeError(error: unknown): string {
  if (error instanceof DemoUsageError) return `${error.message}\n\n${HELP}`.trimEnd();
  if (error instanceof ConfigError)
    return `The configuration is not valid:\n${error.message.replaceAll(/^/gm, '  ')}`;
  if (error instanceof PortUnavailable || error instanceof FolderNotUsable) return error.message;
  return `The demo has failed: ${error instanceof Error ? error.stack : String(error)}`;
}
