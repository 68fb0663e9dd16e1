import { z } from 'zod';
import { AccountProfile } from '../domain/account-profile.ts';
import { ALERT_KINDS, SEVERITIES } from '../domain/alert.ts';
import { cloudEventType } from '../domain/facts/cloud-event.ts';
import { type FactType, factPayloads } from '../domain/facts/fact.ts';
import { AmountsOut } from './usage.ts';
import { InstantOut, PositionOut } from './values.ts';

/** Form of a place in the feed: a position and, after a restore that lost events, the epoch before it. */
export const FEED_CURSOR = /^([1-9]\d{0,8}\.)?(0|[1-9]\d{0,14})$/;

const envelope = {
  specversion: z.literal('1.0'),
  id: z.string().describe('The id that the producer gave; with the source it identifies the event.'),
  source: z.string(),
  subject: z.string().describe('The id of the cluster or account, or the period.'),
  time: InstantOut.describe('When the fact became true; for other events, when they were recorded.'),
  datacontenttype: z.literal('application/json'),
  ledgerposition: PositionOut,
  ledgerepoch: z
    .int()
    .min(1)
    .describe(
      'Epoch of the position: greater after each restore that lost events. Epoch and position together name the place for good.',
    ),
  ledgerrevision: z.int().nonnegative().describe('Revision in the stream of the subject, from 0.'),
  ledgereventid: z.string().describe('The id of the event in the ledger.'),
  recordedtime: InstantOut,
  ledgeractor: z
    .string()
    .optional()
    .describe('The caller that posted the fact. Only lists of the facts of a cluster have it.'),
};

/** An event of the feed, whatever its type: for clients that must accept the events of later releases too. */
export const FeedEvent = z.looseObject({
  ...envelope,
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type FeedEvent = z.output<typeof FeedEvent>;

const recorded = <T extends string, D extends z.ZodType>(id: string, type: T, data: D) =>
  z.looseObject({ ...envelope, type: z.literal(type), data }).meta({ id });

const fact = <T extends FactType>(type: T) =>
  recorded(`Recorded${type}`, cloudEventType(type), factPayloads[type]);

/** A recorded fact with the extension attributes of its producer. `type` decides about `data`. */
export const FactEventOut = z
  .discriminatedUnion('type', [
    fact('ClusterRegistered'),
    fact('ClusterChanged'),
    fact('ClusterDeletionRequested'),
    fact('ClusterDeletionConfirmed'),
    fact('ClusterDeletionCancelled'),
    fact('ClusterDeletionFailed'),
    fact('ClusterDeleted'),
    fact('ClusterUnreachable'),
    fact('ClusterReachable'),
    fact('BillingStopped'),
    fact('BillingResumed'),
    fact('FactVoided'),
  ])
  .meta({ id: 'FactEvent' });
export type FactEventOut = z.output<typeof FactEventOut>;

const PeriodClosed = z.looseObject({
  period: z.string(),
  watermark: PositionOut.describe('Position of the last event that the statements take into account.'),
  accounts: z.int().nonnegative().describe('Number of accounts that have a statement.'),
  totals: AmountsOut,
  statementsDigest: z.string(),
  rules: z.int().min(1).optional().describe('Version of the billing rules; absent for version 1.'),
});
const BillingBegan = z.looseObject({ period: z.string(), reason: z.string() });

/** An alert as the feed, webhooks and notification channels have it. */
export const AlertNotice = z.looseObject({
  alertId: z.string().describe('Its kind and its subject. The same as long as the alert lasts.'),
  kind: z.enum(ALERT_KINDS),
  severity: z.enum(SEVERITIES),
  subject: z.string(),
  clusterId: z.string().optional(),
  accountId: z.string().optional(),
  raisedAt: InstantOut,
  resolvedAt: InstantOut.optional(),
  happened: z.string().describe('What happened.'),
  bill: z.string().describe('The effect on the bill.'),
  next: z.string().describe('What to do next.'),
  data: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .optional()
    .describe('The values that the texts mention.'),
});
export type AlertNotice = z.output<typeof AlertNotice>;

/** CloudEvents types of the events of the feed that are not facts. */
export const OTHER_FEED_TYPES = {
  closed: 'io.clusterledger.period.closed.v1',
  begun: 'io.clusterledger.period.begun.v1',
  described: 'io.clusterledger.account.described.v1',
  alertRaised: 'io.clusterledger.alert.raised.v1',
  alertUpdated: 'io.clusterledger.alert.updated.v1',
  alertResolved: 'io.clusterledger.alert.resolved.v1',
} as const;

/** An event of the feed: a fact, a closing, the beginning of statements, a profile, or an alert. `type` decides about `data`. */
export const FeedEventOut = z
  .discriminatedUnion('type', [
    ...FactEventOut.options,
    recorded('RecordedPeriodClosed', OTHER_FEED_TYPES.closed, PeriodClosed),
    recorded('RecordedBillingBegan', OTHER_FEED_TYPES.begun, BillingBegan),
    recorded('RecordedAccountDescribed', OTHER_FEED_TYPES.described, AccountProfile),
    recorded('RecordedAlertRaised', OTHER_FEED_TYPES.alertRaised, AlertNotice),
    recorded('RecordedAlertUpdated', OTHER_FEED_TYPES.alertUpdated, AlertNotice),
    recorded('RecordedAlertResolved', OTHER_FEED_TYPES.alertResolved, AlertNotice),
  ])
  .meta({ id: 'FeedEvent' });
export type FeedEventOut = z.output<typeof FeedEventOut>;

/** A page of the feed as clients read it. */
export const FeedPage = z.strictObject({ events: z.array(FeedEvent), next: z.string() });

/** The same page, as the ledger documents it. */
export const FeedPageOut = z
  .strictObject({
    events: z.array(FeedEventOut).describe('Empty if there is no later event yet.'),
    next: z.string().regex(FEED_CURSOR).describe('The `after` of the next call. Store it as it is.'),
  })
  .meta({ id: 'FeedPage' });
