import { setFlagsFromString } from 'node:v8';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { type Composition, compose, packageVersion } from './app/compose.ts';
import { openTracing } from './app/open-tracing.ts';
import { prepareDataDir } from './app/prepare-data-dir.ts';
import { type Config, ConfigError, isLoopbackHost, readConfig } from './config/config.ts';
import { StoreUnavailable } from './eventstore/store-errors.ts';
import type { LossAcceptance } from './ledger/loss-records.ts';
import { messageOf } from './util/message-of.ts';

/** Maximum duration of a shutdown. */
const SHUTDOWN_MS = 20_000;
/** Exit code if a setting is not valid, as for a command with a wrong option. */
const EXIT_WRONG_SETTINGS = 2;
/** Maximum time to answer the requests in progress after a fatal error. */
const LAST_ANSWERS_MS = 500;

/** Starts the ledger with the settings of its environment, and shuts it down on a signal. */
async function main(): Promise<void> {
  const config = configOrExit();
  const tracing = await openTracing(config.tracingEndpoint, packageVersion());
  const mixin = () => tracing?.logFields() ?? {};
  const log = pino({ name: 'cluster-ledger', level: config.logLevel, mixin });
  // Node.js writes them as text, and each line of the log is JSON.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => log.warn({ err: warning }, 'Node.js warns'));
  const fail = (error: unknown) => {
    log.fatal({ err: error }, 'fatal error, shutting down');
    process.exitCode = 1;
    const exit = () => log.flush(() => process.exit(1));
    setTimeout(() => process.exit(1), LAST_ANSWERS_MS);
    // Requests that wait for the store are answered that it has failed.
    if (ledger === undefined) exit();
    else ledger.app.close().then(exit, exit);
  };
  process.on('unhandledRejection', fail);
  let ledger: Composition | undefined;
  const open = async (acceptLoss?: LossAcceptance): Promise<Composition> => {
    const onLossAccepted = (acceptance: LossAcceptance) => void reopen(acceptance).catch(fail);
    const accepting = acceptLoss !== undefined && { acceptLoss };
    const options = { log, tracing, now: Date.now, onFailed: fail, onLossAccepted, ...accepting };
    await prepareDataDir(config.dataDir);
    const opened = await compose(config, options);
    ledger = opened;
    await requireKeys(opened, config);
    await opened.app.listen({ host: config.host, port: config.port });
    return opened;
  };
  const reopen = async (acceptance: LossAcceptance) => {
    log.warn({ ...acceptance }, 'an operator accepts that events are lost; opening the store again');
    await ledger?.close();
    await open(acceptance);
  };
  let opened: Composition;
  try {
    opened = await open();
  } catch (error) {
    log.debug({ err: error }, 'the start failed');
    printWhyNotStarted(explain(error, config));
    process.exitCode = error instanceof ConfigError ? EXIT_WRONG_SETTINGS : 1;
    // A connection or a timer of what was opened must not keep the process.
    setTimeout(() => process.exit(), LAST_ANSWERS_MS).unref();
    await ledger?.close();
    process.exit();
  }
  keepGarbageYoung();
  log.info(
    { store: config.store.kind, dataDir: config.dataDir, namespace: config.namespace },
    'ledger ready',
  );
  if (await opened.access.isOpen().catch(() => false)) {
    log.warn(
      'there are no API keys: every client that can reach this loopback address has the rights of an operator; create the first key with cluster-ledger keys create --role operator --name NAME',
    );
  }
  closeWithGrace({ delay: SHUTDOWN_MS, logger: log }, async ({ err, signal }) => {
    if (err !== undefined) log.fatal({ err }, 'fatal error, shutting down');
    log.info({ signal }, 'shutting down');
    await ledger?.close();
    await tracing?.stop();
    log.info('closed');
  });
}

/**
 * Has V8 allocate all objects as young ones from now on. It allocates objects as old ones where earlier ones of the same literal
 * lived long, as the figures of a kept measure do. A long answer then makes old garbage, which is collected late: the usage of 2,000
 * accounts by day took 120 to 220 MB of memory, and 20 to 50 MB without. Rebuilding the projections, which keep what they allocate, is
 * faster with it.
 */
function keepGarbageYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/**
 * Refuses to serve an address that others can reach while there are no keys.
 * @throws Error if there are none. If the store cannot be reached, the ledger starts, and lets nobody in until it can.
 */
async function requireKeys({ keys }: Composition, { host, bootstrapKey, oidc }: Config): Promise<void> {
  if (isLoopbackHost(host) || bootstrapKey !== undefined || oidc !== undefined) return;
  const hasKeys = await keys.hasAny().catch((error: unknown) => {
    if (error instanceof StoreUnavailable) return true;
    throw error;
  });
  if (hasKeys) return;
  throw new Error(
    `there are no API keys, so the ledger does not listen on ${host}, which other machines can reach: create the first key with cluster-ledger keys create --role operator --name NAME --store STORE, set LEDGER_BOOTSTRAP_KEY_FILE, or listen on 127.0.0.1`,
  );
}

function configOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printWhyNotStarted(error);
    process.exit(EXIT_WRONG_SETTINGS);
  }
}

/** Prints the reason as one line, without a stack; if there are several mistakes in the settings, one line for each. */
function printWhyNotStarted(error: unknown): void {
  const mistakes = messageOf(error).split('\n');
  const isList = error instanceof ConfigError && mistakes.length > 1;
  const why = isList
    ? `${mistakes.length} settings are not valid:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`
    : mistakes.join(' ');
  process.stderr.write(`cluster-ledger cannot start: ${why}\n`);
}

function explain(error: unknown, { host, port }: Config): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  return new Error(`${host}:${port} is in use; set LEDGER_HTTP_PORT to another port`);
}

await main();
