import fc from 'fast-check';
import { event, type PostedEvent } from '../support/cloud-events.ts';
import { NOON } from '../support/ledger.ts';

/** Random histories of a small platform, as its producers might post them: late, twice, in any order and in any mode. */

export const ACCOUNTS = ['acme', 'globex', 'initech', '_free'] as const;
export const MONTHS = ['2025-12', '2026-01', '2026-02', '2026-03', '2026-04', '2026-05'] as const;
const CLUSTERS = 14;
const DAY = 86_400_000;

/** A fact to post; a void names the how-manieth of the facts accepted so far of its cluster it voids. */
export interface Planned {
  readonly event: PostedEvent;
  readonly voidsNth?: number;
}

export type Step =
  | { readonly kind: 'new'; readonly planned: Planned }
  /** Post the how-manieth event from before again. */
  | { readonly kind: 'again'; readonly nth: number }
  /** Post another event under the id of the how-manieth from before. */
  | { readonly kind: 'reuse'; readonly nth: number };

/** One request. */
export interface Post {
  readonly mode: 'structured' | 'binary' | 'batch';
  readonly steps: readonly Step[];
  /** How long the ledger's clock moves on before it. */
  readonly pauseMs: number;
}

const noon = Date.parse(NOON);
const monthStarts = MONTHS.map((month) => Date.parse(`${month}-01T00:00:00Z`)).filter(
  (start) => start < noon,
);

/** Often the same few: instants at which something else happens too, and the edges of months and days. */
const instants = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...monthStarts.flatMap((start) => [start - 1, start, start + 1])) },
  { weight: 6, arbitrary: fc.nat({ max: 20 }).map((n) => (monthStarts[1] as number) + n * 4 * DAY) },
  { weight: 6, arbitrary: fc.integer({ min: monthStarts[0] as number, max: noon }) },
  { weight: 1, arbitrary: fc.constantFrom(noon, noon + 300_000, noon + DAY) },
);

const clusters = fc.nat({ max: CLUSTERS - 1 });
const clusterId = (cluster: number) => `c${cluster}`;
const owner = (cluster: number) => ACCOUNTS[cluster % ACCOUNTS.length] as string;
const time = (instant: number) => new Date(instant).toISOString();

const registrations = fc
  .record({
    cluster: clusters,
    at: instants,
    // Mostly the owner's, so that conflicts are rare; mostly billable, as always where nothing is said.
    account: fc.option(fc.constantFrom(...ACCOUNTS), { freq: 12 }).map((other) => other ?? undefined),
    billable: fc.constantFrom(undefined, undefined, true, false),
    isOwners: fc.integer({ min: 0, max: 11 }).map((n) => n > 0),
  })
  .map(({ cluster, at, account, billable, isOwners }) => {
    const accountId = isOwners || account === undefined ? owner(cluster) : account;
    const data = { accountId, name: `cluster ${cluster} ü`, ...(billable !== undefined && { billable }) };
    return { event: event('cluster.registered', clusterId(cluster), time(at), data) };
  });

const deletions = fc
  .tuple(clusters, instants)
  .map(([cluster, at]) => ({ event: event('cluster.deleted', clusterId(cluster), time(at), {}) }));

const switches = fc
  .record({
    cluster: clusters,
    at: instants,
    name: fc.constantFrom('billing.stopped', 'billing.resumed'),
    cause: fc.constantFrom('manual', 'unreachable'),
  })
  .map(({ cluster, at, name, cause }) => ({ event: event(name, clusterId(cluster), time(at), { cause }) }));

const withoutEffect = fc
  .record({
    cluster: clusters,
    at: instants,
    name: fc.constantFrom(
      'cluster.unreachable',
      'cluster.reachable',
      'cluster.deletion-requested',
      'cluster.deletion-confirmed',
      'cluster.deletion-cancelled',
      'cluster.deletion-failed',
    ),
  })
  .map(({ cluster, at, name }) => ({ event: event(name, clusterId(cluster), time(at), {}) }));

const UNKNOWN_EVENT = '00000000-0000-5000-8000-000000000000';
const voids = fc
  .record({ cluster: clusters, at: instants, nth: fc.nat({ max: 30 }) })
  .map(({ cluster, at, nth }) => ({
    event: event('fact.voided', clusterId(cluster), time(at), { voids: UNKNOWN_EVENT, reason: 'a mistake' }),
    voidsNth: nth,
  }));

const planned: fc.Arbitrary<Planned> = fc.oneof(
  { weight: 6, arbitrary: registrations },
  { weight: 2, arbitrary: deletions },
  { weight: 9, arbitrary: switches },
  { weight: 2, arbitrary: withoutEffect },
  { weight: 2, arbitrary: voids },
);

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 38, arbitrary: planned.map((fact) => ({ kind: 'new' as const, planned: fact })) },
  { weight: 10, arbitrary: fc.nat({ max: 500 }).map((nth) => ({ kind: 'again' as const, nth })) },
  { weight: 2, arbitrary: fc.nat({ max: 500 }).map((nth) => ({ kind: 'reuse' as const, nth })) },
);

const pauseMs = fc.integer({ min: 0, max: 2_000 });
const posts: fc.Arbitrary<Post> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      mode: fc.constantFrom('structured' as const, 'binary' as const),
      steps: fc.tuple(steps),
      pauseMs,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      mode: fc.constant('batch' as const),
      steps: fc.array(steps, { minLength: 5, maxLength: 35, size: 'max' }),
      pauseMs,
    }),
  },
);

/** The history of a seed: some 200 events. */
export function historyOf(seed: number): Post[] {
  const histories = fc.array(posts, { minLength: 60, maxLength: 60, size: 'max' });
  return fc.sample(histories, { seed, numRuns: 1 })[0] as Post[];
}
