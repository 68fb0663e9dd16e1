import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { type Composition, compose } from './app/compose.ts';
import { type Config, ConfigError, readConfig } from './config/config.ts';

/** Maximum duration of a shutdown. */
const SHUTDOWN_MS = 20_000;

/** Starts the ledger with the settings of its environment, and shuts it down on a signal. */
async function main(): Promise<void> {
  const config = configOrExit();
  const log = pino({ name: 'cluster-ledger', level: config.logLevel });
  const fail = (error: unknown) => {
    log.fatal({ err: error }, 'fatal error, shutting down');
    process.exitCode = 1;
    log.flush(() => process.exit(1));
  };
  process.on('unhandledRejection', fail);
  let ledger: Composition;
  try {
    ledger = await compose(config, { log, now: Date.now, onFailed: fail });
    await ledger.app.listen({ host: config.host, port: config.port });
  } catch (error) {
    fail(explain(error, config));
    return;
  }
  log.info(
    { store: config.store.kind, dataDir: config.dataDir, namespace: config.namespace },
    'ledger ready',
  );
  log.warn(
    'no API keys are configured: every client that can reach this loopback address has the rights of an operator',
  );
  closeWithGrace({ delay: SHUTDOWN_MS, logger: log }, async ({ err, signal }) => {
    if (err !== undefined) log.fatal({ err }, 'fatal error, shutting down');
    log.info({ signal }, 'shutting down');
    await ledger.close();
    log.info('closed');
  });
}

function configOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`The configuration is not valid:\n${error.message.replaceAll(/^/gm, '  ')}\n`);
    process.exit(2);
  }
}

function explain(error: unknown, { host, port }: Config): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  return new Error(`${host}:${port} is in use; set LEDGER_HTTP_PORT to another port`);
}

await main();
