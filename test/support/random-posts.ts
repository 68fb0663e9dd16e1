import fc from 'fast-check';
import { cloudEventType } from '../../src/domain/facts/cloud-event.ts';
import { event, type PostedEvent } from './cloud-events.ts';
import { NOON } from './ledger.ts';
import { randomFacts } from './random-facts.ts';

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

const owner = (clusterId: string) => ACCOUNTS[Number(clusterId.slice(1)) % ACCOUNTS.length] as string;

/** Mostly the owner's account, so that conflicts are rare. */
function ownerOf(clusterId: string) {
  return fc.oneof(
    { weight: 50, arbitrary: fc.constant(owner(clusterId)) },
    { weight: 1, arbitrary: fc.constantFrom(...ACCOUNTS) },
  );
}

const facts = randomFacts({
  clusterId: fc.nat({ max: CLUSTERS - 1 }).map((n) => `c${n}`),
  effectiveAt: instants,
  ownerOf,
  newOwner: fc.constantFrom(...ACCOUNTS),
  cause: fc.constantFrom('manual', 'unreachable', 'missing'),
  observation: fc.constantFrom(
    'ClusterUnreachable',
    'ClusterReachable',
    'ClusterDeletionRequested',
    'ClusterDeletionConfirmed',
    'ClusterDeletionCancelled',
    'ClusterDeletionFailed',
  ),
  voids: fc.nat({ max: 30 }).map(String),
  weights: { registered: 6, changed: 4, deleted: 2, switched: 9, observed: 2, voided: 2 },
});

const UNKNOWN_EVENT = '00000000-0000-5000-8000-000000000000';

const planned = facts.map((fact): Planned => {
  const { type, clusterId, effectiveAt, ...data } = fact;
  const time = new Date(effectiveAt).toISOString();
  const post = (fields: object) => ({
    ...event('', clusterId, time, { ...fields }),
    type: cloudEventType(type),
  });
  if (fact.type === 'FactVoided')
    return { event: post({ ...data, voids: UNKNOWN_EVENT }), voidsNth: Number(fact.voids) };
  return { event: post(data) };
});

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

/** A cluster that nothing else is posted for, so that something is billed from the first month on and three months can close. */
const firstPost: Post = {
  mode: 'structured',
  steps: [
    {
      kind: 'new',
      planned: {
        event: event('cluster.registered', 'first', `${MONTHS[0]}-10T00:00:00.000Z`, {
          accountId: ACCOUNTS[0],
          name: 'first',
        }),
      },
    },
  ],
  pauseMs: 0,
};

/** The history of a seed: some 200 events. */
export function historyOf(seed: number): Post[] {
  const histories = fc.array(posts, { minLength: 60, maxLength: 60, size: 'max' });
  return [firstPost, ...(fc.sample(histories, { seed, numRuns: 1 })[0] as Post[])];
}
