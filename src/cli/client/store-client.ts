import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { type Composition, compose } from '../../app/compose.ts';
import { StoreUnavailable } from '../../eventstore/store-errors.ts';
import { printWarning } from '../terminal/output.ts';
import { Progress } from '../terminal/progress.ts';
import { type Client, headersAndBody, pathAndQuery, type Request } from './client.ts';
import { composeOptions, resolveStore, toCliError } from './open-store.ts';

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
