import { z } from 'zod';
import { InstantOut } from './values.ts';

/** Form of a place in the feed: a position and, after a restore that lost events, the epoch before it. */
export const FEED_CURSOR = /^([1-9]\d{0,8}\.)?(0|[1-9]\d{0,14})$/;

/** A recorded fact, or another event for consumers, as a CloudEvent with its place in the log. */
export const FeedEvent = z
  .looseObject({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.string(),
    type: z.string(),
    subject: z.string().describe('The id of the cluster or account, or the period.'),
    time: InstantOut,
    datacontenttype: z.literal('application/json'),
    ledgerposition: z.string(),
    ledgerrevision: z.int(),
    ledgereventid: z.string(),
    recordedtime: InstantOut,
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'RecordedEvent' });
export type FeedEvent = z.output<typeof FeedEvent>;

export const FeedPage = z.strictObject({
  events: z.array(FeedEvent).describe('Empty if there is no later fact yet.'),
  next: z.string().describe('The `after` of the next call. Store it as it is.'),
});
