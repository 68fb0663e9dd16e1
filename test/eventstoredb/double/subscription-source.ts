import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { createFilter, type EventFilter, everything } from './event-filter.ts';
import type { EventLog } from './log.ts';
import { readStreamName } from './messages.ts';
import { isPosition, PAGE_SIZE, readAllForwards, readStreamForwards } from './read-pages.ts';
import { type LogEvent, TOMBSTONE_TYPE } from './records.ts';
import { handlerThrew, type RpcError, streamDeleted } from './rpc-errors.ts';

type Options = streams.ReadReq.Options;

export interface Page {
  readonly events: readonly LogEvent[];
  readonly next: bigint;
  readonly considered: number;
  readonly isEnd: boolean;
}

/** The source of a subscription: a stream or $all. A cursor is a revision of a stream, or a position of $all. */
export interface Source {
  /** Start of the catch-up; `'end'` goes live at once. */
  readonly start: bigint | 'end';
  /** Number of events considered between two checkpoints; `undefined` for no checkpoints. */
  readonly checkpointInterval: number | undefined;
  /** Last cursor that the subscriber has seen: only later events are delivered. */
  readonly after: bigint | undefined;
  readPage(from: bigint): Page | 'stream-not-found' | 'stream-deleted';
  sees(event: LogEvent): boolean;
  cursorOf(event: LogEvent): bigint;
  /** The error with which the subscription ends after this event. */
  endsWith(event: LogEvent): RpcError | undefined;
  deleted(): RpcError;
}

/** @returns what to follow, or what is wrong with the request. */
export function sourceOf(log: EventLog, options: Options): Source | RpcError {
  return options.hasStream() ? streamSource(log, options) : allSource(log, options);
}

function streamSource(log: EventLog, options: Options): Source {
  const from = options.getStream();
  const stream = readStreamName(from?.getStreamIdentifier());
  const after = from?.hasRevision() ? BigInt(from.getRevision()) : undefined;
  return {
    start: from?.hasEnd() ? 'end' : (after ?? -1n) + 1n,
    checkpointInterval: undefined,
    after,
    readPage(cursor) {
      const page = readStreamForwards(log, stream, cursor, PAGE_SIZE);
      if (page.result !== 'events') return page.result;
      return { ...page, considered: page.events.length };
    },
    sees: (event) => event.stream === stream,
    cursorOf: (event) => event.revision,
    endsWith: (event) => (event.type === TOMBSTONE_TYPE ? streamDeleted(stream) : undefined),
    deleted: () => streamDeleted(stream),
  };
}

function allSource(log: EventLog, options: Options): Source | RpcError {
  const from = options.getAll();
  const filter = options.getFilter();
  const sees = filter === undefined ? everything : readFilter(filter);
  const window = filter?.hasMax() ? filter.getMax() : PAGE_SIZE;
  let start: bigint | 'end' = from?.hasEnd() ? 'end' : 0n;
  if (from?.hasPosition()) {
    const position = BigInt(from.getPosition()?.getCommitPosition() ?? 0);
    if (!isPosition(log, position)) return handlerThrew();
    start = position === 0n ? 0n : readAllForwards(log, position, 1, everything).next;
  }
  return {
    start,
    checkpointInterval: filter === undefined ? undefined : filter.getCheckpointintervalmultiplier() * window,
    after: undefined,
    readPage: (cursor) =>
      filter === undefined
        ? readAllForwards(log, cursor, PAGE_SIZE, sees)
        : readAllForwards(log, cursor, PAGE_SIZE, sees, window),
    sees,
    cursorOf: (event) => event.position,
    endsWith: () => undefined,
    deleted: handlerThrew,
  };
}

function readFilter(filter: streams.ReadReq.Options.FilterOptions): EventFilter {
  const byType = filter.getEventType();
  const expression = byType ?? filter.getStreamIdentifier();
  return createFilter({
    on: byType === undefined ? 'stream name' : 'event type',
    prefixes: expression?.getPrefixList() ?? [],
    regex: expression?.getRegex() ?? '',
  });
}
