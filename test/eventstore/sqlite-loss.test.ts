import { copyFile, cp, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { examineWal } from '../../src/eventstore/sqlite/wal.ts';
import { LogBehind } from '../../src/eventstore/store-errors.ts';
import { anEvent, readLog } from '../support/store-events.ts';

let folder: string;
/** The files of a store whose process was killed after 50 acknowledged events. */
let file: string;
const EVENTS = 50;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-loss-'));
  const used = join(folder, 'used');
  file = join(folder, 'killed', 'ledger.db');
  const store = await SqliteStore.open(join(used, 'ledger.db'));
  for (let i = 0; i < EVENTS; i++)
    await store.append('s', [anEvent({ text: 'x'.repeat(500) })], i === 0 ? 'absent' : i - 1);
  // A copy of all files between two writes is what a killed process leaves.
  await cp(used, join(folder, 'killed'), { recursive: true });
  await store.close();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const wal = () => `${file}-wal`;
const witness = () => `${file}-acknowledged`;

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(path, bytes);
}

/** Returns why the store is behind, and the number of its events. */
async function start(path = file): Promise<{ loss: string | undefined; head: number }> {
  const store = await SqliteStore.open(path);
  const head = await store.head();
  const { loss } = store;
  const result = await store.append(`t-${head}`, [anEvent()], 'absent').catch((error) => error);
  if (loss === undefined) expect(result).toBe(0);
  else expect(result).toBeInstanceOf(LogBehind);
  await store.close();
  return { loss: loss?.why, head };
}

describe('a store whose process was killed', () => {
  test('has all events and takes more', async () => {
    expect(await start()).toEqual({ loss: undefined, head: EVENTS });
    expect(await start()).toEqual({ loss: undefined, head: EVENTS + 1 });
  });

  test('has all events if its witness is missing, damaged or older', async () => {
    await rm(witness());
    expect(await start()).toEqual({ loss: undefined, head: EVENTS });
    await writeFile(witness(), 'x'.repeat(1_024));
    expect(await start()).toEqual({ loss: undefined, head: EVENTS + 1 });
    const older = await readFile(witness());
    expect(await start()).toEqual({ loss: undefined, head: EVENTS + 2 });
    await writeFile(witness(), older);
    expect(await start()).toEqual({ loss: undefined, head: EVENTS + 3 });
  });

  test('ignores an end of the write-ahead log that was torn before it was acknowledged', async () => {
    const handle = await open(wal(), 'a');
    await handle.write(Buffer.alloc(1_000, 7));
    await handle.close();
    expect(await start()).toEqual({ loss: undefined, head: EVENTS });
  });
});

