import type { FeedEvent as FeedEventOut } from '../../src/api/feed.ts';

/** An event of the feed: a CloudEvent with its place in the log. */
export type FeedEvent = FeedEventOut;

const PREFIX = 'io.clusterledger.';

/** The types of the feed, as `GET /v1/feed` and webhooks select them. */
export const EVENT_TYPES = [
  'cluster.registered',
  'cluster.changed',
  'cluster.deletion-requested',
  'cluster.deletion-confirmed',
  'cluster.deletion-cancelled',
  'cluster.deletion-failed',
  'cluster.deleted',
  'cluster.unreachable',
  'cluster.reachable',
  'billing.stopped',
  'billing.resumed',
  'fact.voided',
  'period.closed',
  'period.begun',
  'account.described',
  'alert.raised',
  'alert.updated',
  'alert.resolved',
].map((name) => `${PREFIX}${name}.v1`);

/** Returns the short name of a type: `cluster.registered` for `io.clusterledger.cluster.registered.v1`. */
export function shortType(type: string): string {
  return type.startsWith(PREFIX) ? type.slice(PREFIX.length).replace(/\.v\d+$/, '') : type;
}
