import { z } from 'zod';

export const AccountOut = z
  .strictObject({
    accountId: z.string(),
    clusters: z.int().describe('Number of clusters registered to the account, including deleted clusters.'),
    billedNow: z.int(),
  })
  .meta({ id: 'Account' });
