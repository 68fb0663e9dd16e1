import { z } from 'zod';
import { type FeedEvent, FeedPage } from '../../api/feed.ts';
import { clusterOfStream } from '../../domain/stream-table.ts';
import type { Position } from '../../util/log-numbers.ts';
import { problemResponses } from '../contract.ts';
import { toCloudEvent } from '../ingest/cloud-event-envelope.ts';
import { Paging, PositionText, Reading, wholeNumber } from '../params/fields.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';

const MAX_WAIT_S = 30;

const Query = z.strictObject({
  after: PositionText.prefault('0').describe('The `next` of the previous call; 0 to start.'),
  limit: Paging.limit,
  wait: wholeNumber(0, MAX_WAIT_S).prefault('0').describe('Seconds to wait for a new fact.'),
  ...Reading,
});

/** Adds the feed of facts. The consumer stores its position, so the ledger keeps no state for it. */
export function feedRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/feed',
    {
      schema: {
        operationId: 'getFeed',
        tags: ['Feed'],
        summary: 'List every fact after a position, in order',
        querystring: Query,
        response: { 200: FeedPage, ...problemResponses },
      },
    },
    async ({ query }, reply) => {
      // A consumer may be ahead of the log, such as after a restore: wait for the position, and fail if it is not reached.
      await modelFor(
        services.projections,
        { minPosition: Math.max(query.after, query.minPosition ?? 0) },
        reply,
      );
      const deadline = performance.now() + query.wait * 1_000;
      let page = await readPage(services, query.after, query.limit);
      while (page.events.length === 0 && (await grows(services, page.next, deadline))) {
        page = await readPage(services, page.next, query.limit);
      }
      reply
        .header('ledger-position', String(services.projections.model.position))
        .header('cache-control', 'no-store');
      return { events: page.events, next: String(page.next) };
    },
  );
}

function grows({ projections }: HttpServices, position: Position, deadline: number): Promise<boolean> {
  return projections.waitForPosition(position + 1, Math.max(0, deadline - performance.now()));
}

/** Reads up to `limit` facts after a position, up to the position of the projections. */
async function readPage({ store, projections }: HttpServices, after: Position, limit: number) {
  const events: FeedEvent[] = [];
  let next = after;
  const { position: head } = projections.model;
  if (after >= head) return { events, next };
  for await (const batch of store.readAll(after)) {
    for (const event of batch) {
      if (event.position > head || events.length === limit) return { events, next };
      next = event.position;
      if (clusterOfStream(event.stream) !== undefined) events.push(toCloudEvent(event, event.position));
    }
  }
  return { events, next };
}
