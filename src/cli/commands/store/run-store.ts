import { snapshotFile } from '../../../app/open-log.ts';
import { type Config, ConfigError, readConfig } from '../../../config/config.ts';
import { StoreFull } from '../../../eventstore/store-errors.ts';
import {
  type BackupSummary,
  backUpStore,
  FileExists,
  UnsoundBackup,
} from '../../../usecases/back-up-store.ts';
import { CopyRefused } from '../../../usecases/copy-state-streams.ts';
import { copyStore } from '../../../usecases/copy-store.ts';
import { rebuildProjections, type SnapshotComparison } from '../../../usecases/rebuild-projections.ts';
import { restoreFile, restoreToStore } from '../../../usecases/restore-store.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { configOf, requireLedgerFile, toCliError, useStore } from '../../client/open-store.ts';
import { CliError, EXIT, usageError } from '../../terminal/cli-error.ts';
import { type Detail, printMessage } from '../../terminal/output.ts';
import { Progress } from '../../terminal/progress.ts';
import { plural } from '../../terminal/text.ts';
import { asUsageError } from '../config/effective-settings.ts';
import { readKeys } from '../verify/read-keys.ts';
import type {
  BackupOptions,
  CopyOptions,
  RebuildOptions,
  RestoreOptions,
  StoreOptions,
} from './store-options.ts';

const KEY_IS_APART =
  'the signing key (log-key) and the key of the webhooks are not part of a backup: keep copies of them elsewhere';

/** Backs up a store, and prints what the backup has. @throws CliError */
export async function runBackup({ out }: CliContext, options: BackupOptions): Promise<void> {
  const keys = await readKeys(options.key ?? []);
  const config = chosenStore(options);
  const progress = new Progress('backing up', config.store.kind === 'sqlite' ? 'pages' : 'events');
  const onProgress = (done: number, total: number) => progress.at(done, total);
  const backUp = async (): Promise<BackupSummary> => {
    const { store } = config;
    if (store.kind === 'esdb')
      return useStore(named(config), (opened) =>
        backUpStore({ kind: 'store', store: opened }, options.to, { keys, onProgress }),
      );
    await requireLedgerFile(store.file);
    return backUpStore({ kind: 'file', file: store.file }, options.to, { keys, onProgress });
  };
  const summary = await explaining(nameOf(config), backUp).finally(() => progress.end());
  if (options.json) return out.json(summary);
  await out.details([...details(summary), ['signatures', signatures(keys)]]);
  printMessage(KEY_IS_APART);
}

/** Restores a backup, and prints what the store has and what to do next. @throws CliError */
export async function runRestore(
  { out }: CliContext,
  backup: string,
  options: RestoreOptions,
): Promise<void> {
  const keys = await readKeys(options.key ?? []);
  const config = chosenStore(options);
  await requireLedgerFile(backup);
  const { store } = config;
  if (store.kind === 'esdb' && options.replace === true)
    throw usageError('--replace is for files: restore to another namespace of EventStoreDB instead');
  const progress = new Progress('restoring', store.kind === 'sqlite' ? 'pages' : 'events');
  const given = {
    keys,
    now: Date.now,
    onProgress: (done: number, total: number) => progress.at(done, total),
  };
  const summary = await explaining(nameOf(config), async () =>
    store.kind === 'sqlite'
      ? restoreFile(backup, store.file, { ...given, replace: options.replace === true })
      : useStore(named(config), (opened) => restoreToStore(backup, opened, given)),
  ).finally(() => progress.end());
  if (options.json) return out.json(summary);
  const { replaced, missing, epoch, epochFrom } = summary;
  await out.details([
    ...details({ ...summary, file: nameOf(config) }),
    ['signatures', signatures(keys)],
    ['epoch', `${epoch}, from position ${epochFrom} on`],
    ...(replaced === undefined ? [] : ([['replaced', replaced]] as Detail[])),
  ]);
  if (missing > 0)
    printMessage(
      `the backup lacks ${plural(missing, 'event')} that were acknowledged after position ${summary.size}: the ledger starts read-only until an operator runs cluster-ledger log accept-loss; then have them posted again`,
    );
}

