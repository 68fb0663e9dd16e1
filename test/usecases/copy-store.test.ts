import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import type { EventStore, NewEvent } from '../../src/eventstore/event-store.ts';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { WrappedStore } from '../../src/eventstore/wrapped-store.ts';
import { copyStore } from '../../src/usecases/copy-store.ts';
import { startDouble } from '../eventstoredb/double.ts';
import { anEvent, collect, readLog } from '../support/store-events.ts';
import { double, PATIENT, sqlite, stores } from '../support/stores.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** One append to a stream: the number of the stream, and the contents of its events. */
const appends = fc.array(
  fc.record({
    stream: fc.nat(5),
    contents: fc.array(
      fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
  { maxLength: 25 },
);

async function sqliteStore(): Promise<EventStore> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-copy-'));
  const store = await SqliteStore.open(join(folder, 'ledger.db'));
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}

function esdbStore(connection: string): EventStore {
  const namespace = `copy${randomBytes(6).toString('hex')}`;
  const store = new EsdbStore(connection, { namespace, now: Date.now, log, timings: PATIENT });
  onTestFinished(() => store.close());
  return store;
}

/** Appends events to streams of the log, `s0` and so on, and to two state streams. */
async function fill(store: EventStore, given: { stream: number; contents: object[] }[]): Promise<void> {
  const next = new Map<string, number>();
  const append = async (stream: string, events: NewEvent[]) => {
    const revision = next.get(stream);
    next.set(stream, await store.append(stream, events, revision ?? 'absent'));
  };
  await append('~ledger', [anEvent({ ledgerId: randomBytes(4).toString('hex') })]);
  for (const [i, { stream, contents }] of given.entries()) {
    const recordedAt = 1_700_000_000_000 + i;
    const events = contents.map((data) => anEvent(data as NewEvent['data'], { recordedAt, metadata: { i } }));
    await append(`s${stream}`, events);
    if (i % 7 === 0) await append('~consumer-x', [anEvent({ i })]);
  }
}

const withoutJson = ({ id, stream, revision, position, type, data, metadata, recordedAt }: LogLine) => ({
  id,
  stream,
  revision,
  position,
  type,
  data,
  metadata,
  recordedAt,
});
type LogLine = Awaited<ReturnType<typeof readLog>>[number];

const logOf = async (store: EventStore) => (await readLog(store)).map(withoutJson);
const state = async (store: EventStore, stream: string) =>
  (await collect(store.readStream(stream))).map(({ id, data, recordedAt }) => ({ id, data, recordedAt }));

/** A store to which a process makes `count` appends before it is gone. */
class Interrupted extends WrappedStore {
  #left: number;

  constructor(store: EventStore, count: number) {
    super(store);
    this.#left = count;
  }

  override append(stream: string, events: readonly NewEvent[], expected: number | 'absent') {
    if (this.#left-- <= 0) return Promise.reject(new Error('the process is gone'));
    return super.append(stream, events, expected);
  }
}

describe.each(stores.filter((store) => store !== sqlite))('a ledger copied to $name', (store) => {
  let { connection } = store;

  beforeAll(async () => {
    if (store !== double) return;
    // A copy reads the whole log of the server again and again: not that of the double to which all suites write.
    const own = await startDouble();
    connection = own.url;
    return () => own.close();
  });

  test('has, copied back, the same events, times, revisions, positions, state and root hash, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(appends, async (given) => {
        const [source, back] = await Promise.all([sqliteStore(), sqliteStore()]);
        const server = esdbStore(connection);
        await fill(source, given);
        const there = await copyStore(source, server);
        const again = await copyStore(server, back);
        const expected = await logOf(source);
        expect(await logOf(server)).toEqual(expected);
        expect(await logOf(back)).toEqual(expected);
        expect(there).toMatchObject({ size: expected.length, found: 0 });
        expect(again.root).toBe(there.root);
        for (const stream of await source.stateStreams())
          expect(await state(back, stream)).toEqual(await state(source, stream));
      }),
      { numRuns: 4 },
    );
  });

  test('is completed, if it was interrupted after any append, by the next attempt, and nothing is there twice', async () => {
    const source = await sqliteStore();
    await fill(
      source,
      Array.from({ length: 30 }, (_, i) => ({ stream: i % 4, contents: [{ i }] })),
    );
    const expected = await logOf(source);
    const server = esdbStore(connection);
    for (let count = 3; ; count += 4) {
      const copied = await copyStore(source, new Interrupted(server, count)).catch((error: Error) => error);
      if (!(copied instanceof Error)) break;
      expect(copied.message).toBe('the process is gone');
    }
    expect(await logOf(server)).toEqual(expected);
    expect(await copyStore(source, server)).toMatchObject({ found: expected.length });
  });

  test('is refused if the target has other events, and nothing is written', async () => {
    const [source, server] = [await sqliteStore(), esdbStore(connection)];
    await fill(source, [{ stream: 1, contents: [{ a: 1 }] }]);
    await server.append('s1', [anEvent({ b: 2 })], 'absent');
    const before = await logOf(server);
    await expect(copyStore(source, server)).rejects.toThrow(/event 1 of the target .* is not event 1/);
    expect(await logOf(server)).toEqual(before);
  });

  test('is refused if the target is another ledger, or has events that the source lacks', async () => {
    const [source, other, server] = [await sqliteStore(), await sqliteStore(), esdbStore(connection)];
    await fill(source, [{ stream: 1, contents: [{ a: 1 }] }]);
    await fill(other, [{ stream: 1, contents: [{ a: 1 }] }]);
    await copyStore(source, server);
    await expect(copyStore(other, server)).rejects.toThrow('the target holds another ledger');
    await server.append('s2', [anEvent()], 'absent');
    await expect(copyStore(source, server)).rejects.toThrow(/more events than the 1 of the source/);
  });
});

/** A store that does not answer every ninth append, and writes only some of those. */
class Unsteady extends WrappedStore {
  failures = 0;
  #appends = 0;

  override async append(stream: string, events: readonly NewEvent[], expected: number | 'absent') {
    const isDue = !stream.startsWith('~') && ++this.#appends % 9 === 0;
    const appended = isDue && this.#appends % 2 === 0 ? undefined : super.append(stream, events, expected);
    if (!isDue) return (await appended) as number;
    await appended;
    this.failures++;
    throw new StoreUnavailable('no answer');
  }
}

test('an append without an answer does not end a copy, whether it was written or not', async () => {
  const [source, target] = [await sqliteStore(), await sqliteStore()];
  const given = Array.from({ length: 24 }, (_, i) => ({ stream: i % 3, contents: [{ i }] }));
  await fill(source, given);
  const unsteady = new Unsteady(target);
  const { size } = await copyStore(source, unsteady);
  expect(unsteady.failures).toBeGreaterThan(0);
  expect(size).toBe(24);
  expect(await logOf(target)).toEqual(await logOf(source));
});
