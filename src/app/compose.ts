import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { keysOf } from '../audit/key-location.ts';
import type { LogReader } from '../audit/leaf-hash-worker-client.ts';
import { SignedLog } from '../audit/signed-log.ts';
import { type Config, ConfigError } from '../config/config.ts';
import { EsdbStore } from '../eventstore/esdb/esdb-store.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { ReadOnlyStore } from '../eventstore/read-only-store.ts';
import { SqliteStore } from '../eventstore/sqlite/sqlite-store.ts';
import { measureLog } from '../http/metrics/log-metrics.ts';
import { createMetrics, observeKubefirst } from '../http/metrics/metrics.ts';
import type { App, HttpServices } from '../http/server/app.ts';
import { buildServer } from '../http/server/server.ts';
import { AutoClose } from '../jobs/auto-close.ts';
import { CheckpointSchedule } from '../jobs/checkpoint-schedule.ts';
import { Ledger } from '../ledger/ledger.ts';
import { OperatorDecisions } from '../ledger/operator-decisions.ts';
import { PeriodClosingStore } from '../ledger/period-closing-store.ts';
import { ReadOnlyAwareStore, ReadOnlyLatch } from '../ledger/read-only-latch.ts';
import { StatementDigests } from '../ledger/statement-digests.ts';
import { Projections } from '../projections/projections.ts';
import { ClosePeriod } from '../usecases/close-period.ts';
import type { Position } from '../util/log-numbers.ts';
import { type Kubefirst, openKubefirst } from './compose-kubefirst.ts';
import { type OpenValidator, openValidator } from './compose-validator.ts';

/** A ledger with all of its rooms, not yet listening. */
export interface Composition {
  readonly app: App;
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly signedLog: SignedLog;
  readonly closePeriod: ClosePeriod;
  /** Absent where no source of credentials is configured. */
  readonly validator: OpenValidator | undefined;
  readonly kubefirst: Kubefirst;
  /** Lets requests under way end, then closes everything. */
  close(): Promise<void>;
}

export interface ComposeOptions {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told when the process must stop: the store, or what follows it, has failed for good. */
  readonly onFailed: (error: unknown) => void;
  /** It only answers: nothing is written, neither to the store nor to files. */
  readonly readOnly?: boolean;
}

/**
 * Wires a ledger up, and begins to follow its log.
 * @throws StoreFailed, StoreUnavailable where the store does not open. @throws LogKeyError where the keys are not its log's.
 */
export async function compose(
  config: Config,
  { log, now, onFailed, readOnly = false }: ComposeOptions,
): Promise<Composition> {
  const opened = await openStore(config, { log, now, onFailed });
  const gate = new ReadOnlyLatch();
  const store = readOnly ? new ReadOnlyStore(opened) : new ReadOnlyAwareStore(opened, gate);
  const projections = new Projections(store, {
    ...(!readOnly && { snapshotFile: snapshotFile(config), statementDigests: new StatementDigests(store) }),
    log,
    onFailed,
  });
  const signedLog = new SignedLog(opened, {
    ...config.audit,
    keys: keysOf(config.audit, config.dataDir),
    reader: logReader(config),
    now,
    log,
    onTampered: (why) => gate.close(why),
    onFailed,
  });
  const signer = new CheckpointSchedule(signedLog, {
    now,
    everyMs: config.audit.checkpointSeconds * 1_000,
    log,
  });
  let kubefirst: Kubefirst | undefined;
  let validator: OpenValidator | undefined;
  const stop = async () => {
    await validator?.stop();
    await kubefirst?.stop();
    await signer.stop();
    await signedLog.stop();
    await projections.stop();
    await store.close();
  };
  try {
    projections.start();
    if (!readOnly) {
      await signedLog.start(projections.waitUntilCaughtUp(FOR_EVER_MS));
      signer.start();
    }
    const ledger = new Ledger(store, now);
    const closes = new PeriodClosingStore(store, now);
    const closed = (position: Position | undefined) => signer.closed(position);
    const closePeriod = new ClosePeriod({ store, projections, closes, now, closed });
    const autoClose = new AutoClose({ closer: closePeriod, projections, now, log }, config.autoClose);
    const parts = { store, ledger, projections, log, now };
    kubefirst = await openKubefirst(parts, readOnly ? withoutRecords(config.kubefirst) : config.kubefirst);
    const { watcher } = kubefirst;
    validator = readOnly
      ? undefined
      : openValidator(
          { ...parts, environment: config.kubernetes, records: () => watcher?.reading() },
          config.validator,
        );
    const metrics = createMetrics({ store, projections, signedLog, now });
    measureLog(metrics.registry, signedLog, now);
    observeKubefirst(metrics, kubefirst);
    const rooms: HttpServices = {
      store,
      ledger,
      projections,
      signedLog,
      metrics,
      decisions: new OperatorDecisions(store, now),
      closePeriod,
      kubefirst,
      validator: validator?.control,
      now,
      version: versionOfPackage(),
    };
    const app = await buildServer(rooms, log);
    if (!readOnly) autoClose.start();
    const close = async () => {
      const closing = autoClose.stop();
      await app.close();
      await closing;
      await stop();
    };
    return { app, store, ledger, projections, signedLog, closePeriod, validator, kubefirst, close };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The longest time that a timer takes, 24 days. */
const FOR_EVER_MS = 2 ** 31 - 1;

function withoutRecords({ records: _, ...settings }: Config['kubefirst']): Config['kubefirst'] {
  return settings;
}

/** Where the projections keep what saves them a replay. */
export function snapshotFile({ dataDir, store, namespace }: Config): string {
  return join(dataDir, `snapshot-${store.kind}-${namespace}.bin`);
}

/** Opens a store by itself. @throws StoreFailed, StoreUnavailable where it does not open. @throws ConfigError */
export async function openStore(
  { store, namespace }: Config,
  { log, now, onFailed }: Omit<ComposeOptions, 'readOnly'>,
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

function logReader({ store }: Config): LogReader | undefined {
  if (store.kind !== 'sqlite') return undefined;
  return { module: new URL('../eventstore/sqlite/log-reader.ts', import.meta.url).href, file: store.file };
}

function versionOfPackage(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