/** Computes the projections from the log alone, and prints how the snapshot compares. @throws CliError */
export async function runRebuild({ out }: CliContext, options: RebuildOptions): Promise<void> {
  const chosen = chosenStore(options);
  const config = options.dataDir === undefined ? chosen : { ...chosen, dataDir: options.dataDir };
  if (config.store.kind === 'sqlite') await requireLedgerFile(config.store.file);
  const progress = new Progress('rebuilding', 'events');
  const onProgress = (done: number, total: number) => progress.at(done, total);
  const summary = await explaining(nameOf(config), () =>
    useStore(named(config), (store) => rebuildProjections(store, snapshotFile(config), { onProgress }), true),
  ).finally(() => progress.end());
  const { events, clusters, accounts, closedPeriods, snapshot } = summary;
  if (options.json) await out.json(summary);
  else
    await out.details([
      ['rebuilt', nameOf(config)],
      ['events', events],
      ['clusters', clusters],
      ['accounts', accounts],
      ['closed periods', closedPeriods],
      ['snapshot', describeSnapshot(snapshot, snapshotFile(config))],
    ]);
  if (snapshot.state !== 'absent' && snapshot.state !== 'equal') process.exitCode = EXIT.checksFailed;
}

function describeSnapshot(snapshot: SnapshotComparison, file: string): string {
  switch (snapshot.state) {
    case 'absent':
      return `none at ${file}: the next start replays the log`;
    case 'equal':
      return `equal to the log, up to position ${snapshot.position}`;
    case 'ahead':
      return `has ${plural(snapshot.position, 'event')}, more than the log: the log may lack events, so restore the newest backup`;
    default:
      return `${snapshot.state}: ${snapshot.why}; it is now ${snapshot.movedTo}, and the next start replays the log`;
  }
}

/** Copies a ledger, and prints what both stores have. @throws CliError */
export async function runCopy({ out }: CliContext, options: CopyOptions): Promise<void> {
  const from = configOf(options.from, options.fromNamespace, '--from');
  const to = configOf(options.to, options.toNamespace, '--to');
  if (from.store.kind === 'sqlite') await requireLedgerFile(from.store.file);
  const progress = new Progress('copying', 'events');
  const onProgress = (done: number, total: number) => progress.at(done, total);
  const summary = await explaining(nameOf(to), () =>
    useStore(
      named(from),
      (source) => useStore(named(to), (target) => copyStore(source, target, { onProgress })),
      true,
    ),
  ).finally(() => progress.end());
  if (options.json) return out.json(summary);
  const { size, root, found, signedSize } = summary;
  await out.details([
    ['copied', `${nameOf(from)} to ${nameOf(to)}`],
    ['events', found === 0 ? size : `${size}, of which ${found} were there already`],
    ['signed', signedSize],
    ['root hash', `${root}, the same in both`],
  ]);
}

function details({ file, bytes, size, root, origin, signedSize }: BackupSummary): Detail[] {
  return [
    ['file', file],
    ['bytes', bytes],
    ['events', size],
    ['signed', origin === null ? 'no checkpoint was signed yet' : `${signedSize}, by ${origin}`],
    ['root hash', root],
  ];
}

function signatures(keys: readonly string[]): string {
  return keys.length === 0 ? 'not verified: no --key was given' : 'valid';
}

/** Returns the configuration with the store that the options choose. @throws CliError */
function chosenStore({ store, namespace }: StoreOptions): Config {
  if (store !== undefined) return configOf(store, namespace);
  try {
    const config = readConfig();
    return namespace === undefined ? config : { ...config, namespace };
  } catch (error) {
    throw asUsageError(error);
  }
}

function nameOf({ store, namespace }: Config): string {
  return store.kind === 'sqlite' ? store.file : `the store with namespace ${namespace}`;
}

function named(config: Config) {
  return { name: nameOf(config), config };
}

async function explaining<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof UnsoundBackup) throw new CliError(EXIT.checksFailed, error.message);
    const isExplained =
      error instanceof FileExists || error instanceof CopyRefused || error instanceof StoreFull;
    if (isExplained) throw new CliError(EXIT.failed, error.message);
    if (error instanceof ConfigError) throw asUsageError(error);
    throw toCliError(name, error);
  }
}
