import { readFileSync } from 'node:fs';
import type { SignedLog } from '../audit/signed-log.ts';
import type { Config } from '../config/config.ts';
import type { Notifications } from '../delivery/alerts/notifications.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import { measureDeliveries } from '../http/metrics/delivery-metrics.ts';
import { measureLog } from '../http/metrics/log-metrics.ts';
import { addBuildInfo, createMetrics, type Metrics, observeKubefirst } from '../http/metrics/metrics.ts';
import { measureOperations } from '../http/metrics/operation-metrics.ts';
import { measureProgress } from '../http/metrics/progress-metrics.ts';
import { measureValidator } from '../http/metrics/validator-metrics.ts';
import type { App, HttpServices } from '../http/server/app.ts';
import { AutoClose } from '../jobs/auto-close.ts';
import type { Prober } from '../kubernetes/prober/prober.ts';
import type { ClockGuard } from '../ledger/clock-guard.ts';
import { FirstPeriod } from '../ledger/first-period.ts';
import { Ledger } from '../ledger/ledger.ts';
import { OperatorDecisions } from '../ledger/operator-decisions.ts';
import { PeriodClosingStore } from '../ledger/period-closing-store.ts';
import type { Projections } from '../projections/projections.ts';
import { outlineCluster } from '../projections/queries/outline-cluster.ts';
import { ClosePeriod } from '../usecases/close-period.ts';
import { SourceHealth } from '../usecases/source-health.ts';
import type { Position } from '../util/log-numbers.ts';
import { type Access, composeAccess } from './compose-access.ts';
import { type FollowedRecords, followedRecords, type Kubefirst, openKubefirst } from './compose-kubefirst.ts';
import { openNotifications } from './compose-notifications.ts';
import type { ComposeOptions } from './compose-options.ts';
import { openProber } from './compose-prober.ts';
import { hasSources, type OpenValidator, openValidator } from './compose-validator.ts';
import { type OpenWebhooks, openWebhooks } from './compose-webhooks.ts';
import { type OpenLog, openLog } from './open-log.ts';

/** A whole ledger that does not listen yet. */
export interface Composition extends Access {
  readonly app: App;
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly signedLog: SignedLog;
  readonly closePeriod: ClosePeriod;
  readonly clockGuard: ClockGuard;
  /** Absent if no source of credentials is configured, or the ledger is read-only. */
  readonly validator: OpenValidator | undefined;
  readonly kubefirst: Kubefirst;
  readonly metrics: Metrics;
  /** Waits for requests in progress, then closes everything. */
  close(): Promise<void>;
}

/**
 * Wires a ledger and starts to follow its log.
 * @throws StoreFailed, StoreUnavailable if the store cannot be opened. @throws ConfigError
 * @throws LogKeyError if the keys are not the keys of the log.
 */
