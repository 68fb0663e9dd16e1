import { z } from 'zod';
import { AccountProfile } from '../domain/account-profile.ts';
import { ClusterTypeOut } from './usage.ts';

const LimitUseOut = z
  .strictObject({
    clusterType: z.string().describe('A cluster type, or `*` for all types together.'),
    limit: z.int().nonnegative(),
    billed: z.int().nonnegative().describe('Number of clusters that are billed now.'),
    left: z
      .int()
      .nonnegative()
      .describe('How many more may be created; 0 if the limit is reached or exceeded.'),
  })
  .meta({ id: 'LimitUse' });

export const AccountOut = z
  .strictObject({
    accountId: z.string(),
    ...AccountProfile.shape,
    clusters: z
      .int()
      .nonnegative()
      .describe('Number of clusters that the account owns now, including deleted clusters.'),
    billedNow: z.int().nonnegative().describe('Number of clusters that are billed now.'),
    billedByType: z
      .array(z.strictObject({ clusterType: ClusterTypeOut, billed: z.int().nonnegative() }))
      .describe('The same for each cluster type, in order of the types.'),
    limitUse: z.array(LimitUseOut).optional().describe('Each limit of the profile with its use.'),
  })
  .meta({ id: 'Account' });
export type AccountOut = z.output<typeof AccountOut>;
