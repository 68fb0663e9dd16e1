import type { KubefirstSettings } from '../config/kubefirst-settings.ts';
import type { KubefirstServices } from '../http/kubefirst-services.ts';
import { KubefirstWatcher } from '../jobs/kubefirst-watcher.ts';
import { followRecords } from '../kubernetes/management/kubefirst-records.ts';
import { ManagementCluster } from '../kubernetes/management/management-cluster.ts';
import { KubefirstIngest } from '../ledger/kubefirst-ingest.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Projections } from '../projections/projections.ts';
import { isDeletionRequested, KubefirstClusters } from '../projections/queries/kubefirst-clusters.ts';
import { VISIBLE_TIMEOUT_MS } from '../projections/wait-limits.ts';
import type { Logger } from '../util/logger.ts';

const CATCH_UP_MS = 5_000;

interface Parts {
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now: () => number;
}

/** The Kubefirst integration, and how to stop it. */
export interface Kubefirst extends KubefirstServices {
  readonly watcher: KubefirstWatcher | undefined;
  stop(): Promise<void>;
}

/**
 * Opens the Kubefirst integration and starts it. @throws SourceUnreadable if the access to the management cluster
 * cannot be read.
 */
export async function openKubefirst(parts: Parts, settings: KubefirstSettings): Promise<Kubefirst> {
  const { ledger, projections, log, now } = parts;
  const { writeKey, pricePerHour, records, ...policy } = settings;
  const clusters = new KubefirstClusters();
  const view = {
    clustersWithId: (kubefirstId: string) => clusters.withId(projections.model, kubefirstId),
    all: () => clusters.all(projections.model),
    isDeletionRequested: (clusterId: string) => isDeletionRequested(projections.model, clusterId),
    waitForEvent: (eventId: string) => projections.waitForEvent(eventId, VISIBLE_TIMEOUT_MS),
    caughtUp: () => projections.waitUntilCaughtUp(CATCH_UP_MS),
  };
  const intake = new KubefirstIngest({ ledger, view, policy, now });
  const shared = { intake, writeKey, pricePerHour };
  if (records === undefined)
    return { ...shared, records: undefined, watcher: undefined, stop: () => Promise.resolve() };
  const { name, namespace } = records;
  const cluster = await ManagementCluster.open(records.managementCluster);
  const follow = (signal: AbortSignal) => followRecords({ cluster, namespace, signal });
  const watcher = new KubefirstWatcher({ name, intake, view, follow, log, now });
  watcher.start();
  const stop = async () => {
    await watcher.stop();
    await cluster.close();
  };
  return { ...shared, records: () => watcher.status, watcher, stop };
}
