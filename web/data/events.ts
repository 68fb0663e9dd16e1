import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { z } from 'zod';
import type { RecordedOut } from '../../src/api/events.ts';
import type { InclusionOut, ProofOut } from '../../src/api/proofs.ts';
import type { RejectedEventOut } from '../../src/api/rejected-events.ts';
import type { FeedEvent } from './feed.ts';
import { RequestFailed } from './problem.ts';
import { path, request, send } from './request.ts';

export type RejectedEvent = RejectedEventOut;
export type Proof = z.output<typeof ProofOut>;

const FEED_LIMIT = 1_000;
/** Number of positions that are read at once at first; doubled while few events are found. */
const FIRST_WINDOW = 500;
const MAX_WINDOW = 20_000;
/** Number of events from which on a page is complete. */
const ENOUGH = 60;

interface FeedPage {
  readonly events: readonly FeedEvent[];
  readonly next: string;
}

/** Events before a place of the log, latest first. */
interface EventPage {
  readonly events: readonly FeedEvent[];
  /** The place to go on before; `undefined` at the beginning of the log. */
  readonly next: Place | undefined;
}

/** A place in the feed: a position, and the epoch of the log if it was restored. */
interface Place {
  readonly epoch: string;
  readonly position: number;
}

const cursorOf = ({ epoch }: Place, position: number) => `${epoch}${position}`;
const positionOf = ({ ledgerposition }: FeedEvent) => Number(ledgerposition);

function readFeed(after: string, types: string, limit: number, signal: AbortSignal): Promise<Response> {
  return send('/v1/feed', { query: { after, types, limit }, signal });
}

/** Returns the end of the log. */
async function endOfLog(signal: AbortSignal): Promise<Place> {
  const response = await readFeed('0', '', 1, signal);
  const { next } = (await response.json()) as FeedPage;
  const epoch = next.includes('.') ? `${next.split('.')[0]}.` : '';
  return { epoch, position: Number(response.headers.get('ledger-position') ?? 0) };
}

/** Reads the events behind `after` up to `place`, oldest first. */
async function readWindow(
  place: Place,
  after: number,
  types: string,
  signal: AbortSignal,
): Promise<readonly FeedEvent[]> {
  const events: FeedEvent[] = [];
  let from = after;
  for (;;) {
    const response = await readFeed(cursorOf(place, from), types, FEED_LIMIT, signal);
    const page = (await response.json()) as FeedPage;
    events.push(...page.events.filter((event) => positionOf(event) <= place.position));
    from = Number(page.next.split('.').at(-1));
    if (page.events.length < FEED_LIMIT || from >= place.position) return events;
  }
}

/**
 * The events of the feed, latest first. The feed is read forwards, so a page is a window of positions, which grows until it has
 * enough events.
 * @param types types separated by commas; all if it is empty
 */
export const eventsQuery = (types: string) =>
  infiniteQueryOptions({
    queryKey: ['events', 'feed', types],
    queryFn: async ({ signal, pageParam }): Promise<EventPage> => {
      let place = pageParam ?? (await endOfLog(signal));
      const events: FeedEvent[] = [];
      for (let width = FIRST_WINDOW; place.position > 0 && events.length < ENOUGH; width *= 2) {
        const after = Math.max(0, place.position - Math.min(width, MAX_WINDOW));
        events.push(...(await readWindow(place, after, types, signal)).toReversed());
        place = { ...place, position: after };
      }
      return { events, next: place.position > 0 ? place : undefined };
    },
    initialPageParam: undefined as Place | undefined,
    getNextPageParam: ({ next }) => next,
    // New events come with the stream.
    meta: { isLive: false },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });

/** An event with the proof that it is in the log. */
export interface ProvedEvent {
  readonly event: FeedEvent;
  readonly proof: Proof | z.output<typeof InclusionOut> | undefined;
}

/**
 * One event. Facts are found by their id, other events by their position.
 * @param position position in the log, if it is known
 */
export const eventQuery = (eventId: string, position: string | undefined) =>
  queryOptions({
    queryKey: ['events', 'one', eventId, position],
    queryFn: async ({ signal }): Promise<ProvedEvent> => {
      try {
        const { proof, ...event } = await request<FeedEvent & { readonly proof?: Proof }>(
          path`/v1/events/${eventId}`,
          { signal },
        );
        return { event, proof };
      } catch (error) {
        const isUnknown = error instanceof RequestFailed && error.status === 404;
        if (!isUnknown || position === undefined) throw error;
        const { epoch } = await endOfLog(signal);
        const place = { epoch, position: Number(position) };
        const event = (await readWindow(place, place.position - 1, '', signal)).find(
          ({ ledgereventid }) => ledgereventid === eventId,
        );
        if (event === undefined) throw error;
        const proof = await request<z.output<typeof InclusionOut>>('/log/proof/inclusion', {
          query: { position },
          signal,
        });
        return { event, proof };
      }
    },
    // An event never changes.
    meta: { isLive: false },
    staleTime: Number.POSITIVE_INFINITY,
  });

interface RejectedPage {
  readonly items: readonly RejectedEvent[];
  readonly next?: string;
}

/** The events that were rejected, latest first. */
export const rejectedEventsQuery = infiniteQueryOptions({
  queryKey: ['events', 'rejected'],
  queryFn: ({ signal, pageParam }) =>
    request<RejectedPage>('/v1/rejected-events', { query: { limit: 100, cursor: pageParam }, signal }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ next }) => next,
  refetchInterval: 15_000,
});

/** Posts a rejected event again. */
export function retryRejected(id: string): Promise<z.output<typeof RecordedOut>> {
  return request(path`/v1/rejected-events/${id}/retry`, { method: 'POST' });
}
