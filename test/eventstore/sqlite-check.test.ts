import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { checkLog } from '../../src/eventstore/sqlite/check-log.ts';
import { type SqliteOptions, SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { LogBehind, StoreClosed, StoreFailed } from '../../src/eventstore/store-errors.ts';
import { anEvent, collect, idsOf, readLog } from '../support/store-events.ts';

const OF_LONG_CLUSTER = 2_000;
const OTHERS = 50;
const KEYS = 3;
const HEAD = OF_LONG_CLUSTER + OTHERS + KEYS;

let folder: string;
let original: string;
let file: string;
/** Ids of the events of the long cluster. */
const long: string[] = [];
/** Ids of the events of the stream `access`. */
const keys: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-check-'));
  original = join(folder, 'original.db');
  const store = await SqliteStore.open(original);
  const append = async (stream: string, ids: string[], count: number) => {
    const events = Array.from({ length: count }, () => anEvent());
    await store.append(stream, events, ids.length === 0 ? 'absent' : ids.length - 1);
    ids.push(...idsOf(events));
  };
  await append('access', keys, 1);
  for (let i = 0; i < OTHERS; i++) await append(`cluster-${i}`, [], 1);
  while (long.length < OF_LONG_CLUSTER) await append('cluster-long', long, 500);
  await append('access', keys, KEYS - 1);
  await store.append('~state', [anEvent()], 'absent');
  await store.close();
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(async ({ task }) => {
  file = join(folder, `${task.id}.db`);
  await copyFile(original, file);
});

async function open(options: SqliteOptions = {}): Promise<SqliteStore> {
  const store = await SqliteStore.open(file, { readableUncheckedFrom: 1, ...options });
  onTestFinished(() => store.close());
  return store;
}

function change(sql: string): void {
  const db = new DatabaseSync(file);
  db.enableDefensive(false);
  db.exec(sql);
  db.close();
}

describe('a store whose log is checked after it was opened', () => {
  test('says how many events are being checked, and no more once they are', async () => {
    const store = await open();
    expect(store.health()).toMatchObject({ reachable: true, unchecked: HEAD });
    await store.append('cluster-new', [anEvent()], 'absent');
    expect(store.health()).toEqual({ reachable: true, unreachableSince: undefined, detail: undefined });
  });

  test('reads the log, state, and all streams but those of clusters at once', async () => {
    const store = await open();
    const appended = store.append('access', [anEvent()], KEYS - 1);
    expect(await store.head()).toBe(HEAD);
    expect(idsOf(await collect(store.readStream('access')))).toEqual(keys);
    const backwards = { direction: 'backwards', limit: 1 } as const;
    expect(idsOf(await collect(store.readStream('access', backwards)))).toEqual(keys.slice(-1));
    expect(await collect(store.readStream('access', { from: KEYS }))).toEqual([]);
    expect(await collect(store.readStream('period-2026-04'))).toEqual([]);
    expect(await collect(store.readStream('~state'))).toHaveLength(1);
    expect(idsOf(await readLog(store, HEAD - 2))).toEqual(keys.slice(1));
    expect(await appended).toBe(KEYS);
    expect(await collect(store.readStream('access'))).toHaveLength(KEYS + 1);
  });

  test('answers a read of the stream of a cluster with all its events, in both directions', async () => {
    const store = await open();
    const reads = [
      collect(store.readStream('cluster-long', { from: 1_500, limit: 300 })),
      collect(store.readStream('cluster-long', { direction: 'backwards', from: 700, limit: 300 })),
      collect(store.readStream('cluster-7')),
      collect(store.readStream('cluster-unknown')),
    ];
    const [forwards = [], backwards = [], short, unknown] = await Promise.all(reads);
    expect(idsOf(forwards)).toEqual(long.slice(1_500, 1_800));
    expect(idsOf(backwards)).toEqual(long.slice(401, 701).reverse());
    expect(short).toHaveLength(1);
    expect(unknown).toEqual([]);
  });

  test('writes what was appended meanwhile, in the order of the calls', async () => {
    const store = await open();
    const events = Array.from({ length: 5 }, (_, n) => anEvent({ n }));
    const [first, second, third, fourth, fifth] = events.map((event) => [event]);
    const results = await Promise.all([
      store.append('cluster-long', first ?? [], OF_LONG_CLUSTER - 1),
      store.append('cluster-long', second ?? [], OF_LONG_CLUSTER),
      store.appendAll([
        { stream: 'cluster-new', events: third ?? [], expected: 'absent' },
        { stream: 'cluster-7', events: [anEvent()], expected: 'absent' },
        { stream: 'cluster-7', events: fourth ?? [], expected: 0 },
      ]),
      store.append('~state', [anEvent()], 0),
      store.keepLast('~state', 1),
      store.append('cluster-long', fifth ?? [], OF_LONG_CLUSTER + 1),
    ]);
    expect(results).toMatchObject([
      OF_LONG_CLUSTER,
      OF_LONG_CLUSTER + 1,
      [
        { status: 'fulfilled', value: 0 },
        { status: 'rejected', reason: { name: 'VersionConflict' } },
        { status: 'fulfilled', value: 1 },
      ],
      1,
      undefined,
      OF_LONG_CLUSTER + 2,
    ]);
    expect(idsOf(await readLog(store, HEAD))).toEqual(idsOf(events));
    expect((await collect(store.readStream('~state'))).map(({ revision }) => revision)).toEqual([1]);
    await store.close();
    await (await SqliteStore.open(file)).close();
  });

  test('can be closed before the check ends: what waits is rejected, and nothing was written', async () => {
    const store = await open();
    const waiting = [
      store.append('cluster-7', [anEvent()], 0),
      collect(store.readStream('cluster-7')),
      store.keepLast('~state', 1),
    ];
    const all = store.appendAll([{ stream: 'cluster-8', events: [anEvent()], expected: 0 }]);
    const closed = store.close();
    for (const result of await Promise.allSettled(waiting))
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(StoreClosed) });
    expect(await all).toMatchObject([{ status: 'rejected', reason: expect.any(StoreClosed) }]);
    await closed;
    await expect(store.append('cluster-7', [anEvent()], 0)).rejects.toThrow(StoreClosed);
    const reopened = await open({ readableUncheckedFrom: Number.POSITIVE_INFINITY });
    expect(await reopened.head()).toBe(HEAD);
  });

  test.each([
    ['an event is missing', 'DELETE FROM log WHERE position = 300', 'event 301 (cluster-long 249)'],
    ['a revision is duplicated', 'UPDATE log SET revision = 0 WHERE position = 300', 'event 300'],
    [
      'an event was moved to another stream',
      "UPDATE log SET stream = 'cluster-7' WHERE position = 300",
      '300',
    ],
    [
      'a reference is wrong',
      'UPDATE log SET previous = 2 WHERE position = 300',
      'event 300 (cluster-long 248)',
    ],
  ])('fails, and writes nothing, if %s', async (_, sql, where) => {
    change(sql);
    const before = await readFile(file);
    const failed = Promise.withResolvers<StoreFailed>();
    const store = await open({ onFailed: failed.resolve });
    const calls = [
      store.append('cluster-7', [anEvent()], 0),
      store.append('access', [anEvent()], KEYS - 1),
      collect(store.readStream('cluster-7')),
    ];
    for (const result of await Promise.allSettled(calls))
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(StoreFailed) });
    const { message } = await failed.promise;
    expect(message).toContain('the log is damaged: event');
    expect(message).toContain(where);
    expect(store.health()).toMatchObject({ reachable: false, detail: expect.stringContaining(message) });
    await expect(collect(store.readStream('cluster-7'))).rejects.toThrow(StoreFailed);
    await expect(store.append('cluster-7', [anEvent()], 0)).rejects.toThrow(StoreFailed);
    await store.close();
    expect((await readFile(file)).equals(before)).toBe(true);
  });

  test('fails with what to do if its index lacks an event', async () => {
    change(`
      DROP INDEX few_streams;
      CREATE INDEX few_streams ON log (stream) WHERE stream NOT GLOB 'cluster-*' AND position <> 1;
      PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = replace(sql, ' AND position <> 1', '') WHERE name = 'few_streams';`);
    const failed = Promise.withResolvers<StoreFailed>();
    const damaged = await open({ onFailed: failed.resolve });
    expect((await failed.promise).message).toMatch(
      /the index few_streams does not have .* REINDEX few_streams/,
    );
    await damaged.close();
    change('REINDEX few_streams');
    const store = await open();
    expect(await store.append('access', [anEvent()], KEYS - 1)).toBe(KEYS);
  });

  test('is read-only, with all its streams, if it lacks acknowledged events', async () => {
    const store = await open();
    await store.append('cluster-7', [anEvent()], 0);
    await store.close();
    await copyFile(original, file);
    const behind = await open();
    expect(behind.loss).toMatchObject({ intactThrough: HEAD });
    expect(behind.health()).not.toHaveProperty('unchecked');
    expect(await collect(behind.readStream('cluster-7'))).toHaveLength(1);
    await expect(behind.append('cluster-7', [anEvent()], 0)).rejects.toThrow(LogBehind);
  });
});

test('a log to which another program adds events before it is checked is refused', () => {
  expect(() => checkLog(file, HEAD - 1)).toThrow(
    new StoreFailed(`another program has written to ${file}: it had ${HEAD - 1} events, and now ${HEAD}`),
  );
});

test('a log of a former release, which has no index, is checked before it is opened, and gets the index', async () => {
  change('DROP INDEX few_streams');
  const former = await open();
  expect(former.health()).not.toHaveProperty('unchecked');
  expect(idsOf(await collect(former.readStream('access')))).toEqual(keys);
  await former.close();
  const store = await open();
  expect(store.health()).toMatchObject({ unchecked: HEAD });
  expect(await store.append('access', [anEvent()], KEYS - 1)).toBe(KEYS);
});

test('a log that is shorter than asked for is checked before it is opened', async () => {
  const short = await open({ readableUncheckedFrom: HEAD + 1 });
  expect(short.health()).not.toHaveProperty('unchecked');
  await short.close();
  const long = await open({ readableUncheckedFrom: HEAD });
  expect(long.health()).toMatchObject({ unchecked: HEAD });
});
