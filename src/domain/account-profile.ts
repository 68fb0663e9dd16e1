import { z } from 'zod';
import { ALL_TYPES } from './billing/usage-meter.ts';
import { ClusterType, line } from './facts/fact.ts';
import { ACCOUNT_DESCRIBED } from './stream-table.ts';

/** Limits and external ids per account: enough for any platform, and a profile stays below 16 KiB. */
const MAX_ENTRIES = 32;

const atMost = <T extends z.ZodType<Record<string, unknown>>>(schema: T) =>
  schema.refine(
    (entries) => Object.keys(entries).length <= MAX_ENTRIES,
    `must have at most ${MAX_ENTRIES} entries`,
  );

/** The names and limits of an account. They have no effect on billing. */
export const AccountProfile = z
  .strictObject({
    name: line(253).optional().describe('The name of the customer.'),
    externalIds: atMost(z.record(line(64), line(255)))
      .optional()
      .describe(
        'Ids in other systems, such as `stripe: cus_…`, so that a billing service finds its customer.',
      ),
    limits: atMost(z.record(ClusterType, z.int().min(0).max(1_000_000)))
      .optional()
      .describe('The most clusters of a type that the plan allows; `*` is for all types together.'),
  })
  .meta({ id: 'AccountProfile' });
export type AccountProfile = Readonly<z.output<typeof AccountProfile>>;

/** Returns a recorded profile, or `undefined` if this release does not know its type or form: the profile before it then stays. */
export function readableProfile(type: string, data: unknown): AccountProfile | undefined {
  return type === ACCOUNT_DESCRIBED ? AccountProfile.safeParse(data).data : undefined;
}

/** How much of a limit is used. */
export interface LimitUse {
  /** A cluster type, or `*` for all together. */
  readonly clusterType: string;
  readonly limit: number;
  readonly billed: number;
  /** How many more may be created; 0 if the limit is reached or exceeded. */
  readonly left: number;
}

/**
 * Compares what is billed now with the limits of an account.
 * @param billed clusters that are billed now, by type; the sum is compared with the limit for `*`.
 */
export function useOfLimits(
  limits: Readonly<Record<string, number>>,
  billed: ReadonlyMap<string | null, number>,
): LimitUse[] {
  const total = billed.values().reduce((sum, count) => sum + count, 0);
  return Object.keys(limits)
    .sort()
    .map((clusterType) => {
      const limit = limits[clusterType] as number;
      const used = clusterType === ALL_TYPES ? total : (billed.get(clusterType) ?? 0);
      return { clusterType, limit, billed: used, left: Math.max(0, limit - used) };
    });
}
