/** `cled` in ASCII: identifies SQLite files of the ledger. */
export const APPLICATION_ID = 0x63_6c_65_64;
export const SCHEMA_VERSION = 1;
/**
 * The `user_version` of a file that is not complete without its write-ahead log. It is set before each checkpoint and so is in
 * the file; the first commit after the checkpoint, which is in the write-ahead log, sets `SCHEMA_VERSION` again. So a copy of the
 * file alone is recognized, and a copy that SQLite makes (`VACUUM INTO`, the backup API) has `SCHEMA_VERSION`.
 */
export const INCOMPLETE = -SCHEMA_VERSION;

/** Selects the events of streams that are few. There are as many streams of clusters as clusters. */
export const OF_FEW_STREAMS = "stream NOT GLOB 'cluster-*'";

/** Returns whether a stream is that of a cluster, which `OF_FEW_STREAMS` leaves out. */
export function isClusterStream(stream: string): boolean {
  return stream.startsWith('cluster-');
}

/** The index by which a stream is read while the log is being checked, with which it is compared. */
export const FEW_STREAMS_INDEX = 'few_streams';
export const CREATE_FEW_STREAMS_INDEX = `CREATE INDEX IF NOT EXISTS ${FEW_STREAMS_INDEX} ON log (stream) WHERE ${OF_FEW_STREAMS};`;

/**
 * The log is one table in the order of positions. Facts of clusters are in no other index: writing random pages of an index, and not
 * the fsync, limits the throughput of SQLite here. `previous` is the position of the previous event in the same stream, so a stream is
 * read backwards from its last event, whose position the process keeps in memory.
 */
export const SCHEMA = `
CREATE TABLE log (
  position    INTEGER PRIMARY KEY,
  stream      TEXT NOT NULL,
  revision    INTEGER NOT NULL,
  previous    INTEGER,
  id          TEXT NOT NULL,
  type        TEXT NOT NULL,
  data        TEXT NOT NULL,
  metadata    TEXT NOT NULL,
  recorded_at INTEGER NOT NULL
) STRICT;
${CREATE_FEW_STREAMS_INDEX}
CREATE TABLE state (
  stream      TEXT NOT NULL,
  revision    INTEGER NOT NULL,
  id          TEXT NOT NULL,
  type        TEXT NOT NULL,
  data        TEXT NOT NULL,
  metadata    TEXT NOT NULL,
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (stream, revision)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;
