import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { Position } from '../../util/log-numbers.ts';
import type { StoreLoss } from '../event-store.ts';
import { type Acknowledged, ROW_BYTES, type Span, witnessFile } from './acknowledged.ts';
import { integer } from './database.ts';
import { INCOMPLETE } from './schema.ts';
import type { WalState } from './wal.ts';

/** State of a store file at a start. */
export interface FileState {
  readonly path: string;
  /** The file, open for reading; `undefined` if it does not exist. */
  readonly db: DatabaseSync | undefined;
  /** Position of the last event in the file. */
  readonly head: Position;
  /** The write-ahead log before SQLite recovered it. */
  readonly wal: WalState | undefined;
  readonly witness: Acknowledged | 'damaged' | undefined;
  readonly newest: NewestEvents;
}

/** The newest events of a file, compared with its witness. */
export interface NewestEvents {
  /** The events of all spans of the witness and those behind them, for the next witness. */
  readonly span: Span;
  /** The first span of the witness that had other events. */
  readonly changed: Span | undefined;
}

/** A row may have 256 KiB, and those of a page are in memory at once. */
const PAGE = 250;

/**
 * Returns why a store file lacks events that were acknowledged, or has other ones in their place; `undefined` if nothing says
 * so. Each witness is enough: the file beside it, the frames of the write-ahead log, and the mark that a checkpoint leaves in the
 * file.
 */
export function findLoss(state: FileState): StoreLoss | undefined {
  const { path, db, head, wal, witness } = state;
  const known = witness === 'damaged' ? undefined : witness;
  if (wal?.damage !== undefined)
    return {
      why: `the write-ahead log ${path}-wal is damaged: ${wal.damage}, which cannot be read`,
      intactThrough: head,
    };
  if (known !== undefined) return lossBy(known, state);
  if (wal?.hasBadHeader === true)
    return {
      why: `the write-ahead log ${path}-wal is damaged: its header cannot be read, and so none of its events`,
      intactThrough: head,
    };
  const isIncomplete = db !== undefined && integer(db, 'PRAGMA user_version') === INCOMPLETE;
  if (isIncomplete && (wal === undefined || wal.frames === 0))
    return { why: withoutWal(path), intactThrough: head };
  return undefined;
}

/** Returns the message for a file whose write-ahead log is missing. */
export function withoutWal(path: string): string {
  return `${path} was copied or restored without its write-ahead log ${path}-wal, which has the newest events`;
}

/** Compares the witness beside the file with the events in it. */
export function lossBy(
  known: Acknowledged,
  { path, db, head, newest: { changed } }: Pick<FileState, 'path' | 'db' | 'head' | 'newest'>,
): StoreLoss | undefined {
  const { position, id } = known;
  const beside = `${position} were acknowledged by ${witnessFile(path)}`;
  if (head < position) {
    const found = db === undefined ? `${path} does not exist` : `the log has ${head} events`;
    return { why: `${found}, and ${beside}`, intactThrough: head };
  }
  if (db === undefined || position === 0) return undefined;
  if (idAt(db, position) !== id)
    return {
      why: `event ${position} of the log is not the one that was acknowledged, ${id}, by ${witnessFile(path)}`,
      intactThrough: 0,
    };
  if (changed === undefined) return undefined;
  const why = `events ${changed.after + 1} to ${changed.through} of the log are not what was acknowledged, by ${witnessFile(path)}`;
  return { why, intactThrough: changed.after };
}

/** Reads the events of the spans of a witness and those behind them, once: after a crash they may be many. */
export function readNewest(db: DatabaseSync, witness: FileState['witness'], head: Position): NewestEvents {
  const spans = witness === undefined || witness === 'damaged' ? [] : witness.spans;
  const checksums = spans.map(() => 0);
  const after = Math.min(head, ...spans.map((span) => span.after));
  const bounds = [after, head, ...spans.flatMap((span) => [span.after, span.through])]
    .filter((position) => position <= head)
    .sort((a, b) => a - b);
  let whole = 0;
  for (const [i, to] of bounds.entries()) {
    const from = bounds[i - 1] ?? after;
    for (const bytes of rowsBetween(db, from, to)) {
      whole = crc32(bytes, whole);
      for (const [n, span] of spans.entries())
        if (span.after <= from && to <= span.through) checksums[n] = crc32(bytes, checksums[n]);
    }
  }
  return {
    span: { after, through: head, checksum: whole },
    changed: spans.find(({ checksum }, i) => checksum !== checksums[i]),
  };
}

/** Yields the bytes of rows, of some at a time. SQLite joins them twice as fast as values can be read. */
function* rowsBetween(db: DatabaseSync, after: Position, through: Position): Generator<Uint8Array> {
  const page = db.prepare(
    `SELECT CAST(group_concat(${ROW_BYTES}, '' ORDER BY position) AS BLOB) AS bytes FROM log WHERE position > ? AND position <= ?`,
  );
  for (let from = after; from < through; from += PAGE) {
    const { bytes } = page.get(from, Math.min(from + PAGE, through)) as { bytes: Uint8Array | null };
    if (bytes !== null) yield bytes;
  }
}

/** Returns the id of the event at a position; empty if there is none. */
export function idAt(db: DatabaseSync, position: Position): string {
  const row = db.prepare('SELECT id FROM log WHERE position = ?').get(position);
  return String(row?.['id'] ?? '');
}
