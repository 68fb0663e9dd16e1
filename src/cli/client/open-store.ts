import { access, open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { pino } from 'pino';
import { openStore } from '../../app/open-log.ts';
import { type Config, ConfigError, readConfig } from '../../config/config.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import { StoreFailed, StoreUnavailable } from '../../eventstore/store-errors.ts';
import { CliError, unreachable, usageError } from '../terminal/cli-error.ts';
import { printWarning } from '../terminal/output.ts';

/**
 * Opens a store without a ledger, for a verifier that must not run the code of one, and closes it after use.
 * @throws CliError as `openStoreClient` does.
 */
export async function withStore<T>(
  store: string,
  namespace: string | undefined,
  use: (store: EventStore) => Promise<T>,
): Promise<T> {
  return useStore(await resolveStore(store, namespace), use, true);
}

/**
 * Opens a store as `withStore` does, to write to it. An absent SQLite file is created.
 * @throws CliError if the store is in use, or cannot be reached.
 */
export async function withNewStore<T>(
  store: string,
  namespace: string | undefined,
  use: (store: EventStore) => Promise<T>,
): Promise<T> {
  const config = configOf(store, namespace);
  if (config.store.kind !== 'sqlite') return useStore(await resolveStore(store, namespace), use);
  const { file } = config.store;
  const isNew = await access(file).then(
    () => false,
    () => true,
  );
  if (!isNew) return useStore(await resolveStore(store, namespace), use);
  printWarning(`${file} does not exist: a new ledger is created`);
  return useStore({ name: file, config }, use);
}

/** Opens a store that a configuration chooses, and closes it after use. @throws CliError as `withStore` does. */
export async function useStore<T>(
  { name, config }: { readonly name: string; readonly config: Config },
  use: (store: EventStore) => Promise<T>,
  readOnly = false,
): Promise<T> {
  try {
    const opened = await openStore(config, { ...composeOptions(() => undefined), readOnly });
    try {
      return await use(opened);
    } finally {
      await opened.close();
    }
  } catch (error) {
    throw toCliError(name, error);
  }
}

/** Returns options for a ledger, or a store, that only this command uses. */
export function composeOptions(onFailed: (error: unknown) => void) {
  return { log: pino({ level: 'silent' }), now: Date.now, onFailed };
}

/** Returns a store that exists, with its name. @throws CliError if the store is not valid, or its file does not exist. */
export async function resolveStore(store: string, namespace: string | undefined) {
  const config = configOf(store, namespace);
  if (config.store.kind !== 'sqlite') return { name: `the store with namespace ${config.namespace}`, config };
  await requireLedgerFile(config.store.file);
  return { name: config.store.file, config };
}

/**
 * Returns the configuration of a ledger on a store. It reads no file and no variable.
 * @param option the option that names the store, for messages.
 * @throws CliError if the store is not valid.
 */
export function configOf(store: string, namespace: string | undefined, option = '--store'): Config {
  if (!/^(sqlite:.+|esdb(\+discover)?:\/\/.+)$/.test(store)) {
    // The text may hold a password: it is not repeated.
    const shown = store.includes('@') ? 'something else' : JSON.stringify(store);
    throw usageError(`${option} must be sqlite:<file> or esdb://…; given ${shown}`);
  }
  try {
    return readConfig({
      LEDGER_CONFIG: devNull,
      LEDGER_STORE: store,
      ...(namespace !== undefined && { LEDGER_NAMESPACE: namespace }),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const words = error.message
      .replaceAll('LEDGER_STORE', option)
      .replaceAll('LEDGER_NAMESPACE', '--namespace');
    throw usageError(words);
  }
}

const SQLITE_HEADER = 'SQLite format 3\0';

/**
 * Checks that a file is an SQLite database. Opening an absent or empty file would create a ledger, and opening any other
 * would leave a lock file beside it.
 * @throws CliError if it is not.
 */
export async function requireLedgerFile(file: string): Promise<void> {
  let head: Buffer;
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(SQLITE_HEADER.length), 0);
      head = buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw unreachable(code === 'ENOENT' ? `file not found: ${file}` : `cannot read ${file}: ${message}`);
  }
  if (head.length === 0) throw unreachable(`${file} is empty: it does not hold a ledger`);
  if (head.toString('latin1') !== SQLITE_HEADER) throw unreachable(`${file} is not an SQLite file`);
}

/** Turns an error of a store into one that the command prints. Returns any other error unchanged. */
export function toCliError(name: string, error: unknown): unknown {
  if (error instanceof CliError) return error;
  if (error instanceof ConfigError)
    return usageError('--store is not a valid EventStoreDB connection string');
  if (error instanceof StoreUnavailable) return unreachable(`cannot reach ${name}: ${error.message}`, error);
  if (error instanceof StoreFailed) return unreachable(error.message, error);
  if (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_SQLITE_ERROR')
    return unreachable(`cannot open ${name}: ${error.message}`, error);
  return error;
}
