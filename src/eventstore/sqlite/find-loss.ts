import type { DatabaseSync } from 'node:sqlite';
import type { Position } from '../../util/log-numbers.ts';
import type { StoreLoss } from '../event-store.ts';
import { type Acknowledged, addRow, type Span, witnessFile } from './acknowledged.ts';
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
}

const PAGE = 1_000;

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
  { path, db, head }: Pick<FileState, 'path' | 'db' | 'head'>,
): StoreLoss | undefined {
  const { position, id, spans } = known;
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
  const changed = spans.find((span) => checksumOf(db, span) !== span.checksum);
  if (changed === undefined) return undefined;
  const why = `events ${changed.after + 1} to ${changed.through} of the log are not what was acknowledged, by ${witnessFile(path)}`;
  return { why, intactThrough: changed.after };
}

/** Returns the newest events as a span, for the witness. They include the ones of the spans that it has. */
export function spanToHead(db: DatabaseSync, witness: FileState['witness'], head: Position): Span {
  const spans = witness === undefined || witness === 'damaged' ? [] : witness.spans;
  const after = Math.min(head, ...spans.map((span) => span.after));
  return { after, through: head, checksum: checksumOf(db, { after, through: head }) };
}

/** Returns the id of the event at a position; empty if there is none. */
export function idAt(db: DatabaseSync, position: Position): string {
  const row = db.prepare('SELECT id FROM log WHERE position = ?').get(position);
  return String(row?.['id'] ?? '');
}

function checksumOf(db: DatabaseSync, { after, through }: Pick<Span, 'after' | 'through'>): number {
  const page = db.prepare('SELECT * FROM log WHERE position > ? AND position <= ? ORDER BY position LIMIT ?');
  page.setReturnArrays(true);
  let checksum = 0;
  for (let position = after; position < through; position += PAGE) {
    const rows = page.all(position, through, PAGE) as unknown as (string | number | null)[][];
    for (const row of rows) checksum = addRow(checksum, row);
  }
  return checksum;
}
