import type { RecentIds } from './recent-ids.ts';
import { type ExpectedRevision, isMetastream, metastreamOf, NO_REVISION } from './records.ts';

/** The part of the log that the check needs. */
export interface CheckedLog {
  readonly recentIds: RecentIds;
  lastRevision(stream: string): bigint;
  isTombstoned(stream: string): boolean;
  isSoftDeleted(stream: string): boolean;
  /** The id at that revision, read from the log itself: truncated events count. */
  idAt(stream: string, revision: bigint): string | undefined;
}

/** Whether a write may happen, or has happened already. */
export type Decision =
  | { readonly decision: 'write'; readonly current: bigint; readonly softDeleted: boolean }
  | { readonly decision: 'wrong-expected-revision'; readonly current: bigint }
  | { readonly decision: 'stream-deleted' }
  | { readonly decision: 'written-before'; readonly lastRevision: bigint }
  | { readonly decision: 'no-answer' };

/** The server's rules for a write of events with these ids, in the server's order. */
export function checkWrite(
  log: CheckedLog,
  stream: string,
  expected: ExpectedRevision,
  ids: readonly string[],
): Decision {
  const current = log.lastRevision(stream);
  // The writer does not ask what became of the stream of a metadata stream that it knows.
  const isKnownMetastream = isMetastream(stream) && current > NO_REVISION;
  if (log.isTombstoned(stream) && !isKnownMetastream) return { decision: 'stream-deleted' };
  if (expected === 'stream_exists') {
    if (log.isSoftDeleted(stream)) return { decision: 'stream-deleted' };
    const hasMetadata = log.lastRevision(metastreamOf(stream)) > NO_REVISION;
    if (current === NO_REVISION && !hasMetadata) return { decision: 'wrong-expected-revision', current };
  }
  if (expected === 'any' || expected === 'stream_exists') return checkByMemory(log, stream, current, ids);
  const revision = expected === 'no_stream' ? NO_REVISION : expected;
  if (revision > current) return { decision: 'wrong-expected-revision', current };
  if (revision < current) return checkRepeat(log, stream, revision, current, ids);
  return { decision: 'write', current, softDeleted: log.isSoftDeleted(stream) };
}

/**
 * Without a revision to compare with, a repeat is known by the ids in memory: all of them or none. The server stumbles
 * over a repeat in which the last id is further back than the first, and never answers.
 */
function checkByMemory(log: CheckedLog, stream: string, current: bigint, ids: readonly string[]): Decision {
  let firstRevision: bigint | undefined;
  let lastRevision: bigint | undefined;
  for (const id of ids) {
    const revision = log.recentIds.revisionOf(id, stream);
    if (revision === undefined && lastRevision !== undefined) {
      return { decision: 'wrong-expected-revision', current };
    }
    if (revision === undefined) break;
    firstRevision ??= revision;
    lastRevision = revision;
  }
  if (firstRevision !== undefined && lastRevision !== undefined && lastRevision < firstRevision - 1n) {
    return { decision: 'no-answer' };
  }
  if (lastRevision !== undefined) return { decision: 'written-before', lastRevision };
  return { decision: 'write', current, softDeleted: log.isSoftDeleted(stream) };
}

/** With a revision that has passed, a repeat is known by the ids stored after it, one by one. */
function checkRepeat(
  log: CheckedLog,
  stream: string,
  expected: bigint,
  current: bigint,
  ids: readonly string[],
): Decision {
  let revision = expected;
  for (const id of ids) {
    revision += 1n;
    if (log.idAt(stream, revision) === id) continue;
    const isFirst = revision === expected + 1n;
    if (isFirst && expected === NO_REVISION && log.isSoftDeleted(stream)) {
      return { decision: 'write', current, softDeleted: true };
    }
    return { decision: 'wrong-expected-revision', current };
  }
  if (revision === expected) return { decision: 'wrong-expected-revision', current };
  return { decision: 'written-before', lastRevision: revision };
}
