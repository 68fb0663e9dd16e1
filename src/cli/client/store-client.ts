import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { type Composition, compose, openStore } from '../../app/compose.ts';
import { type Config, ConfigError, readConfig } from '../../config/config.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import { StoreFailed, StoreUnavailable } from '../../eventstore/store-errors.ts';
import { CliError, unreachable, usageError } from '../terminal/cli-error.ts';
import { printWarning } from '../terminal/output.ts';
import { Progress } from '../terminal/progress.ts';
import { type Client, headersAndBody, pathAndQuery, type Request } from './client.ts';

/** How long a store may be out of reach. */
const UNREACHABLE_LIMIT_MS = 10_000;
const POLL_INTERVAL_MS = 20;

/** A whole ledger on a store, in this process: it listens to nobody, and writes nothing. */
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
 * Opens a ledger on a store, to be read only, and waits until all of its log is known.
 * @param store `sqlite:<file>` or `esdb://…`
 * @throws CliError if it is no store, is in use, or cannot be reached.
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
 * Opens a store by itself, for what does not trust a ledger to read it, and closes it once it was used.
 * @throws CliError as `openStoreClient` does.
 */
export async function withStore<T>(
  store: string,
  namespace: string | undefined,
  use: (store: EventStore) => Promise<T>,
): Promise<T> {
  const { name, config } = await resolveStore(store, namespace);
  try {
    const opened = await openStore(
      config,
      composeOptions(() => undefined),
    );
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
  if (config.store.kind !== 'sqlite') return { name: `the store of namespace ${config.namespace}`, config };
  await requireLedgerFile(config.store.file);
  return { name: config.store.file, config };
}

/** The configuration of a ledger on this store, which takes nothing from files or variables. @throws CliError */
function configOf(store: string, namespace: string | undefined): Config {
  if (!/^(sqlite:.+|esdb(\+discover)?:\/\/.+)$/.test(store)) {
    // What may hold a password is not repeated.
    const given = store.includes('@') ? 'something else' : JSON.stringify(store);
    throw usageError(`--store must be sqlite:<file> or esdb://…; given ${given}`);
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

/** What is absent or empty would be made a new ledger, and beside a file of others nothing is to be left. @throws CliError */
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
    throw unreachable(code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read: ${message}`);
  }
  if (head.length === 0) throw unreachable(`${file} is empty: no ledger was ever there`);
  if (head.toString('latin1') !== SQLITE_HEADER) throw unreachable(`${file} is no SQLite file`);
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
  if (error instanceof ConfigError) return usageError('--store is no connection string of EventStoreDB');
  if (error instanceof StoreUnavailable)
    return unreachable(`${name} cannot be reached: ${error.message}`, error);
  if (error instanceof StoreFailed) return unreachable(error.message, error);
  if (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_SQLITE_ERROR')
    return unreachable(`${name} cannot be opened: ${error.message}`, error);
  return error;
}
