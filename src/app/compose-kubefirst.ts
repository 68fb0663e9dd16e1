import { ConfigError } from '../config/config.ts';
import type { KubefirstSettings, RecordsSettings } from '../config/kubefirst-settings.ts';
import type { SourceReading } from '../domain/inventory.ts';
import { connectionTemplate } from '../domain/kubefirst/registration.ts';
import type { KubefirstServices } from '../http/kubefirst-services.ts';
import { KubefirstWatcher } from '../jobs/kubefirst-watcher.ts';
import type { Prober } from '../kubernetes/prober/prober.ts';
import type {
  CredentialSettings,
  ManagementClusterSettings,
} from '../kubernetes/settings/credential-settings.ts';
import { KubefirstIngest } from '../ledger/kubefirst-ingest.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Projections } from '../projections/projections.ts';
import { isDeletionRequested, KubefirstClusters } from '../projections/queries/kubefirst-clusters.ts';
import { VISIBLE_TIMEOUT_MS } from '../projections/wait-limits.ts';
import type { SourceHealth } from '../usecases/source-health.ts';
import type { Logger } from '../util/logger.ts';

const CATCH_UP_MS = 5_000;

interface Parts {
  readonly ledger: Ledger;
  readonly projections: Projections;
  /** Follows the records; absent if no records are configured. */
  readonly prober: Prober | undefined;
  readonly health: SourceHealth;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now: () => number;
}

/** The Kubefirst integration, and how to stop it. */
export interface Kubefirst extends KubefirstServices {
  /** Returns the records of each management cluster as an inventory. */
  readings(): readonly SourceReading[];
  stop(): Promise<void>;
}

/** A place of records with the access to its management cluster. */
export interface FollowedRecords extends RecordsSettings {
  readonly managementCluster: ManagementClusterSettings;
}

/**
 * Returns the records to follow, each with its management cluster.
 * @throws ConfigError if one names no management cluster and none of its name is configured.
 */
export function followedRecords(
  records: readonly RecordsSettings[],
  { managementCluster, managementClusters = {} }: CredentialSettings,
): readonly FollowedRecords[] {
  return records.map((place) => {
    const named = managementClusters[place.name];
    const access = place.managementCluster ?? (named && accessOf(named)) ?? managementCluster;
    if (access === undefined)
      throw new ConfigError(
        `kubefirst.records: ${place.name} needs a managementCluster, or one of that name in validator.credentials.managementClusters`,
      );
    return { ...place, managementCluster: access };
  });
}

function accessOf(
  named: NonNullable<CredentialSettings['managementClusters']>[string],
): ManagementClusterSettings {
  if ('inCluster' in named) return { inCluster: true };
  const { kubeconfig, context } = named;
  return { kubeconfig, ...(context !== undefined && { context }) };
}

/**
 * Opens the Kubefirst integration and starts to follow its records.
 * @param named names of the management clusters that have credentials under their name.
 */
export function openKubefirst(
  { ledger, projections, prober, health, log, now }: Parts,
  { writeKey, pricePerHour, records: _, ...policy }: KubefirstSettings,
  places: readonly FollowedRecords[],
  named: ReadonlySet<string>,
): Kubefirst {
  const clusters = new KubefirstClusters();
  const view = {
    clustersWithId: (kubefirstId: string) => clusters.withId(projections.model, kubefirstId),
    all: () => clusters.all(projections.model),
    isDeletionRequested: (clusterId: string) => isDeletionRequested(projections.model, clusterId),
    waitForEvent: (eventId: string) => projections.waitForEvent(eventId, VISIBLE_TIMEOUT_MS),
    caughtUp: () => projections.waitUntilCaughtUp(CATCH_UP_MS),
  };
  const intake = new KubefirstIngest({ ledger, view, policy, now });
  const watchers = places.flatMap(({ name, namespace, managementCluster: access }) => {
    if (prober === undefined) return [];
    const follow = (signal: AbortSignal) => prober.follow({ access, namespace }, signal);
    const connection = connectionTemplate(policy.connection, named.has(name) ? name : undefined);
    const own = { ...policy, connection };
    return [new KubefirstWatcher({ name, policy: own, intake, view, follow, health, log, now })];
  });
  for (const watcher of watchers) watcher.start();
  const records = () => watchers.map(({ status }) => status);
  const readings = () => watchers.map((watcher) => watcher.reading());
  const stop = async () => {
    await Promise.all(watchers.map((watcher) => watcher.stop()));
  };
  return { intake, writeKey, pricePerHour, records, readings, stop };
}