describe('a store that lacks acknowledged events takes nothing', () => {
  test.each([
    ['a bit in the middle of its write-ahead log is flipped', () => flip(wal(), 100_000)],
    ['the header of its write-ahead log is damaged', () => flip(wal(), 20)],
    [
      'the last frame of its write-ahead log is damaged',
      async () => flip(wal(), (await stat(wal())).size - 9),
    ],
    ['its write-ahead log is cut', async () => truncate(wal(), (await stat(wal())).size - 4_120)],
    ['its write-ahead log is gone', () => rm(wal())],
    ['its file is gone', () => rm(file)],
    ['its file and its write-ahead log are gone', () => Promise.all([rm(file), rm(wal())])],
  ])('if %s', async (_, damage) => {
    await damage();
    const { loss, head } = await start();
    expect(loss).toContain(file);
    expect(head).toBeLessThan(EVENTS);
  });

  test.each([
    ['a bit in the middle of its write-ahead log is flipped', () => flip(wal(), 100_000)],
    ['the header of its write-ahead log is damaged', () => flip(wal(), 20)],
    ['it was copied without its write-ahead log', () => rm(wal())],
  ])('without a witness too, if %s', async (_, damage) => {
    await rm(witness());
    await damage();
    expect((await start()).loss).toContain('-wal');
  });

  test('if its file alone was copied while the store was used, at any age', async () => {
    const used = join(folder, 'used2', 'ledger.db');
    const store = await SqliteStore.open(used);
    const copy = async (name: string) => {
      await copyFile(used, join(folder, name));
      return (await start(join(folder, name))).loss;
    };
    await store.append('s', [anEvent()], 'absent');
    expect(await copy('young.db')).toContain('without its write-ahead log');
    for (let i = 0; i < 6; i++)
      await store.append(`t${i}`, [anEvent({ text: 'x'.repeat(900_000) })], 'absent');
    await store.append('s', [anEvent()], 0);
    expect(await copy('older.db')).toContain('without its write-ahead log');
    await store.close();
    expect(await copy('closed.db')).toBeUndefined();
  });

  test('if an event that no checkpoint has signed was changed', async () => {
    await (await SqliteStore.open(file)).close();
    const db = new DatabaseSync(file);
    db.exec(`UPDATE log SET data = '{"text":"y"}' WHERE position = 40`);
    db.close();
    expect((await start()).loss).toContain('are not what was acknowledged');
  });

  test('if any of many events with any characters was changed, before or after the last checkpoint', async () => {
    const used = join(folder, 'used5', 'ledger.db');
    const store = await SqliteStore.open(used);
    const append = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, (_, i) =>
          store.append(`stream-${from + i}`, [anEvent({ text: 'ü€😀\u0000\ud800"\\' })], 'absent'),
        ),
      );
    await append(0, 300);
    store.signed(200);
    await append(300, 600);
    await cp(join(folder, 'used5'), join(folder, 'killed5'), { recursive: true });
    await store.close();
    const killed = join(folder, 'killed5', 'ledger.db');
    for (const position of [1, 300, 301, 600]) {
      const damaged = join(folder, `damaged-${position}`);
      await cp(join(folder, 'killed5'), damaged, { recursive: true });
      const path = join(damaged, 'ledger.db');
      const db = new DatabaseSync(path);
      db.exec(`UPDATE log SET data = replace(data, '€', '$') WHERE position = ${position}`);
      db.close();
      const range = position <= 300 ? '1 to 300' : '301 to 600';
      expect(await start(path)).toEqual({
        loss: expect.stringContaining(`events ${range} of the log are not what was acknowledged`),
        head: 600,
      });
    }
    expect(await start(killed)).toEqual({ loss: undefined, head: 600 });
    expect(await start(killed)).toEqual({ loss: undefined, head: 601 });
  });

  test('is not changed if it lacks acknowledged events', async () => {
    await flip(wal(), 100_000);
    const before = await Promise.all([file, wal(), witness()].map((path) => readFile(path)));
    await start();
    expect(await Promise.all([file, wal(), witness()].map((path) => readFile(path)))).toEqual(before);
  });

  test('takes events again once it is opened by somebody who accepts the loss; the damaged write-ahead log is kept', async () => {
    await flip(wal(), 100_000);
    const damaged = await readFile(wal());
    const store = await SqliteStore.open(file, { acceptLoss: true });
    const head = await store.head();
    expect(head).toBeGreaterThan(0);
    await store.append('after', [anEvent()], 'absent');
    await store.close();
    expect(await readFile(`${wal()}.damaged-1`)).toEqual(damaged);
    expect(await start()).toEqual({ loss: undefined, head: head + 1 });
  });
});

test('copies that SQLite makes of a store in use are complete', async () => {
  const used = join(folder, 'used3', 'ledger.db');
  const store = await SqliteStore.open(used);
  await store.append('s', [anEvent()], 'absent');
  const db = new DatabaseSync(used);
  const copy = join(folder, 'copy.db');
  db.exec(`VACUUM INTO '${copy}'`);
  db.close();
  await store.append('s', [anEvent()], 0);
  await store.close();
  expect(await start(copy)).toEqual({ loss: undefined, head: 1 });
});

test('the frames of a write-ahead log are those that SQLite reads, after any number of checkpoints', async () => {
  const path = join(folder, 'used4', 'ledger.db');
  const store = await SqliteStore.open(path);
  for (let i = 0; i < 40; i++) {
    await store.append(`t${i}`, [anEvent({ text: 'x'.repeat(300_000) })], 'absent');
    // Acknowledged after a checkpoint that the event before made due.
    await store.append('s', [anEvent()], i === 0 ? 'absent' : i - 1);
    const state = examineWal(`${path}-wal`);
    expect(state).toMatchObject({ damage: undefined, hasBadHeader: false });
    await copyFile(path, join(folder, 'c.db'));
    await copyFile(`${path}-wal`, join(folder, 'c.db-wal'));
    await rm(join(folder, 'c.db-shm'), { force: true });
    const copy = new DatabaseSync(join(folder, 'c.db'), { readOnly: true });
    expect(copy.prepare('SELECT max(position) AS head FROM log').get()).toMatchObject({ head: 2 * i + 2 });
    copy.close();
  }
  expect(await readLog(store)).toHaveLength(80);
  await store.close();
});
