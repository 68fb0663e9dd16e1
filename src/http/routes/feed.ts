import { z } from 'zod';
import { type FeedEventOut, FeedPageOut } from '../../api/feed.ts';
import { feedEventOf } from '../../delivery/feed-event.ts';
import type { Position } from '../../util/log-numbers.ts';
import { answer, problems } from '../contract.ts';
import { FEED_EXAMPLE } from '../openapi/first-answers.ts';
import { FeedCursorText, formatFeedCursor, requireEpoch } from '../params/feed-cursor.ts';
import { FeedTypes } from '../params/feed-types.ts';
import { Paging, Reading, wholeNumber } from '../params/fields.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';

const MAX_WAIT_S = 30;

const Query = z.strictObject({
  after: FeedCursorText.prefault('0').describe('The `next` of the previous call; 0 to start.'),
  types: FeedTypes.optional().describe(
    'Only events of these types or groups such as `io.clusterledger.alert.*`, separated by commas.',
  ),
  limit: Paging.limit,
  wait: wholeNumber(0, MAX_WAIT_S).prefault('0').describe('Seconds to wait for a new fact.'),
  ...Reading,
});

const getFeedSchema = {
  operationId: 'getFeed',
  tags: ['Feed'],
  summary: 'List every fact and every other event for consumers after a position, in order',
  description:
    'A consumer stores `next` and gives it as `after` in its next call: every event arrives at least once, in order. Events that are not for consumers are left out, so gaps between positions are normal.',
  querystring: Query,
  response: {
    200: answer('The events after the position. Gaps between their positions are normal.', FeedPageOut, {
      examples: FEED_EXAMPLE,
    }),
    ...problems('epoch-changed'),
  },
};

/**
 * Adds the feed: facts, closings, the beginning of statements and profiles of accounts. The consumer stores its place, so the
 * ledger keeps no state for it.
 */
export function feedRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/feed',
    {
      config: { access: { billing: 'all', auditor: 'all' } },
      schema: getFeedSchema,
    },
    async ({ query }, reply) => {
      // The epochs are known once the ledger has caught up.
      await modelFor(services.projections, {}, reply);
      const epoch = requireEpoch(query.after, services.epochs());
      // A consumer may be ahead of this process, which is another replica: wait for the position, and fail if it is not reached.
      await modelFor(
        services.projections,
        { minPosition: Math.max(query.after.position, query.minPosition ?? 0) },
        reply,
      );
      const deadline = performance.now() + query.wait * 1_000;
      let page = await readPage(services, query.after.position, query);
      while (page.events.length === 0 && (await grows(services, page.next, deadline))) {
        page = await readPage(services, page.next, query);
      }
      reply
        .header('ledger-position', String(services.projections.model.position))
        .header('cache-control', 'no-store');
      return { events: page.events, next: formatFeedCursor({ epoch, position: page.next }) };
    },
  );
}

function grows({ projections }: HttpServices, position: Position, deadline: number): Promise<boolean> {
  return projections.waitForPosition(position + 1, Math.max(0, deadline - performance.now()));
}

/** Reads up to `limit` events after a position, up to the position of the projections. */
async function readPage(
  { tail, epochs }: HttpServices,
  after: Position,
  { limit, types }: Pick<z.output<typeof Query>, 'limit' | 'types'>,
) {
  const events: FeedEventOut[] = [];
  let next = after;
  for await (const batch of tail.read(after)) {
    for (const event of batch) {
      if (events.length === limit) return { events, next };
      next = event.position;
      const found = feedEventOf(event, epochs());
      if (found !== undefined && types?.has(found.type) !== false) events.push(found);
    }
  }
  return { events, next };
}
