import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CheckpointFile } from '../audit/checkpoint-file.ts';
import { keysOf } from '../audit/key-location.ts';
import type { LogReader } from '../audit/leaf-hash-worker-client.ts';
import { SignedLog } from '../audit/signed-log.ts';
import { Witnesses } from '../audit/witness/witnesses.ts';
import { type Config, ConfigError } from '../config/config.ts';
import type { Instant } from '../domain/time.ts';
import type { EventStore, StoreLoss } from '../eventstore/event-store.ts';
import { ObservedStore } from '../eventstore/observed-store.ts';
import { ReadOnlyStore } from '../eventstore/read-only-store.ts';
import { SqliteStore } from '../eventstore/sqlite/sqlite-store.ts';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
import { CheckpointSchedule } from '../jobs/checkpoint-schedule.ts';
import { ClockGuard } from '../ledger/clock-guard.ts';
import { ClockRecords } from '../ledger/clock-records.ts';
import { type LossAcceptance, LossRecords } from '../ledger/loss-records.ts';
import { ReadOnlyAwareStore, ReadOnlyLatch } from '../ledger/read-only-latch.ts';
import { RecordingClock } from '../ledger/recording-clock.ts';
import { StatementDigests } from '../ledger/statement-digests.ts';
import { LogStarts } from '../projections/log-starts.ts';
import { Projections } from '../projections/projections.ts';
import { Operations } from '../util/operation-listeners.ts';
import type { ComposeOptions } from './compose-options.ts';
import { warnOfOpenFolders } from './data-folder.ts';

/** The store and everything that follows its log. */
export interface OpenLog {
  readonly store: EventStore;
  readonly projections: Projections;
  readonly signedLog: SignedLog;
  readonly witnesses: Witnesses;
  readonly checkpoints: CheckpointSchedule;
  readonly starts: LogStarts;
  /** The appends, probes and deliveries of this ledger, for metrics and traces. */
  readonly operations: Operations;
  /** Stamps events. */
  readonly clock: RecordingClock;
  readonly clockGuard: ClockGuard;
  /** Closes the log for writing. */
  readonly latch: ReadOnlyLatch;
  /** Whether nothing is written: this process only reads, or the log lacks events that were acknowledged. */
  readonly isReadOnly: boolean;
}

const LOSS_ADVICE =
  'stop the ledger and restore the newest backup of the store with its -wal; if there is none: cluster-ledger log accept-loss --reason …';

/** Number of events of a log that is read before it is checked. The check of a shorter one takes less time than the start of a thread. */
const LONG_LOG = 20_000;

/** Maximum delay of a timer, about 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Opens the store, and starts the projections and the signed log, which follow it.
 * @param resources receives everything that has to be closed.
 * @throws StoreFailed, StoreUnavailable, ConfigError as `openStore` does. @throws LogKeyError if the keys are not the log's keys.
 */
export async function openLog(
  config: Config,
  options: ComposeOptions,
  resources: AsyncDisposableStack,
): Promise<OpenLog> {
  const { log, now, monotonic = () => performance.now(), onFailed, readOnly = false } = options;
  const operations = new Operations();
  const opened = new ObservedStore(await openStore(config, options), operations);
  if (!readOnly) await warnOfOpenFolders(config, log);
  const latch = new ReadOnlyLatch(now);
  const store = readOnly ? new ReadOnlyStore(opened) : new ReadOnlyAwareStore(opened, latch);
  resources.defer(() => store.close());
  const onBehind = ({ why, intactThrough }: StoreLoss) => {
    // The store and the recorded starts may both notice the loss.
    if (latch.loss !== undefined) return;
    latch.close('log-behind', why, intactThrough);
    log.error(
      { alert: 'log-behind', why, do: LOSS_ADVICE },
      'acknowledged events are missing; the ledger is read-only',
    );
  };
  if (opened.loss !== undefined) onBehind(opened.loss);
  const isStoreReadOnly = readOnly || opened.loss !== undefined;
  let projections: Projections | undefined;
  const clock = new RecordingClock(now, () => projections?.model.facts.newestRecordedAt ?? 0);
  const newest = await observeLastEvent(opened, clock);
  const starts = new LogStarts(opened, {
    recordingTime: clock.now,
    monotonic,
    isReadOnly: isStoreReadOnly,
    onBehind,
    onFailed,
  });
  if (options.acceptLoss !== undefined && !isStoreReadOnly)
    await acceptLoss(options.acceptLoss, opened, { config, starts, clock });
  const following = new Projections(store, {
    ...(!readOnly && {
      snapshotFile: snapshotFile(config),
      statementDigests: new StatementDigests(store),
    }),
    starts,
    log,
    onFailed,
  });
  projections = following;
  resources.defer(() => following.stop());
  const signedLog = new SignedLog(opened, {
    ...config.audit,
    keys: keysOf(config.audit, config.dataDir),
    reader: logReader(config),
    file: new CheckpointFile(checkpointFile(config)),
    now: clock.now,
    log,
    onBehind,
    onTampered: (why) => latch.close('log-tampered', why),
    onFailed,
  });
  resources.defer(() => signedLog.stop());
  const witnesses = new Witnesses(signedLog, opened, {
    witnesses: config.audit.witnesses,
    now: clock.now,
    log,
  });
  resources.defer(() => witnesses.stop());
  const everyMs = config.audit.checkpointSeconds * 1_000;
  const checkpoints = new CheckpointSchedule(signedLog, { now, monotonic, everyMs, log });
  resources.defer(() => checkpoints.stop());
  const clockGuard = new ClockGuard({
    records: new ClockRecords(store, clock.now),
    wall: now,
    monotonic,
    newestAtStart: async () => newest ?? newestOf(following),
    serverTime: options.serverTime ?? (() => starts.serverTime()),
    log,
  });
  resources.defer(() => clockGuard.stop());
  following.start();
  // A snapshot shows whether the log lacks events: nothing is signed or recorded before.
  if (opened.isSoleWriter) await following.restored;
  if (!readOnly && latch.loss === undefined) await signedLog.start(following.waitUntilCaughtUp(MAX_TIMER_MS));
  const isReadOnly = readOnly || latch.loss !== undefined;
  if (!isReadOnly) {
    checkpoints.start();
    witnesses.start();
    const firstCheck = clockGuard.start();
    if (opened.isSoleWriter) await firstCheck;
  }
  return {
    store,
    operations,
    projections: following,
    signedLog,
    witnesses,
    checkpoints,
    clock,
    clockGuard,
    starts,
    latch,
    isReadOnly,
  };
}

