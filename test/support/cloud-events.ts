/** A CloudEvent as a producer posts it. What is wrong with it is up to the test, so nothing is checked here. */
export interface PostedEvent {
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly [extension: string]: unknown;
}

/** An HTTP message that carries an event. */
export interface Message {
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export const PRODUCER = 'https://pro.example/api';

type Fields = Readonly<Record<string, unknown>>;

let posted = 0;

/** An event of an id of its own, unless `more` gives one. */
export function event(
  name: string,
  subject: string,
  time: string,
  data?: Fields,
  more: Fields = {},
): PostedEvent {
  posted += 1;
  return {
    specversion: '1.0',
    id: `e${posted}`,
    source: PRODUCER,
    type: `io.clusterledger.${name}.v1`,
    subject,
    time,
    ...(data !== undefined && { data }),
    ...more,
  };
}

export const registered = (subject: string, time: string, accountId = 'acme', data: Fields = {}) =>
  event('cluster.registered', subject, time, { accountId, name: subject, ...data });
export const deleted = (subject: string, time: string) => event('cluster.deleted', subject, time);
export const stopped = (subject: string, time: string, cause = 'manual') =>
  event('billing.stopped', subject, time, { cause });
export const resumed = (subject: string, time: string, cause = 'manual') =>
  event('billing.resumed', subject, time, { cause });
export const voided = (subject: string, time: string, voids: string, reason = 'posted by mistake') =>
  event('fact.voided', subject, time, { voids, reason });

export const STRUCTURED = 'application/cloudevents+json';
export const BATCH = 'application/cloudevents-batch+json';

export function inStructuredMode(event: unknown): Message {
  return { headers: { 'content-type': STRUCTURED }, body: JSON.stringify(event) };
}

export function inBatchMode(events: unknown): Message {
  return { headers: { 'content-type': BATCH }, body: JSON.stringify(events) };
}

export function inBinaryMode({ data, ...attributes }: PostedEvent): Message {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) headers[`ce-${name}`] = inHeader(String(value));
  if (data === undefined) return { headers };
  headers['content-type'] = 'application/json';
  return { headers, body: JSON.stringify(data) };
}

/** Percent-encoding as the HTTP binding of CloudEvents has it. */
function inHeader(text: string): string {
  return text.replace(/[^\x21\x23\x24\x26-\x7e]/gu, (character) => encodeURIComponent(character));
}
