import { z } from 'zod';
import { PERIOD_STATES } from '../domain/billing/period.ts';
import { FactRef } from './fact-ref.ts';
import { AmountsOut, UsageBreakdown } from './usage.ts';
import { InstantOut } from './values.ts';

const AccountPreviewOut = z
  .strictObject({
    accountId: z.string(),
    periods: z
      .array(
        z.strictObject({
          period: z.string(),
          state: z
            .enum(PERIOD_STATES)
            .describe('Changes of a closed period become an adjustment of the next closing.'),
          before: z.strictObject(UsageBreakdown),
          after: z.strictObject(UsageBreakdown),
          delta: AmountsOut.describe('Negative if the account is credited.'),
        }),
      )
      .readonly()
      .describe('Every period up to now whose figures would change, in order.'),
  })
  .meta({ id: 'AccountPreview' });

const accounts = z
  .array(AccountPreviewOut)
  .readonly()
  .describe('The accounts whose figures would change, in order of their ids.');

/** The effect that voiding a fact would have. */
export const VoidPreviewOut = z
  .strictObject({
    outcome: z.literal('would-void'),
    eventId: z.string(),
    clusterId: z.string(),
    fact: FactRef,
    accounts,
  })
  .meta({ id: 'VoidPreview' });
export type VoidPreviewOut = z.output<typeof VoidPreviewOut>;

/** The effect that transferring a cluster to another account would have. */
export const TransferPreviewOut = z
  .strictObject({
    outcome: z.literal('would-transfer'),
    clusterId: z.string(),
    accountId: z.string().describe('The account that would own the cluster.'),
    effectiveAt: InstantOut,
    accounts,
  })
  .meta({ id: 'TransferPreview' });
export type TransferPreviewOut = z.output<typeof TransferPreviewOut>;

/** The effect that stopping or resuming the billing of a cluster would have. */
export const SwitchPreviewOut = z
  .strictObject({
    outcome: z.enum(['would-stop', 'would-resume']),
    clusterId: z.string(),
    effectiveAt: InstantOut,
    billedBefore: z.boolean().describe('Whether the cluster is billed now.'),
    billedAfter: z.boolean().describe('Whether it would be billed now. Another cause may still stop it.'),
    accounts,
  })
  .meta({ id: 'SwitchPreview' });
export type SwitchPreviewOut = z.output<typeof SwitchPreviewOut>;
