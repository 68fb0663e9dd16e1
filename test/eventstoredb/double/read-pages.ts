import type { EventFilter } from './event-filter.ts';
import type { EventLog } from './log.ts';
import { type LogEvent, NO_REVISION } from './records.ts';

/** How many events the server reads at a time; clients cannot change it. */
export const PAGE_SIZE = 32;

export type StreamPage =
  | {
      readonly result: 'events';
      readonly events: readonly LogEvent[];
      readonly next: bigint;
      readonly isEnd: boolean;
    }
  | { readonly result: 'stream-not-found' }
  | { readonly result: 'stream-deleted' };

export function readStreamForwards(log: EventLog, stream: string, from: bigint, limit: number): StreamPage {
  const refusal = refuse(log, stream);
  if (refusal !== undefined) return refusal;
  const last = log.lastRevision(stream);
  const first = log.firstVisible(stream) ?? 0n;
  const end = from + BigInt(limit) - 1n;
  if (end < first) return { result: 'events', events: [], next: first, isEnd: false };
  const start = from > first ? from : first;
  if (start > last) return { result: 'events', events: [], next: last + 1n, isEnd: true };
  const events = log.eventsOf(stream).slice(Number(start), Number(end + 1n));
  const next = end < last ? end + 1n : last + 1n;
  return { result: 'events', events: youngEnough(log, stream, events), next, isEnd: end >= last };
}

/** @param from first revision; past the end means the end. */
export function readStreamBackwards(log: EventLog, stream: string, from: bigint, limit: number): StreamPage {
  const refusal = refuse(log, stream);
  if (refusal !== undefined) return refusal;
  const last = log.lastRevision(stream);
  const first = log.firstVisible(stream) ?? 0n;
  const end = from > last ? last : from;
  const lowest = end - BigInt(limit) + 1n;
  const start = lowest > first ? lowest : first;
  const events =
    end < start
      ? []
      : log
          .eventsOf(stream)
          .slice(Number(start), Number(end + 1n))
          .reverse();
  return {
    result: 'events',
    events: youngEnough(log, stream, events),
    next: start - 1n,
    isEnd: start <= first,
  };
}

export interface AllPage {
  readonly events: readonly LogEvent[];
  /** Start of the next page. */
  readonly next: bigint;
  /** How many events were looked at, those that the filter held back included. */
  readonly considered: number;
  readonly isEnd: boolean;
}

/** @param from first position, inclusive: 0n, the end, or the start of a record. */
export function readAllForwards(
  log: EventLog,
  from: bigint,
  limit: number,
  sees: EventFilter,
  window = Number.MAX_SAFE_INTEGER,
): AllPage {
  const events: LogEvent[] = [];
  let next = from;
  let considered = 0;
  let index = indexAt(log, from);
  while (events.length < limit && considered < window) {
    const event = log.all[index];
    if (event === undefined) return { events, next, considered, isEnd: true };
    considered += 1;
    index += 1;
    next = event.end;
    if (sees(event)) events.push(event);
  }
  return { events, next, considered, isEnd: false };
}

/** @param from start, exclusive: the first event is the one whose record ends there. */
export function readAllBackwards(log: EventLog, from: bigint, limit: number, sees: EventFilter): AllPage {
  const events: LogEvent[] = [];
  let next = from;
  let considered = 0;
  let index = indexAt(log, from) - 1;
  while (events.length < limit) {
    const event = log.all[index];
    if (event === undefined) return { events, next, considered, isEnd: true };
    considered += 1;
    index -= 1;
    next = event.position;
    if (sees(event)) events.push(event);
  }
  return { events, next, considered, isEnd: false };
}

/** Returns whether a client may name this position: the start of a record, or a position after all records. */
export function isPosition(log: EventLog, position: bigint): boolean {
  if (position >= log.end || log.isBareRecord(position)) return true;
  return log.all[indexAt(log, position)]?.position === position;
}

/** Returns the index in `log.all` of the first event at or after a position. */
function indexAt(log: EventLog, position: bigint): number {
  let low = 0;
  let high = log.all.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const event = log.all[middle];
    if (event !== undefined && event.position < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function refuse(log: EventLog, stream: string): StreamPage | undefined {
  if (log.isTombstoned(stream)) return { result: 'stream-deleted' };
  const isMissing = log.lastRevision(stream) === NO_REVISION || log.isSoftDeleted(stream);
  return isMissing ? { result: 'stream-not-found' } : undefined;
}

function youngEnough(log: EventLog, stream: string, events: readonly LogEvent[]): readonly LogEvent[] {
  const { maxAgeMs } = log.metadataOf(stream);
  if (maxAgeMs === undefined) return events;
  const oldest = Date.now() - maxAgeMs;
  return events.filter((event) => event.createdAt >= oldest);
}
