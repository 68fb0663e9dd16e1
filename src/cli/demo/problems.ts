import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../domain/time.ts';
import { ClusterLifecycles } from './cluster-lifecycles.ts';
import { ACCOUNTS, type Account, type Cluster, newCluster, type Purpose } from './sample-accounts.ts';
import { SeededRandom } from './seeded-random.ts';
import { PRO_APP, type Timeline } from './timeline.ts';

/** Something that waits for somebody to look at it. */
export interface Problem {
  readonly what: string;
  /** Where to look, below the address of the ledger. */
  readonly path: string;
}

/** A deletion that was recorded and then found to be wrong. */
export interface WrongDeletion {
  readonly cluster: Cluster;
  /** An instant at which the ledger still believed it. */
  readonly believedAt: Instant;
}

/** Writes into the timeline what is still open at `now`. */
export function addProblems(
  timeline: Timeline,
  now: Instant,
): { problems: Problem[]; wrongDeletion: WrongDeletion } {
  const random = new SeededRandom('open problems');
  const lifecycles = new ClusterLifecycles(timeline, random);
  const cast = (accountId: string, purpose: Purpose): Cluster => {
    const account = ACCOUNTS.find((each) => each.accountId === accountId) as Account;
    return newCluster(random, account, purpose, 0.9);
  };
  const running = (accountId: string, purpose: Purpose): Cluster => {
    const cluster = cast(accountId, purpose);
    lifecycles.register(cluster, now - random.between(20, 32) * DAY_MS);
    return cluster;
  };

  const orphan = cast('harbor-pay', 'load-test');
  lifecycles.delete(orphan, now - 2 * DAY_MS);

  const dark = running('kestrel-aero', 'edge');
  lifecycles.outage(dark, now - 31 * HOUR_MS, now + DAY_MS);

  const stuck = running('cedar-bank', 'qa');
  lifecycles.confirmDeletion(stuck, now - 5 * HOUR_MS);

  const spared = running('aurora-health', 'prod-eu');
  const mistake = lifecycles.delete(spared, now - 3 * HOUR_MS, MINUTE_MS);
  const voidedAt = now - 40 * MINUTE_MS;
  lifecycles.void(mistake, voidedAt, 'the wrong cluster was named: it still runs, and the customer wants it');

  addRejectedEvents(timeline, lifecycles, running, now);
  return {
    problems: [
      {
        what: 'An orphan: its deletion was posted, its registration never was',
        path: '/v1/clusters?status=orphan',
      },
      {
        what: 'Unreachable for 31 h: its billing was stopped after 24 h, and still is',
        path: `/v1/clusters/${dark.clusterId}`,
      },
      {
        what: 'A delete confirmed 5 h ago: no deletion has followed, so it is still billed',
        path: `/v1/clusters/${stuck.clusterId}/events`,
      },
      {
        what: 'A wrong deletion, voided 40 min ago: it is billed as if it had never been deleted',
        path: `/v1/clusters/${spared.clusterId}/billing`,
      },
      {
        what: 'Refused events: a cluster of another account, an event id used twice, a deleted cluster back',
        path: '/v1/rejected-events',
      },
    ],
    wrongDeletion: { cluster: spared, believedAt: voidedAt - 30 * MINUTE_MS },
  };
}

/** The three ways in which the Pro app contradicts what it posted before. */
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
  const other = registration({ ...renamed, name: 'data-lake' }, now - 8 * HOUR_MS);
  timeline.add({
    recordedAt: other.effectiveAt + 1_040,
    fact: other,
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
