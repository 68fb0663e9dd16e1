import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../domain/time.ts';
import { ClusterLifecycles } from './cluster-lifecycles.ts';
import { ACCOUNTS, type Account, type Cluster, newCluster, type Purpose } from './sample-accounts.ts';
import { SeededRandom } from './seeded-random.ts';
import { PRO_APP, type Timeline } from './timeline.ts';

/** A problem in the sample data that is still open. */
export interface Problem {
  readonly description: string;
  /** Path of the API that shows the problem. */
  readonly path: string;
}

/** A deletion that was recorded and later voided. */
export interface WrongDeletion {
  readonly cluster: Cluster;
  /** An instant between the deletion and the void. */
  readonly believedAt: Instant;
}

/** Adds the problems that are still open at `now` to the timeline. */
export function addProblems(
  timeline: Timeline,
  now: Instant,
): { problems: Problem[]; wrongDeletion: WrongDeletion } {
  const random = new SeededRandom('open problems');
  const lifecycles = new ClusterLifecycles(timeline, random);
  const createCluster = (accountId: string, purpose: Purpose): Cluster => {
    const account = ACCOUNTS.find((candidate) => candidate.accountId === accountId) as Account;
    return newCluster(random, account, purpose, 0.9);
  };
  const running = (accountId: string, purpose: Purpose): Cluster => {
    const cluster = createCluster(accountId, purpose);
    lifecycles.register(cluster, now - random.between(20, 32) * DAY_MS);
    return cluster;
  };

  const orphan = createCluster('harbor-pay', 'load-test');
  lifecycles.delete(orphan, now - 2 * DAY_MS);

  const unreachable = running('kestrel-aero', 'edge');
  lifecycles.outage(unreachable, now - 31 * HOUR_MS, now + DAY_MS);

  const stuck = running('cedar-bank', 'qa');
  lifecycles.confirmDeletion(stuck, now - 5 * HOUR_MS);

  const kept = running('aurora-health', 'prod-eu');
  const mistake = lifecycles.delete(kept, now - 3 * HOUR_MS, MINUTE_MS);
  const voidedAt = now - 40 * MINUTE_MS;
  lifecycles.void(mistake, voidedAt, 'wrong cluster: it still runs, and the customer needs it');

  addRejectedEvents(timeline, lifecycles, running, now);
  return {
    problems: [
      {
        description: 'Orphan: the deletion of this cluster was posted, but never its registration',
        path: '/v1/clusters?status=orphan',
      },
      {
        description: 'Unreachable for 31 h: billing stopped after 24 h',
        path: `/v1/clusters/${unreachable.clusterId}`,
      },
      {
        description: 'Deletion confirmed 5 h ago but never completed: the cluster is still billed',
        path: `/v1/clusters/${stuck.clusterId}/events`,
      },
      {
        description: 'Wrong deletion, voided 40 min ago: the cluster is billed as if it was never deleted',
        path: `/v1/clusters/${kept.clusterId}/billing`,
      },
      {
        description:
          'Rejected events: a cluster of another account, a reused event id, a deleted cluster registered again',
        path: '/v1/rejected-events',
      },
    ],
    wrongDeletion: { cluster: kept, believedAt: voidedAt - 30 * MINUTE_MS },
  };
}

/** Adds three events that contradict earlier ones, so that the ledger rejects them. */
function addRejectedEvents(
  timeline: Timeline,
  lifecycles: ClusterLifecycles,
  running: (accountId: string, purpose: Purpose) => Cluster,
  now: Instant,
): void {
  const rejected = 'rejected' as const;
  const registration = (cluster: Cluster, effectiveAt: Instant) =>
    ({ type: 'ClusterRegistered', ...cluster, effectiveAt }) as const;

  const claimed = running('mosaic-retail', 'reporting');
  const conflict = registration({ ...claimed, accountId: 'maple-motors' }, now - 26 * HOUR_MS);
  timeline.add({
    recordedAt: conflict.effectiveAt + 2_310,
    fact: conflict,
    origin: { ...PRO_APP, id: 'evt-moved-account' },
    outcome: rejected,
  });

  const renamed = running('opal-pharma', 'data');
  const first = lifecycles.register(renamed, now - 9 * HOUR_MS);
  const changed = registration({ ...renamed, name: 'data-lake' }, now - 8 * HOUR_MS);
  timeline.add({
    recordedAt: changed.effectiveAt + 1_040,
    fact: changed,
    origin: first.origin,
    outcome: rejected,
  });

  const gone = running('granite-mining', 'sandbox');
  lifecycles.delete(gone, now - 4 * DAY_MS);
  const back = registration(gone, now - 3 * HOUR_MS);
  timeline.add({
    recordedAt: back.effectiveAt + 3_770,
    fact: back,
    origin: { ...PRO_APP, id: 'evt-same-id-again' },
    outcome: rejected,
  });
}
