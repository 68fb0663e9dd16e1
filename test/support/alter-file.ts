import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';

const SCRIPT = `
const { openSync, readFileSync, writeSync } = require('node:fs');
const [file, from, to] = process.argv.slice(1);
let found = 0;
for (const path of [file, file + '-wal']) {
  const bytes = readFileSync(path);
  const fd = openSync(path, 'r+');
  for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + 1), found++) writeSync(fd, to, at);
}
process.exit(found > 0 ? 0 : 1);
`;

/**
 * Replaces a text in the pages of a store that is in use, where SQLite lets no other program write. Pages that SQLite has in
 * memory stay as they are until the next write. In a process of its own: closing a file releases the locks that a process has.
 */
export function alterStoreFile(file: string, from: string, to: string): void {
  expect(Buffer.byteLength(to)).toBe(Buffer.byteLength(from));
  const { status, stderr } = spawnSync(process.execPath, ['-e', SCRIPT, file, from, to], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
}
