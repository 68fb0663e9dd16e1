import { type FactEventOut, type FeedEventOut, OTHER_FEED_TYPES } from '../api/feed.ts';
import { CLOUD_EVENT_TYPES, cloudEventType, LEDGER_SOURCE } from '../domain/facts/cloud-event.ts';
import { recordedFactType } from '../domain/facts/fact.ts';
import { type FactRecord, originOf } from '../domain/facts/recorded-fact.ts';
import {
  ACCOUNT_DESCRIBED,
  ALERT_RAISED,
  ALERT_RESOLVED,
  ALERT_UPDATED,
  accountOfStream,
  BILLING_BEGAN,
  BILLING_STREAM,
  clusterOfStream,
  NOTICES_STREAM,
  PERIOD_CLOSED,
  periodOfStream,
} from '../domain/stream-table.ts';
import { formatInstant } from '../domain/time.ts';
import type { LogEvent, RecordedEvent } from '../eventstore/event-store.ts';
import { type Epoch, epochOf } from '../projections/log-starts.ts';
import type { Position } from '../util/log-numbers.ts';

/** CloudEvents types of the events of the feed that are not facts, by their recorded type. */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  [PERIOD_CLOSED]: OTHER_FEED_TYPES.closed,
  [BILLING_BEGAN]: OTHER_FEED_TYPES.begun,
  [ACCOUNT_DESCRIBED]: OTHER_FEED_TYPES.described,
  [ALERT_RAISED]: OTHER_FEED_TYPES.alertRaised,
  [ALERT_UPDATED]: OTHER_FEED_TYPES.alertUpdated,
  [ALERT_RESOLVED]: OTHER_FEED_TYPES.alertResolved,
};

/** The `type` attributes of all events of the feed. */
export const FEED_TYPES: readonly string[] = [...CLOUD_EVENT_TYPES, ...Object.values(OTHER_TYPES)];

/**
 * The choices of a reader of the feed: these types, and their groups. `io.clusterledger.alert.*` is each type that begins with
 * `io.clusterledger.alert.`.
 */
export const FEED_CHOICES: readonly string[] = [
  ...FEED_TYPES,
  ...new Set(FEED_TYPES.map((type) => type.replace(/[^.]+\.v\d+$/, '*'))),
];

/** Returns whether a type is one of some types, or in one of their groups. */
export function isOfTypes(type: string, types: readonly string[]): boolean {
  return types.some((each) => (each.endsWith('*') ? type.startsWith(each.slice(0, -1)) : each === type));
}

/**
 * Returns an event of the log as the feed has it, or `undefined` if the feed leaves it out.
 * @param epochs of the log, in order.
 */
export function feedEventOf(event: LogEvent, epochs: readonly Epoch[]): FeedEventOut | undefined {
  if (clusterOfStream(event.stream) !== undefined) return toCloudEvent(event, event.position, epochs);
  const subject = subjectOf(event);
  const type = OTHER_TYPES[event.type];
  if (subject === undefined || type === undefined) return undefined;
  const recordedtime = formatInstant(event.recordedAt);
  return {
    specversion: '1.0',
    id: event.id,
    source: LEDGER_SOURCE,
    type,
    subject,
    time: recordedtime,
    datacontenttype: 'application/json',
    ledgerposition: String(event.position),
    ledgerepoch: epochOf(event.position, epochs),
    ledgerrevision: event.revision,
    ledgereventid: event.id,
    recordedtime,
    data: event.data,
  } as FeedEventOut;
}

/** Returns the period, account or alert that an event is about. */
function subjectOf({ stream, data }: LogEvent): string | undefined {
  if (stream === BILLING_STREAM) return String(data['period']);
  if (stream === NOTICES_STREAM) return String(data['alertId']);
  return periodOfStream(stream) ?? accountOfStream(stream);
}

/** Converts a recorded fact to an event of the feed, with the `source` and `id` of the producer and its place in the log. */
export function toCloudEvent(
  event: RecordedEvent,
  position: Position,
  epochs: readonly Epoch[],
): FactEventOut {
  const { clusterId, effectiveAt, ...data } = event.data;
  const { source, id, extensions } = originOf(event as FactRecord);
  const factType = recordedFactType(event.type);
  const type = factType === undefined ? `io.clusterledger.${event.type}` : cloudEventType(factType);
  return {
    specversion: '1.0',
    id,
    source,
    type,
    subject: String(clusterId),
    time: String(effectiveAt),
    datacontenttype: 'application/json',
    ...extensions,
    ledgerposition: String(position),
    ledgerepoch: epochOf(position, epochs),
    ledgerrevision: event.revision,
    ledgereventid: event.id,
    recordedtime: formatInstant(event.recordedAt),
    data,
  } as FactEventOut;
}
