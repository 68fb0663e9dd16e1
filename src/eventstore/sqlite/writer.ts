import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../util/message-of.ts';
import { isFull, openForWriting } from './database.ts';

/**
 * The one writer, in a thread of its own: while it waits for the disk, the next group fills. It is told what to write
 * and decides nothing.
 */

/** Columns of a row of `log` in the order of the table. */
export type LogRow = readonly [
  position: number,
  stream: string,
  revision: number,
  previous: number | null,
  id: string,
  type: string,
  data: string,
  metadata: string,
  recordedAt: number,
];
/** Columns of a row of `state` in the order of the table. */
export type StateRow = readonly [
  stream: string,
  revision: number,
  id: string,
  type: string,
  data: string,
  metadata: string,
  recordedAt: number,
];

/** What is written in one transaction. */
export interface Group {
  readonly log: readonly LogRow[];
  readonly state: readonly StateRow[];
  /** State streams to shorten: nothing before `from` is kept. */
  readonly forget: readonly { readonly stream: string; readonly from: number }[];
}

export type WriterAnswer =
  | { readonly outcome: 'ready' }
  | { readonly outcome: 'committed' }
  /** Rolled back: nothing of the group was written. */
  | { readonly outcome: 'full'; readonly message: string }
  /** Unknown what was written; the thread has stopped. */
  | { readonly outcome: 'failed'; readonly message: string };

/**
 * Written bytes after which the write-ahead log is copied into the file: between commits, since an automatic checkpoint
 * would report its own failure as the failure of a commit that has happened.
 */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
const ROW_OVERHEAD_BYTES = 128;
/** A commit writes whole pages: at least the one that it adds to. */
const PAGE_BYTES = 4_096;

function serve(port: NonNullable<typeof parentPort>): void {
  const answer = (message: WriterAnswer) => port.postMessage(message);
  const fail = (error: unknown) => {
    answer({ outcome: 'failed', message: messageOf(error) });
    port.close();
  };
  try {
    const db = openForWriting((workerData as { path: string }).path);
    const insertLog = db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    const insertState = db.prepare('INSERT INTO state VALUES (?, ?, ?, ?, ?, ?, ?)');
    const forget = db.prepare('DELETE FROM state WHERE stream = ? AND revision < ?');
    let bytes = 0;

    const commit = (group: Group) => {
      db.exec('BEGIN IMMEDIATE');
      bytes += PAGE_BYTES;
      for (const row of group.log) {
        insertLog.run(...row);
        bytes += row[6].length + row[7].length + ROW_OVERHEAD_BYTES;
      }
      for (const row of group.state) insertState.run(...row);
      for (const { stream, from } of group.forget) forget.run(stream, from);
      db.exec('COMMIT');
    };

    port.on('message', (group: Group | 'close') => {
      if (group === 'close') {
        db.close();
        port.close();
        return;
      }
      try {
        commit(group);
      } catch (error) {
        if (!isFull(error)) return fail(error);
        if (db.isTransaction) db.exec('ROLLBACK');
        return answer({ outcome: 'full', message: messageOf(error) });
      }
      answer({ outcome: 'committed' });
      if (bytes < CHECKPOINT_BYTES) return;
      bytes = 0;
      try {
        db.exec('PRAGMA wal_checkpoint(PASSIVE)');
      } catch (error) {
        if (!isFull(error)) fail(error);
      }
    });
    answer({ outcome: 'ready' });
  } catch (error) {
    fail(error);
  }
}

if (parentPort !== null) serve(parentPort);
