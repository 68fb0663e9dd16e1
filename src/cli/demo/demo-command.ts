import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { compose } from '../../app/compose.ts';
import { type Config, ConfigError, isLoopbackHost, readConfig } from '../../config/config.ts';
import { DAY_MS } from '../../domain/time.ts';
import { DemoUsageError, HELP, readArguments } from './arguments.ts';
import { FolderNotUsable, prepareFolder } from './folder.ts';
import { runDemo } from './run-demo.ts';
import { SampleClusters } from './sample-clusters.ts';
import { SampleClock } from './seed-ledger.ts';

const DATABASE_FILE = 'ledger.db';

const LOOPBACK_ONLY = { allow: ['127.0.0.0/8'], deny: [], allowPrivate: false };

/** Maximum time for pending requests to end before the process exits. */
const CLOSE_TIMEOUT_MS = 5_000;

/** The port cannot be used. The message is printed as it is. */
class PortUnavailable extends Error {
  override readonly name = 'PortRefused';
}

/** Runs the demo and sets the exit code. @param args arguments of the command. */
export async function runDemoCommand(args: readonly string[]): Promise<void> {
  try {
    await start(args);
  } catch (error) {
    report(error);
    // A ledger that failed to start may leave its store open, which would keep the process alive.
    process.exit();
  }
}

async function start(args: readonly string[]): Promise<void> {
  const { help, seconds } = readArguments(args);
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  const configured = readConfig();
  const folder = join(configured.dataDir, 'demo');
  const store = { kind: 'sqlite', file: join(folder, DATABASE_FILE) } as const;
  // The billing service that receives webhooks is on this machine.
  const webhooks = { ...configured.webhooks, targets: LOOPBACK_ONLY };
  // Announcements would come between the sample data, at positions that differ from run to run.
  const open: Config = { ...configured, dataDir: folder, store, webhooks, announceAlerts: false };
  // On this machine, the commands of the guide work as they are printed, whatever access a real ledger asks for.
  const config = isLoopbackHost(open.host) ? { ...open, bootstrapKey: undefined, oidc: undefined } : open;
  await requireFreePort(config);
  await prepareFolder(folder, DATABASE_FILE);
  const clusters = await SampleClusters.start(join(folder, 'kubeconfigs'));
  await run({ ...config, validator: clusters.settings(config.validator) }, clusters, seconds);
}

async function run(config: Config, clusters: SampleClusters, seconds: number | undefined): Promise<void> {
  const stop = stopAtSignal();
  const clock = new SampleClock();
  // Before the first fact of the sample data: the ledger records its start, and its time never goes back.
  clock.set(Date.now() - 400 * DAY_MS);
  let failure: unknown;
  const ledger = await compose(config, {
    log: pino({ name: 'cluster-ledger', level: 'warn' }, pino.destination({ dest: 2, sync: true })),
    now: clock.now,
    // The clock of the demo jumps from the past of its sample data to the present.
    monotonic: clock.now,
    onFailed: (error) => {
      failure ??= error;
      stop.abort();
    },
  });
  await runDemo(ledger, clock, config, { seconds, stop, clusters }).catch((error: unknown) => {
    failure ??= error;
  });
  stop.abort();
  if (failure !== undefined) report(failure);
  setTimeout(() => process.exit(), CLOSE_TIMEOUT_MS).unref();
  await ledger.close();
  await clusters.close();
}

/** Returns a controller that aborts at SIGINT or SIGTERM. npm sends a second SIGINT after Ctrl-C, which has no effect. */
function stopAtSignal(): AbortController {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  // The reader of the pipe has closed it, as in `npm run demo | head`.
  process.stdout.on('error', () => stop.abort());
  return stop;
}

/** Checks that the port is free, before the demo changes any file. @throws PortUnavailable if it is not. */
async function requireFreePort({ host, port }: Config): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen(port, host), 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${message})`;
    throw new PortUnavailable(
      `Port ${port} of ${host} ${why}.\nSet LEDGER_HTTP_PORT to another port, or to 0 for any free port.`,
    );
  }
  probe.close();
  await once(probe, 'close');
}

/** Prints an error and sets the exit code. */
function report(error: unknown): void {
  process.exitCode = error instanceof DemoUsageError || error instanceof ConfigError ? 2 : 1;
  process.stderr.write(`${describeError(error)}\n`);
}

function describeError(error: unknown): string {
  if (error instanceof DemoUsageError) return `${error.message}\n\n${HELP}`.trimEnd();
  if (error instanceof ConfigError) return `Invalid configuration:\n${error.message.replaceAll(/^/gm, '  ')}`;
  if (error instanceof PortUnavailable || error instanceof FolderNotUsable) return error.message;
  return `The demo failed: ${error instanceof Error ? error.stack : String(error)}`;
}
