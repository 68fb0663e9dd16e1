import { z } from 'zod';

/** A cluster, as far as it is shown. */
export const Cluster = z.looseObject({
  clusterId: z.string(),
  status: z.string(),
  accountId: z.string().nullable(),
  name: z.string().nullable(),
  connection: z.string().optional(),
  registeredAt: z.string().nullable(),
  deletedAt: z.string().nullable(),
  billedSince: z.string().nullable(),
  stoppedBy: z.array(z.string()),
  lastPosition: z.string(),
  lastSeen: z.string().optional(),
  lastVerdict: z
    .object({ state: z.string(), code: z.string(), since: z.string(), detail: z.string().optional() })
    .optional(),
  verifiedGone: z.boolean().optional(),
  halted: z.object({ position: z.string(), why: z.string() }).optional(),
});
export type Cluster = z.output<typeof Cluster>;