export async function compose(config: Config, options: ComposeOptions): Promise<Composition> {
  const resources = new AsyncDisposableStack();
  try {
    return await composeLayers(config, options, resources);
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

/** @param resources receives everything that has to be closed; it is closed in reverse order. */
async function composeLayers(
  config: Config,
  options: ComposeOptions,
  resources: AsyncDisposableStack,
): Promise<Composition> {
  const { log, now } = options;
  // The modules of the server are loaded while a thread opens the store.
  const [openedLog, server] = await Promise.all([
    openLog(config, options, resources),
    import('../http/server/server.ts'),
  ]);
  const { isReadOnly } = openedLog;
  const { store, projections, signedLog, clock, clockGuard } = openedLog;
  const { graceMs } = config;
  const isNew = (clusterId: string) =>
    projections.isCaughtUp && projections.model.clusters.find(clusterId) === undefined;
  const { backdatingMs } = config;
  const outlineOf = (clusterId: string) => outlineCluster(projections.model, clusterId);
  const ledger = new Ledger(store, { now, recordingTime: clock.now, backdatingMs, isNew, outlineOf });
  const closePeriod = closePeriodOf(openedLog, now, graceMs);
  const autoClose = new AutoClose({ closer: closePeriod, projections, now, graceMs, log }, config.autoClose);
  const health = new SourceHealth();
  const places = isReadOnly ? [] : placesOf(config);
  const prober = proberOf(config, options, openedLog, places, resources);
  const shared = { ledger, prober, health };
  const kubefirst = kubefirstOf(config, options, openedLog, { ...shared, places }, resources);
  const validator = validatorOf(config, options, openedLog, { ...shared, kubefirst }, resources);
  const webhooks = await openWebhooks(config, options, openedLog, resources);
  const access = await composeAccess(config, options, openedLog, resources);
  const notifications = await openNotifications(
    config,
    options,
    openedLog,
    { ...openedLog, ...webhooks, keys: access.keys, kubefirst, health, now },
    resources,
  );
  const services = { ledger, closePeriod, kubefirst, validator, health, graceMs, ...webhooks, notifications };
  const { httpServices, metrics } = servicesOf(openedLog, services, access, config, options);
  const app = await server.buildServer(httpServices, log);
  if (!isReadOnly) autoClose.start();
  const close = async () => {
    const closing = autoClose.stop();
    await app.close();
    await closing;
    await resources.disposeAsync();
  };
  const parts = { app, metrics, store, ledger, projections, signedLog, closePeriod, clockGuard };
  return { ...parts, validator, kubefirst, ...access, close };
}

function closePeriodOf(
  { store, projections, checkpoints, clock, clockGuard }: OpenLog,
  now: () => number,
  graceMs: number,
): ClosePeriod {
  const closes = new PeriodClosingStore(store, clock.now);
  const firstPeriod = new FirstPeriod(store, clock.now);
  const closed = (position: Position | undefined) => checkpoints.closed(position);
  return new ClosePeriod({ store, projections, closes, firstPeriod, now, graceMs, clockGuard, closed });
}

/** Returns the records of Kubefirst to follow. @throws ConfigError */
function placesOf({ kubefirst, validator }: Config): readonly FollowedRecords[] {
  return followedRecords(kubefirst.records ?? [], validator.credentials);
}

/** Creates the prober if anything needs it: clusters to probe, or records to follow. */
function proberOf(
  { validator, kubernetes: environment }: Config,
  { log, now }: ComposeOptions,
  { isReadOnly, operations }: OpenLog,
  places: readonly FollowedRecords[],
  resources: AsyncDisposableStack,
): Prober | undefined {
  if (isReadOnly || (!hasSources(validator) && places.length === 0)) return undefined;
  const followed = places.map(({ managementCluster }) => managementCluster);
  const prober = openProber({ environment, log, now, operations }, validator, followed);
  resources.defer(() => prober.stop());
  return prober;
}

interface Shared {
  readonly ledger: Ledger;
  readonly prober: Prober | undefined;
  readonly health: SourceHealth;
}

function kubefirstOf(
  config: Config,
  { log, now }: ComposeOptions,
  { projections }: OpenLog,
  { places, ...shared }: Shared & { readonly places: readonly FollowedRecords[] },
  resources: AsyncDisposableStack,
): Kubefirst {
  const named = new Set(Object.keys(config.validator.credentials.managementClusters ?? {}));
  const kubefirst = openKubefirst({ ...shared, projections, log, now }, config.kubefirst, places, named);
  resources.defer(() => kubefirst.stop());
  return kubefirst;
}

function validatorOf(
  config: Config,
  { log, now }: ComposeOptions,
  { store, projections, clock, clockGuard }: OpenLog,
  { ledger, prober, health, kubefirst }: Shared & { readonly kubefirst: Kubefirst },
  resources: AsyncDisposableStack,
): OpenValidator | undefined {
  if (prober === undefined) return undefined;
  const parts = {
    store,
    ledger,
    projections,
    log,
    now,
    recordingTime: clock.now,
    clockGuard,
    prober,
    health,
    records: kubefirst.readings,
  };
  const validator = openValidator(parts, config.validator);
  resources.defer(async () => validator?.stop());
  return validator;
}

type Services = Pick<Composition, 'ledger' | 'closePeriod' | 'kubefirst' | 'validator'> &
  Pick<Config, 'graceMs'> &
  Pick<HttpServices, 'health'> &
  OpenWebhooks & { readonly notifications: Notifications | undefined };

function servicesOf(
  { store, operations, projections, signedLog, witnesses, clock, clockGuard, starts, latch }: OpenLog,
  parts: Services,
  access: Access,
  config: Config,
  { now, onLossAccepted, tracing }: ComposeOptions,
): { readonly httpServices: HttpServices; readonly metrics: Metrics } {
  const { ledger, closePeriod, kubefirst, validator, health, graceMs } = parts;
  const { tail, webhooks, webhookRecords, notifications } = parts;
  const metrics = createMetrics({
    store,
    projections,
    signedLog,
    clockGuard,
    webhooks,
    keys: access.keys,
    health,
    latch,
    kubefirst,
    now,
    recordingTime: clock.now,
  });
  measureLog(metrics.registry, signedLog, latch, now);
  measureDeliveries(metrics.registry, webhooks, notifications);
  measureOperations(metrics.registry, operations);
  if (tracing !== undefined) operations.listen(tracing.listener);
  measureProgress(metrics.registry, { projections, store, now, graceMs });
  measureValidator(metrics.registry, projections);
  addBuildInfo(metrics.registry, packageVersion(), config.store.kind);
  observeKubefirst(metrics, kubefirst);
  const httpServices: HttpServices = {
    store,
    ...access,
    trustProxy: config.trustProxy,
    allowedOrigins: config.allowedOrigins,
    rateLimit: config.rateLimit,
    deletionMode: config.deletionMode,
    configured: config,
    ledger,
    projections,
    signedLog,
    witnesses,
    metrics,
    decisions: new OperatorDecisions(store, clock.now),
    firstPeriod: new FirstPeriod(store, clock.now),
    closePeriod,
    clockGuard,
    latch,
    acceptLoss: onLossAccepted,
    kubefirst,
    tail,
    webhooks,
    webhookRecords,
    validator: validator?.control,
    health,
    now,
    recordingTime: clock.now,
    graceMs,
    epochs: () => starts.epochs,
    version: packageVersion(),
    trace: (app) => tracing?.observe(app),
  };
  return { httpServices, metrics };
}

/** Returns the version of this release. */
export function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