/** Records that an operator accepts that events are lost, before anything else is written, and begins a new epoch. */
async function acceptLoss(
  acceptance: LossAcceptance,
  store: EventStore,
  { config, starts, clock }: { config: Config; starts: LogStarts; clock: RecordingClock },
): Promise<void> {
  await new LossRecords(store, clock.now).accepted(acceptance, await starts.nextEpoch());
  await rm(snapshotFile(config), { force: true });
  await rm(checkpointFile(config), { force: true });
}

/**
 * Lets the clock know the last event before the projections have read it. The embedded store answers at once. On EventStoreDB the
 * end of the log is known only after reading it, which the projections do.
 * @returns the `recordedAt` of that event, 0 if the log is empty; `undefined` on EventStoreDB.
 */
async function observeLastEvent(store: EventStore, clock: RecordingClock): Promise<Instant | undefined> {
  if (!store.isSoleWriter) return undefined;
  const head = await store.head();
  let newest = 0;
  if (head === 0) return newest;
  for await (const events of store.readAll(head - 1))
    for (const { recordedAt } of events) newest = recordedAt;
  clock.observe(newest);
  return newest;
}

/** Returns the newest `recordedAt` of the log, once the projections have read it. @throws StoreUnavailable if they have not */
async function newestOf(projections: Projections): Promise<Instant> {
  if (!projections.isCaughtUp) throw new StoreUnavailable('the log has not been read yet');
  return projections.model.facts.newestRecordedAt;
}

/** Returns the file of the snapshot, which saves the projections a replay of the log. */
export function snapshotFile({ dataDir, store, namespace }: Config): string {
  return join(dataDir, `snapshot-${store.kind}-${namespace}.bin`);
}

/** Returns the file of the newest signed checkpoint, which shows whether a log lacks events or was changed. */
export function checkpointFile({ dataDir, store, namespace }: Config): string {
  const name = store.kind === 'sqlite' ? basename(store.file) : `esdb-${namespace}`;
  return join(dataDir, `checkpoint-${name}`);
}

/** Opens the store alone. @throws StoreFailed, StoreUnavailable if it cannot be opened. @throws ConfigError */
export async function openStore(
  { store, namespace }: Config,
  {
    log,
    now,
    onFailed,
    acceptLoss,
    timings,
    readOnly = false,
    readableUncheckedFrom = LONG_LOG,
  }: ComposeOptions,
): Promise<EventStore> {
  if (store.kind === 'sqlite')
    return SqliteStore.open(store.file, {
      onFailed,
      acceptLoss: acceptLoss !== undefined,
      readOnly,
      readableUncheckedFrom,
      digests: new URL('../audit/leaf-digest.ts', import.meta.url).href,
    });
  // The client of the server takes a sixth of the time of a start.
  const [{ EsdbStore }, { ConnectionFileError }] = await Promise.all([
    import('../eventstore/esdb/esdb-store.ts'),
    import('../eventstore/esdb/connection-settings.ts'),
  ]);
  try {
    return new EsdbStore(store.connection, { namespace, now, log, ...(timings && { timings }) });
  } catch (error) {
    if (error instanceof ConnectionFileError) throw new ConfigError(`LEDGER_STORE: ${error.message}`);
    // The message of the client repeats the connection string, which may contain a password.
    throw new ConfigError(
      'LEDGER_STORE is not a connection string of EventStoreDB (esdb://host:port?key=value&…)',
    );
  }
}

function logReader({ store }: Config): LogReader | undefined {
  if (store.kind !== 'sqlite') return undefined;
  return { module: new URL('../eventstore/sqlite/log-reader.ts', import.meta.url).href, file: store.file };
}
