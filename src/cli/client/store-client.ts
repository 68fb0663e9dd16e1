import { access, open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { type Composition, compose } from '../../app/compose.ts';
import { openStore } from '../../app/open-log.ts';
import { type Config, ConfigError, readConfig } from '../../config/config.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import { StoreFailed, StoreUnavailable } from '../../eventstore/store-errors.ts';
import { CliError, unreachable, usageError } from '../terminal/cli-error.ts';
import { printWarning } from '../terminal/output.ts';
import { Progress } from '../terminal/progress.ts';
import { type Client, headersAndBody, pathAndQuery, type Request } from './client.ts';

/** Maximum time that a store may be unreachable. */
const UNREACHABLE_LIMIT_MS = 10_000;
const POLL_INTERVAL_MS = 20;

/** A ledger in this process that reads a store. It listens on no port and writes nothing. */
class StoreClient implements Client {
  readonly name: string;
  readonly #ledger: Composition;

  constructor(name: string, ledger: Composition) {
    this.name = name;
    this.#ledger = ledger;
  }

  async send(request: Request): Promise<Response> {
    const { headers, body } = headersAndBody(request);
    const answer = await this.#ledger.app.inject({
      method: request.method ?? 'GET',
      url: pathAndQuery(request),
      headers,
      payloadAsStream: true,
      ...(body !== undefined && { body }),
      ...(request.signal !== undefined && { signal: request.signal }),
    });
    const pairs = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as const);
    const isEmpty = answer.statusCode === 204 || answer.statusCode === 304;
    const stream = Readable.toWeb(answer.stream()) as ReadableStream<Uint8Array>;
    return new Response(isEmpty ? null : stream, {
      status: answer.statusCode,
      headers: Object.fromEntries(pairs),
    });
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }
}

/**
 * Opens a ledger on a store for reading, and waits until it has read the whole log.
 * @param store `sqlite:<file>` or `esdb://…`
 * @throws CliError if the store does not exist, is in use, or cannot be reached.
 */
export async function openStoreClient(store: string, namespace: string | undefined): Promise<Client> {
  const { name, config } = await resolveStore(store, namespace);
  let failure: unknown;
  const onFailed = (error: unknown) => {
    failure ??= error;
  };
  const ledger = await compose(config, { ...composeOptions(onFailed), readOnly: true }).catch(
    (error: unknown) => {
      throw toCliError(name, error);
    },
  );
  try {
    await catchUp(name, ledger, () => failure);
  } catch (error) {
    await ledger.close();
    throw toCliError(name, error);
  }
  return new StoreClient(name, ledger);
}

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

async function useStore<T>(
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

function composeOptions(onFailed: (error: unknown) => void) {
  return { log: pino({ level: 'silent' }), now: Date.now, onFailed };
}

async function resolveStore(store: string, namespace: string | undefined) {
  const config = configOf(store, namespace);
  if (config.store.kind !== 'sqlite') return { name: `the store with namespace ${config.namespace}`, config };
  await requireLedgerFile(config.store.file);
  return { name: config.store.file, config };
}

/** Returns the configuration of a ledger on a store. It reads no file and no variable. @throws CliError if the store is not valid. */
function configOf(store: string, namespace: string | undefined): Config {
  if (!/^(sqlite:.+|esdb(\+discover)?:\/\/.+)$/.test(store)) {
    // The text may hold a password: it is not repeated.
    const shown = store.includes('@') ? 'something else' : JSON.stringify(store);
    throw usageError(`--store must be sqlite:<file> or esdb://…; given ${shown}`);
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
      .replaceAll('LEDGER_STORE', '--store')
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
async function requireLedgerFile(file: string): Promise<void> {
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

async function catchUp(name: string, ledger: Composition, failure: () => unknown): Promise<void> {
  const { store, projections } = ledger;
  const head = await store.head();
  if (head === 0) printWarning(`${name} holds no events`);
  const progress = new Progress('reading the log', 'events');
  try {
    while (!projections.isCaughtUp) {
      if (failure() !== undefined) throw failure();
      const { unreachableSince, detail } = store.health();
      if (unreachableSince !== undefined && Date.now() - unreachableSince > UNREACHABLE_LIMIT_MS)
        throw new StoreUnavailable(detail);
      progress.at(projections.model.position, head);
      await wait(POLL_INTERVAL_MS);
    }
  } finally {
    progress.end();
  }
}

function toCliError(name: string, error: unknown): unknown {
  if (error instanceof CliError) return error;
  if (error instanceof ConfigError)
    return usageError('--store is not a valid EventStoreDB connection string');
  if (error instanceof StoreUnavailable) return unreachable(`cannot reach ${name}: ${error.message}`, error);
  if (error instanceof StoreFailed) return unreachable(error.message, error);
  if (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_SQLITE_ERROR')
    return unreachable(`cannot open ${name}: ${error.message}`, error);
  return error;
}
