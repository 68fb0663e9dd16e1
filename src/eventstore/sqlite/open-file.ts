import { constants, copyFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Position } from '../../util/log-numbers.ts';
import type { StoreLoss } from '../event-store.ts';
import { emptySpan, readAcknowledged } from './acknowledged.ts';
import { headOf, isReadableUnchecked } from './check-log.ts';
import { explained, isEmpty, journalMode, openForReading, rollBackCreation, statusOf } from './database.ts';
import { type FileState, findLoss, idAt, readNewest, withoutWal } from './find-loss.ts';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { SCHEMA } from './schema.ts';
import { addStateTails, readLogTails, type Tail } from './stream-tails.ts';
import { examineWal } from './wal.ts';

/** A file as it was found. */
export interface OpenedFile extends FileState {
  readonly loss: StoreLoss | undefined;
  /** The tails of all streams; those of state streams alone if the log is not checked yet. */
  readonly tails: Map<string, Tail>;
  /** Whether positions, revisions and pointers of the whole log were checked. */
  readonly isChecked: boolean;
}

/**
 * Reads the file. Changes nothing.
 * @param checkLaterFrom number of events from which on a log, if nothing is missing, is left to be checked by the thread of the writer.
 * @throws StoreFailed if it is not a ledger or is damaged.
 */
export function openFile(path: string, checkLaterFrom = Number.POSITIVE_INFINITY): OpenedFile {
  const [wal, witness] = [examineWal(`${path}-wal`), readAcknowledged(path)];
  rollBackCreation(path);
  const newest = { span: emptySpan(0), changed: undefined };
  const absent = { path, db: undefined, head: 0, wal, witness, newest, isChecked: true };
  const exists = (statusOf(path)?.size ?? 0) > 0;
  if (!exists) return { ...absent, loss: findLoss(absent), tails: new Map() };
  const db = openForReading(path);
  try {
    if (isEmpty(db)) {
      const mode = journalMode(db);
      db.close();
      // Former releases created the tables in the write-ahead log.
      const isCopy = mode === 'wal' && (wal?.frames ?? 0) === 0;
      return {
        ...absent,
        loss: isCopy ? { why: withoutWal(path), intactThrough: 0 } : findLoss(absent),
        tails: new Map(),
      };
    }
    const stateOf = (head: Position) => {
      const state = { path, db, head, wal, witness, newest: readNewest(db, witness, head) };
      return { ...state, loss: findLoss(state) };
    };
    const later = isReadableUnchecked(db, checkLaterFrom) ? stateOf(headOf(db)) : undefined;
    const isChecked = later === undefined || later.loss !== undefined;
    const { tails, head } = isChecked ? readLogTails(db) : { tails: new Map(), head: later.head };
    addStateTails(tails, db);
    return { ...(isChecked ? stateOf(head) : later), tails, isChecked };
  } catch (error) {
    db.close();
    throw explained(error, path);
  }
}

/** Starts the writer, which first checks a log that is not checked yet. It changes nothing before that. */
export function startWriting(
  { path, db, head, wal, newest, loss, isChecked }: OpenedFile,
  options: GroupCommitOptions,
): GroupCommit {
  // The recovery overwrites what it does not read.
  if (loss !== undefined && wal !== undefined) keepCopy(`${path}-wal`);
  const writes = new GroupCommit(path, options, isChecked ? undefined : head);
  const known =
    db === undefined
      ? { position: 0, id: '', spans: [] }
      : {
          position: head,
          id: idAt(db, head),
          // Events whose loss was accepted are not missed again at the next start.
          spans: [loss === undefined ? newest.span : emptySpan(head)],
        };
  writes.acknowledge(known);
  return writes;
}

/** Copies a damaged file, for an examination, before it is changed. */
function keepCopy(file: string): void {
  for (let n = 1; ; n++) {
    try {
      copyFileSync(file, `${file}.damaged-${n}`, constants.COPYFILE_EXCL);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Returns a database without events, for a file that is missing. */
export function emptyDatabase(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec(SCHEMA);
  return db;
}
