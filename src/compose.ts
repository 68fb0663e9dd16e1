import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Config, ConfigError } from './config.ts';
import { EsdbStore } from './eventstore/esdb/esdb-store.ts';
import type { EventStore } from './eventstore/event-store.ts';
import { SqliteStore } from './eventstore/sqlite/sqlite-store.ts';
import type { App, Rooms } from './http/app.ts';
import { createMetrics } from './http/metrics.ts';
import { buildServer } from './http/server.ts';
import { PeriodCloser } from './jobs/close-period.ts';
import { Decisions } from './ledger/decisions.ts';
import { Ledger } from './ledger/ledger.ts';
import { PeriodCloses } from './ledger/period-closes.ts';
import { Projections } from './projections/projections.ts';

/** A ledger with all of its rooms, not yet listening. */
export interface Composition {
  readonly app: App;
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly projections: Projections;
  /** Lets requests under way end, then closes everything. */
  close(): Promise<void>;
}

export interface Surroundings {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told when the process must stop: the store, or what follows it, has failed for good. */
  readonly onFailed: (error: unknown) => void;
}

/** Wires a ledger up, and begins to follow its log. @throws StoreFailed, StoreUnavailable where the store does not open. */
export async function compose(config: Config, { log, now, onFailed }: Surroundings): Promise<Composition> {
  const store = await openStore(config, log, now, onFailed);
  const projections = new Projections(store, {
    snapshotFile: snapshotFile(config),
    log,
    onFailed,
  });
  projections.start();
  const ledger = new Ledger(store, now);
  const closer = new PeriodCloser({ store, projections, closes: new PeriodCloses(store, now), now });
  const stop = async () => {
    await projections.stop();
    await store.close();
  };
  try {
    const metrics = createMetrics(store, projections, now);
    const closePeriod: Rooms['closePeriod'] = (command) => closer.close(command);
    const decisions = new Decisions(store, now);
    const version = versionOfPackage();
    const rooms = { store, ledger, projections, metrics, decisions, closePeriod, now, version };
    const app = await buildServer(rooms, log);
    const close = async () => {
      await app.close();
      await stop();
    };
    return { app, store, ledger, projections, close };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where the projections keep what saves them a replay. */
export function snapshotFile({ dataDir, store, namespace }: Config): string {
  return join(dataDir, `snapshot-${store.kind}-${namespace}.bin`);
}

async function openStore(
  { store, namespace }: Config,
  log: Logger,
  now: () => number,
  onFailed: (error: unknown) => void,
): Promise<EventStore> {
  if (store.kind === 'sqlite') return SqliteStore.open(store.file, { onFailed });
  try {
    return new EsdbStore(store.connection, { namespace, now, log });
  } catch {
    // What the client says of it repeats the string, and that may hold a password.
    throw new ConfigError(
      'LEDGER_STORE is no connection string of EventStoreDB (esdb://host:port?key=value&…)',
    );
  }
}

function versionOfPackage(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
