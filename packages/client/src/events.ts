import { randomUUID } from 'node:crypto';
import type { components } from './contract.ts';
import { OutboxError } from './errors.ts';

/** A lifecycle event as the ledger takes it: a CloudEvent. */
export type LifecycleEvent = components['schemas']['LifecycleEvent'];

/** The name of a type, without the words that all types share: `cluster.registered`. */
export type EventName = LifecycleEvent['type'] extends `io.clusterledger.${infer Name}.v1` ? Name : never;

type EventOf<N extends EventName> = Extract<LifecycleEvent, { type: `io.clusterledger.${N}.v1` }>;

/** The data of a type. */
export type DataOf<N extends EventName> = Exclude<EventOf<N>['data'], undefined>;

/** The types whose data can be left out. */
export type NameWithOptionalData = {
  [N in EventName]: object extends Pick<EventOf<N>, 'data'> ? N : never;
}[EventName];

/** What the ledger answered to one event: recorded now, recorded before, or rejected with a problem. */
export type PostedResult = components['schemas']['Recorded'] | components['schemas']['Rejected'];

/** What the ledger answered to a recorded event: its event id, its place in the log, and when it was recorded. */
export type Receipt = components['schemas']['Recorded'];

export interface EventOptions {
  /** When the change took effect: now, if it is not given. Billing uses this time. */
  readonly time?: Date | string;
  /**
   * Your name for this event, unique per source: random, if it is not given. An event that is added again with the same id
   * counts once, so derive the id from your record of the change if your code can run twice for one change.
   */
  readonly id?: string;
}

/**
 * Builds an event. Its id and time are chosen here and never change, so that it can be sent any number of times.
 * @param source a URI reference that names your app, such as `/pro-app`.
 * @param clusterId 1 to 128 characters of `A-Z a-z 0-9 . _ -`.
 * @throws OutboxError with code `invalid-event` if a part is not valid.
 */
export function lifecycleEvent<N extends EventName>(
  source: string,
  name: N,
  clusterId: string,
  data: DataOf<N> | (N extends NameWithOptionalData ? undefined : never),
  { time = new Date(), id = randomUUID() }: EventOptions = {},
): LifecycleEvent {
  const event = {
    specversion: '1.0',
    id,
    source,
    type: `io.clusterledger.${name}.v1`,
    subject: clusterId,
    time: typeof time === 'string' ? time : timeText(time),
    ...(data !== undefined && { data }),
  };
  return checked(event as LifecycleEvent);
}

function timeText(time: Date): string {
  if (Number.isNaN(time.getTime())) throw invalid('time', time, 'a valid date');
  return time.toISOString();
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

const MAX_EVENT_BYTES = 60 * 1_024;

/** Checks what the outbox relies on, and what can never be accepted. @throws OutboxError with code `invalid-event`. */
export function checked(event: LifecycleEvent): LifecycleEvent {
  const { id, source, type, subject, time } = event;
  if (!isText(id, 255)) throw invalid('id', id, '1 to 255 characters');
  if (!isText(source, 1_024)) throw invalid('source', source, 'a URI reference of 1 to 1,024 characters');
  if (source.startsWith('urn:cluster-ledger'))
    throw invalid('source', source, 'a source that does not begin with urn:cluster-ledger');
  if (!/^io\.clusterledger\.[a-z.-]+\.v\d+$/.test(type))
    throw invalid('type', type, 'a type such as io.clusterledger.cluster.deleted.v1');
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(subject))
    throw invalid('subject', subject, 'the id of a cluster: 1 to 128 characters of A-Z a-z 0-9 . _ -');
  if (!RFC_3339.test(String(time))) throw invalid('time', time, 'an RFC 3339 time with a time zone');
  const bytes = Buffer.byteLength(textOf(event));
  if (bytes > MAX_EVENT_BYTES) throw invalid('event', `${bytes} bytes`, `at most ${MAX_EVENT_BYTES} bytes`);
  return event;
}

/** Returns an event as JSON. @throws OutboxError with code `invalid-event` if it has a part that JSON has no form for. */
function textOf(event: LifecycleEvent): string {
  try {
    return JSON.stringify(event);
  } catch (error) {
    throw new OutboxError('invalid-event', `the event must be JSON: ${(error as Error).message}`);
  }
}

function isText(value: unknown, maxLength: number): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength;
}

function invalid(field: string, given: unknown, allowed: string): OutboxError {
  return new OutboxError(
    'invalid-event',
    `${field} must be ${allowed}; given ${JSON.stringify(String(given))}`,
  );
}
