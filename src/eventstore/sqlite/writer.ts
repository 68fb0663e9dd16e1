/**
 * Worker thread that writes to the SQLite file. While it waits for the disk, the main thread collects the next group. All
 * decisions are made in the main thread.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../util/message-of.ts';
import { isFull, openForWriting } from './database.ts';

/** Row of the table `log`. */
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
/** Row of the table `state`. */
export type StateRow = readonly [
  stream: string,
  revision: number,
  id: string,
  type: string,
  data: string,
  metadata: string,
  recordedAt: number,
];

/** Content of one transaction. */
export interface Group {
  readonly log: readonly LogRow[];
  readonly state: readonly StateRow[];
  /** State streams to shorten: events before revision `from` are deleted. */
  readonly forget: readonly { readonly stream: string; readonly from: number }[];
}

export type WriterAnswer =
  | { readonly outcome: 'ready' }
  | { readonly outcome: 'committed' }
  /** Rolled back: nothing of the group was written. */
  | { readonly outcome: 'full'; readonly message: string }
  /** It is unknown what was written. The thread has stopped. */
  | { readonly outcome: 'failed'; readonly message: string };

/**
 * Number of written bytes after which the write-ahead log is copied into the file (checkpoint). It happens between commits: if
 * an automatic checkpoint failed, SQLite would report the commit as failed although it succeeded.
 */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
const ROW_OVERHEAD_BYTES = 128;
/** Size of a page. A commit writes at least one. */
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
