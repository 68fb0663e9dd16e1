import { DatabaseSync } from 'node:sqlite';
import type { LogEvent } from '../event-store.ts';
import { StoredEvent } from './stored-event.ts';

type Row = [number, string, number, string, string, string, string, number];

const PAGE = 1_000;

/** Reads all committed events of the log, for a thread that does not share the store. @param file of an open store */
export function* readLog(file: string): Generator<readonly LogEvent[]> {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    const page = db.prepare(
      'SELECT position, stream, revision, id, type, data, metadata, recorded_at FROM log WHERE position > ? ORDER BY position LIMIT ?',
    );
    page.setReturnArrays(true);
    for (let position = 0; ; position += PAGE) {
      const rows = page.all(position, PAGE) as unknown as Row[];
      if (rows.length > 0) yield rows.map((row) => new StoredEvent(...row));
      if (rows.length < PAGE) return;
    }
  } finally {
    db.close();
  }
}
