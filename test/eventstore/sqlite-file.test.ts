import { spawnSync } from 'node:child_process';
import {
  chmod,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { StoreFailed, StoreFull } from '../../src/eventstore/store-errors.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { anEvent, collect, idsOf, readLog } from '../support/store-events.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-sqlite-'));
  file = join(folder, 'ledger.db');
});
afterEach(async () => {
  spawnSync('umount', [join(folder, 'disk')], { stdio: 'ignore' });
  await rm(folder, { recursive: true, force: true });
});

async function writeSome(): Promise<void> {
  const store = await SqliteStore.open(file);
  for (let i = 0; i < 5; i++)
    await store.append(`s${i % 2}`, [anEvent()], i < 2 ? 'absent' : Math.floor(i / 2) - 1);
  await store.close();
}

function tamper(sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

describe('the SQLite file', () => {
  test('can be opened by one store at a time, by whatever path', async () => {
    const store = await SqliteStore.open(file);
    await symlink(file, join(folder, 'link.db'));
    await expect(SqliteStore.open(file)).rejects.toThrow(/in use by another ledger/);
    await expect(SqliteStore.open(join(folder, 'link.db'))).rejects.toThrow(/in use by another ledger/);
    const other = new LedgerProcess({ LEDGER_STORE: `sqlite:${file}`, LEDGER_DATA_DIR: folder });
    await expect(other.start()).rejects.toThrow(/ended with 1[\s\S]*in use by another ledger/);
    await store.close();
    await (await SqliteStore.open(file)).close();
  });

  test('contains the whole log once it is closed, so that a copy of it is a backup', async () => {
    await writeSome();
    const copy = join(folder, 'copy.db');
    await copyFile(file, copy);
    const store = await SqliteStore.open(copy);
    expect(await store.head()).toBe(5);
    await store.close();
  });

  test('gives every part of a long stream, in both directions, also after it is opened again', async () => {
    let store = await SqliteStore.open(file);
    const ids: string[] = [];
    for (let size = 1; ids.length < 700; size = (size * 7) % 90) {
      const events = Array.from({ length: size }, () => anEvent());
      const appended = store.append('long', events, ids.length === 0 ? 'absent' : ids.length - 1);
      await store.append(`other-${ids.length}`, [anEvent()], 'absent');
      await appended;
      ids.push(...idsOf(events));
    }
    const edges = [0, 1, 126, 127, 128, 129, 255, 256, 383, 500, ids.length - 1];
    const readEveryPart = async () => {
      for (const from of edges) {
        for (const limit of [1, 2, 127, 128, 129, 300, ids.length]) {
          const forwards = await collect(store.readStream('long', { from, limit }));
          expect(idsOf(forwards)).toEqual(ids.slice(from, from + limit));
          const backwards = await collect(store.readStream('long', { from, limit, direction: 'backwards' }));
          expect(idsOf(backwards)).toEqual(ids.slice(Math.max(0, from + 1 - limit), from + 1).reverse());
        }
      }
    };
    await readEveryPart();
    await store.close();
    store = await SqliteStore.open(file);
    await readEveryPart();
    await store.close();
  });

  test('can be read with SQLite alone while it is in use', async () => {
    const store = await SqliteStore.open(file);
    await store.append('s', [anEvent({ text: 'for all to read' })], 'absent');
    const db = new DatabaseSync(file, { readOnly: true });
    expect(db.prepare('SELECT position, stream, revision, type, data FROM log').all()).toEqual([
      {
        position: 1,
        stream: 's',
        revision: 0,
        type: 'SomethingHappened',
        data: '{"text":"for all to read"}',
      },
    ]);
    db.close();
    await store.close();
  });

  test.each([
    ['is not an SQLite file', () => writeFile(file, 'a note\n'.repeat(100))],
    [
      'is of another application',
      async () => tamper('CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)'),
    ],
  ])('is rejected and not changed if it %s', async (why, create) => {
    await create();
    const before = await readFile(file);
    await expect(SqliteStore.open(file)).rejects.toThrow(
      why === 'is not an SQLite file' ? /not an SQLite file/ : /another application/,
    );
    expect((await readFile(file)).equals(before)).toBe(true);
  });

  test('is refused with what to do if a page of it is damaged', async () => {
    await writeSome();
    const bytes = await readFile(file);
    // The second page is the root of the first table; its first byte says what kind of page it is.
    bytes[4_096] = 0xff;
    await writeFile(file, bytes);
    await expect(SqliteStore.open(file)).rejects.toThrow(
      /ledger\.db is damaged \(.*\): keep the file with its -wal .*, and restore the newest backup of both; nothing was changed/,
    );
    expect((await readFile(file)).equals(bytes)).toBe(true);
  });

  test('is rejected if a later release wrote it', async () => {
    await writeSome();
    tamper('PRAGMA user_version = 99');
    await expect(SqliteStore.open(file)).rejects.toThrow(/schema version 99; this release knows 1/);
  });

  test.each([
    ['an event is missing', 'DELETE FROM log WHERE position = 3'],
    ['an event was moved', 'UPDATE log SET position = 99 WHERE position = 5'],
    ['a revision is duplicated', 'UPDATE log SET revision = 0 WHERE position = 3'],
    ['an event was moved to another stream', "UPDATE log SET stream = 's1' WHERE position = 5"],
    ['the reference to the previous event is wrong', 'UPDATE log SET previous = 2 WHERE position = 5'],
  ])('is rejected at start if %s', async (_, sql) => {
    await writeSome();
    tamper(sql);
    await expect(SqliteStore.open(file)).rejects.toThrow(StoreFailed);
  });

  test('is synced at every commit', async () => {
    const { openForWriting, integer } = await import('../../src/eventstore/sqlite/database.ts');
    const db = openForWriting(file);
    expect(integer(db, 'PRAGMA synchronous')).toBe(2);
    expect(integer(db, 'PRAGMA wal_autocheckpoint')).toBe(0);
    db.close();
  });
});

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

/** Lets no write of this process make any file longer than a file is now. */
async function withFileSizeLimit(path: string, act: () => Promise<void>): Promise<void> {
  const limit = (value: string) =>
    spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${value}:unlimited`]);
  limit(String((await stat(path)).size));
  try {
    await act();
  } finally {
    limit('unlimited');
  }
}

const canMount = spawnSync('mount', ['--version']).status === 0 && process.getuid?.() === 0;

describe('the disk of the SQLite file', () => {
  test.skipIf(!canMount)(
    `rejects writes while it is full, still answers reads, and accepts writes again once there is space${canMount ? '' : '; NOT RUN: no right to mount'}`,
    async () => {
      const disk = join(folder, 'disk');
      await mkdir(disk);
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
      await writeFile(join(disk, 'ballast'), Buffer.alloc(1_000_000));
      const store = await SqliteStore.open(join(disk, 'ledger.db'));
      const written: string[] = [];
      const fill = async () => {
        for (let i = written.length; ; i++) {
          const event = anEvent({ text: 'x'.repeat(20_000) });
          await store.append(`s${i}`, [event], 'absent');
          written.push(event.id);
        }
      };
      await expect(fill()).rejects.toThrow(StoreFull);
      expect((await readLog(store)).map(({ id }) => id)).toEqual(written);
      await rm(join(disk, 'ballast'));
      const event = anEvent();
      expect(await store.append('after', [event], 'absent')).toBe(0);
      expect((await readLog(store)).map(({ id }) => id)).toEqual([...written, event.id]);
      await store.close();
      const reopened = await SqliteStore.open(join(disk, 'ledger.db'));
      expect((await readLog(reopened)).map(({ id }) => id)).toEqual([...written, event.id]);
      await reopened.close();
    },
  );

  test.skipIf(!canLimit)(
    `stops the store if it fails: no write is acknowledged any more, and onFailed is called${canLimit ? '' : '; NOT RUN: no prlimit'}`,
    async () => {
      let told: StoreFailed | undefined;
      const onFailed = (error: StoreFailed) => {
        told = error;
      };
      const store = await SqliteStore.open(file, { onFailed });
      await store.append('s', [anEvent()], 'absent');
      await withFileSizeLimit(`${file}-wal`, async () => {
        const tries = [store.append('s', [anEvent()], 0), store.append('t', [anEvent()], 'absent')];
        for (const result of await Promise.allSettled(tries)) {
          expect(result).toMatchObject({ status: 'rejected', reason: expect.any(StoreFailed) });
        }
      });
      expect(told).toBeInstanceOf(StoreFailed);
      await expect(store.append('u', [anEvent()], 'absent')).rejects.toThrow(StoreFailed);
      expect(await collect(store.readStream('s'))).toHaveLength(1);
      expect(store.health().reachable).toBe(false);
      await store.close();
    },
  );
});

describe('while a store has its file open', () => {
  test('no other program can write to it', async () => {
    const store = await SqliteStore.open(file);
    await store.append('s', [anEvent()], 'absent');
    expect(() => tamper("UPDATE log SET data = '{}'")).toThrow('database is locked');
    await store.append('s', [anEvent()], 0);
    expect(() => tamper("UPDATE log SET data = '{}'")).toThrow('database is locked');
    await store.close();
  });

  test('a store that finds the file locked by another program does not start, and says what to do', async () => {
    await writeSome();
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    await expect(SqliteStore.open(file)).rejects.toThrow(/another program holds a lock on .*: end it/);
    other.exec('COMMIT');
    other.close();
    await (await SqliteStore.open(file)).close();
  });

  test('a second store does not start after the lock file was deleted', async () => {
    const store = await SqliteStore.open(file);
    await rm(`${file}.lock`);
    await expect(SqliteStore.open(file)).rejects.toThrow(/another program holds a lock/);
    await store.append('s', [anEvent()], 'absent');
    await store.close();
  });

  test('a second store does not start by a hard link', async () => {
    const store = await SqliteStore.open(file);
    await link(file, join(folder, 'second.db'));
    await expect(SqliteStore.open(join(folder, 'second.db'))).rejects.toThrow(/2 names \(hard links\)/);
    await store.close();
  });

  test.each([
    ['renamed', (to: string) => rename(file, to)],
    ['deleted', () => rm(file)],
  ])('nothing is acknowledged once the file is %s', async (_, change) => {
    let told: StoreFailed | undefined;
    const onFailed = (error: StoreFailed) => {
      told = error;
    };
    const store = await SqliteStore.open(file, { onFailed });
    await store.append('s', [anEvent()], 'absent');
    await change(join(folder, 'elsewhere.db'));
    await expect(store.append('s', [anEvent()], 0)).rejects.toThrow(/was moved, replaced or deleted/);
    expect(told).toBeInstanceOf(StoreFailed);
    await store.close();
  });
});

test('the files of a store can be read by their owner only, in any folder', async () => {
  await chmod(folder, 0o755);
  await writeFile(file, '', { mode: 0o644 });
  const store = await SqliteStore.open(file);
  await store.append('s', [anEvent()], 'absent');
  const modes = (await readdir(folder)).map(async (name) => [
    name,
    (await stat(join(folder, name))).mode & 0o777,
  ]);
  expect(Object.fromEntries(await Promise.all(modes))).toEqual({
    'ledger.db': 0o600,
    'ledger.db-acknowledged': 0o600,
    'ledger.db-shm': 0o600,
    'ledger.db-wal': 0o600,
    'ledger.db.lock': 0o600,
    'ledger.db.lock-journal': 0o600,
  });
  await store.close();
});
