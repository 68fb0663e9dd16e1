import { z } from 'zod';
import { DELETION_STATES } from '../domain/cluster-deletion.ts';
import { InstantOut } from './values.ts';

const Step = z
  .strictObject({
    at: InstantOut,
    by: z.string().describe('The actor.'),
    reason: z.string().optional(),
  })
  .meta({ id: 'DeletionStep' });

const deletion = {
  deletionId: z.string(),
  clusterId: z.string(),
  state: z
    .enum(DELETION_STATES)
    .describe(
      'requested, confirmed, deprovisioning, billing-stopped, verified-gone; or cancelled, failed, or stuck: not deleted 2 hours after the confirmation.',
    ),
  expiresAt: InstantOut.optional().describe(
    'Until when the deletion can be confirmed, while it is requested.',
  ),
  requested: Step.optional(),
  confirmed: Step.optional(),
  begun: Step.optional().describe('When the application began, or the cluster stopped answering.'),
  failed: Step.optional(),
  cancelled: Step.optional(),
  deleted: Step.extend({ effectiveAt: InstantOut.describe('The end of the bill.') })
    .meta({ id: 'DeletionEnd' })
    .optional(),
  verifiedGone: z.boolean().describe('Whether the validator has verified that the cluster is gone.'),
};

/** A deletion of a cluster and its steps. */
export const DeletionOut = z.strictObject(deletion).meta({ id: 'Deletion' });
export type DeletionOut = z.output<typeof DeletionOut>;

/** A deletion in the list of all deletions. */
export const ListedDeletionOut = z
  .strictObject({ ...deletion, name: z.string().nullable(), accountId: z.string().nullable() })
  .meta({ id: 'ListedDeletion' });
export type ListedDeletionOut = z.output<typeof ListedDeletionOut>;

/** A requested deletion: what it would do, and the token that confirms it. */
export const DeletionRequestOut = z
  .strictObject({
    ...deletion,
    expiresAt: InstantOut,
    preview: z
      .strictObject({
        name: z
          .string()
          .describe('The text to type to confirm: the name of the cluster, or its id if it has none.'),
        account: z.string().nullable(),
        billedSince: InstantOut.nullable().describe(
          'Begin of the current billed interval; null if it is not billed.',
        ),
        thisPeriod: z.strictObject({
          period: z.string(),
          clusterSeconds: z.string().describe('Billed so far in this period.'),
        }),
        effectOfDeleting: z.string(),
      })
      .meta({ id: 'DeletionPreview' }),
    confirmationToken: z.string().describe('Confirms this deletion once, for 10 minutes.'),
  })
  .meta({ id: 'DeletionRequest' });
export type DeletionRequestOut = z.output<typeof DeletionRequestOut>;
