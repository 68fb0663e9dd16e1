/** 'cled': tells our files from other SQLite files. */
export const APPLICATION_ID = 0x63_6c_65_64;
export const SCHEMA_VERSION = 1;

/**
 * The log is one table in order of position, and has no further index: random pages of an index, not the fsync, are what
 * limits SQLite here. `previous` is the position of the event before in the same stream, so that a stream is read
 * backwards from its last event; which one that is, the process that owns the file keeps in memory.
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
