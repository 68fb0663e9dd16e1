import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { FeedEventOut } from '../../api/feed.ts';
import { LiveStream } from '../../delivery/live-stream.ts';
import type { Caller } from '../../domain/access/caller.ts';
import { isFactOfAccount } from '../access/require-own.ts';
import { problems } from '../contract.ts';
import { addGauge } from '../metrics/gauge.ts';
import { type FeedCursor, FeedCursorText, formatFeedCursor, requireEpoch } from '../params/feed-cursor.ts';
import { FeedTypes } from '../params/feed-types.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

/** Maximum number of connected clients. */
const MAX_CLIENTS = 1_500;
/** Pause after which a client that has lost the connection connects again. */
const RECONNECT_MS = 2_000;

const Query = z.strictObject({
  after: FeedCursorText.optional().describe(
    'Begin after this place in the feed. By default only new events are sent. The header `Last-Event-ID` replaces it.',
  ),
  types: FeedTypes.optional().describe(
    'Only events of these types or groups such as `io.clusterledger.alert.*`, separated by commas.',
  ),
});

const streamEventsSchema = {
  operationId: 'streamEvents',
  tags: ['Feed'],
  summary: 'Receive every new event of the feed as server-sent events',
  description:
    'Each event has the `type` of the CloudEvent as its event name, its place in the feed as its `id`, and the CloudEvent as ' +
    'its data. A browser that reconnects sends `Last-Event-ID` and gets what it has missed. A client that is more than 10,000 ' +
    'positions behind gets one event named `resync`: read the lists again, and continue. A client that reads too slowly is ' +
    'disconnected, and resumes. A customer gets the facts of the clusters that its account owns.',
  querystring: Query,
  response: {
    200: {
      description: 'The events, as they are recorded.',
      content: { 'text/event-stream': { schema: z.string() } },
      with: ['X-Accel-Buffering'],
    },
    ...problems('epoch-changed', 'overloaded'),
  },
};

/** Adds the live stream of the feed, as server-sent events. */
export function streamRoutes(app: App, services: HttpServices): void {
  const epoch = () => services.epochs().at(-1)?.epoch ?? 1;
  const stream = new LiveStream(services.tail, services.epochs, (position) =>
    formatFeedCursor({ epoch: epoch(), position }),
  );
  addGauge(
    services.metrics.registry,
    'ledger_stream_clients',
    'Number of clients that are connected to the live stream',
    () => stream.size,
  );
  app.addHook('preClose', async () => stream.close());

  app.get(
    '/v1/stream',
    {
      config: { access: { billing: 'all', auditor: 'all', customer: 'filtered' } },
      schema: streamEventsSchema,
    },
    async (request, reply) => {
      const model = await modelFor(services.projections, {}, reply);
      const { after, types } = request.query;
      const last = lastEventId(request.headers['last-event-id']) ?? after;
      if (last !== undefined) requireEpoch(last, services.epochs());
      if (stream.size >= MAX_CLIENTS)
        throw new Problem('overloaded', `${MAX_CLIENTS} clients are connected already`, {
          retryAfterSeconds: 10,
        });
      const raw = reply.hijack().raw;
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // Proxies such as nginx would otherwise collect the events.
        'x-accel-buffering': 'no',
      });
      if (request.method === 'HEAD') return void raw.end();
      raw.write(`retry: ${RECONNECT_MS}\n\n`);
      const isOwn = ownEvents(services, request.caller);
      const disconnect = stream.connect({
        after: last?.position ?? model.position,
        isSelected: (event) => types?.has(event.type) !== false && isOwn(event),
        waitingBytes: () => raw.writableLength,
        send: (text) => void raw.write(text),
        drained: (timeoutMs) => drained(raw, timeoutMs),
        end: () => raw.destroy(),
      });
      raw.once('close', disconnect);
    },
  );
}

/** Waits until a connection has no data to send. @returns `false` after `timeoutMs`, or if it has ended. */
async function drained(raw: ServerResponse, timeoutMs: number): Promise<boolean> {
  if (!raw.writableNeedDrain) return !raw.destroyed;
  const settled = new AbortController();
  const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), settled.signal]);
  const closed = once(raw, 'close', { signal }).then(() => false);
  const isDrained = once(raw, 'drain', { signal }).then(() => true);
  try {
    return await Promise.race([isDrained, closed]);
  } catch {
    return false;
  } finally {
    // Removes the listeners of the promise that has not settled.
    settled.abort();
  }
}

/** Returns which events a caller may get: a customer only the facts of its clusters from the time when it owned them. */
function ownEvents(
  { projections }: HttpServices,
  { role, accountId }: Caller,
): (event: FeedEventOut) => boolean {
  if (role !== 'customer') return () => true;
  return ({ type, ledgereventid }) => {
    const { model } = projections;
    if (/^io\.clusterledger\.(period|account)\./.test(type)) return false;
    const place = model.locate(ledgereventid);
    return place !== undefined && isFactOfAccount(model, place.position, accountId);
  };
}

/** @throws Problem `invalid-request` */
function lastEventId(header: string | string[] | undefined): FeedCursor | undefined {
  if (header === undefined || header === '') return undefined;
  const parsed = FeedCursorText.safeParse(header);
  if (parsed.success) return parsed.data;
  const detail = `must be the id of an event of this stream; given ${JSON.stringify(header)}`;
  throw invalidRequest([{ pointer: '/headers/last-event-id', detail }]);
}
