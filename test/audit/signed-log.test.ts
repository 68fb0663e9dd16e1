import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { parseCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { LogKeys } from '../../src/audit/log-keys.ts';
import { openNote } from '../../src/audit/note.ts';
import { hexOf } from '../../src/audit/note-key.ts';
import { LogTampered, SignedLog } from '../../src/audit/signed-log.ts';
import { verifyConsistency } from '../../src/audit/verify-proof.ts';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import type { EventStore, Expected, NewEvent, StoreHealth } from '../../src/eventstore/event-store.ts';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { WrappedStore } from '../../src/eventstore/wrapped-store.ts';
import { alterStoreFile } from '../support/alter-file.ts';
import { anEvent, collect } from '../support/store-events.ts';
import { PATIENT } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { eventsFor } from './leaves.ts';

const silent = pino({ level: 'silent' });
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const CHECKPOINTS = '~log-checkpoints';
let closing: (() => Promise<void>)[] = [];
let now = 1_700_000_000_000;
let openStore: () => Promise<EventStore>;

/** Says that the store cannot be reached, as a store does after a failed append until another one succeeds. */
class AfterFailedAppend extends WrappedStore {
  override health(): StoreHealth {
    return { reachable: false, unreachableSince: now, detail: 'an append was not acknowledged' };
  }
}

class FailingAppends extends WrappedStore {
  isFailing = false;

  override append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    if (this.isFailing) return Promise.reject(new StoreUnavailable('the append was not acknowledged'));
    return super.append(stream, events, expected);
  }
}

interface Given {
  /** Receives the warnings that are logged. */
  readonly warnings?: object[];
  readonly keys?: LogKeys;
  readonly acceptKey?: string;
  readonly origin?: string;
  readonly treeMinHeightInMemory?: number;
}

/** Starts a signed log; `found` collects the tampering that it reports. */
async function started(store: EventStore, { keys = LogKeys.generate('k'), warnings, ...given }: Given = {}) {
  const found: string[] = [];
  const log = new SignedLog(store, {
    ...given,
    keys: async () => keys,
    now: () => now,
    log: warnings === undefined ? silent : { ...quiet, warn: (details) => warnings.push(details) },
    onTampered: (why) => found.push(why),
  });
  closing.push(() => log.stop());
  await log.start();
  return Object.assign(log, { found });
}

const checkpointsIn = async (log: SignedLog) => collect(log.kept());
const grow = (store: EventStore, stream: string, count: number) =>
  store.append(stream, eventsFor(count), 'absent');

beforeEach(() => {
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function sqliteFile(): Promise<() => Promise<EventStore>> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-signed-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const store = await SqliteStore.open(join(folder, 'ledger.db'));
  closing.push(() => store.close());
  return async () => store;
}

/** Opens the store of another replica at every call. */
async function doubleNamespace(): Promise<() => Promise<EventStore>> {
  const options = { namespace: `signed-${randomUUID()}`, now: Date.now, log: silent, timings: PATIENT };
  return async () => {
    const store = new EsdbStore(inject('doubleUrl'), options);
    closing.push(() => store.close());
    return store;
  };
}

describe.each([
  ['SQLite', sqliteFile],
  ['a double of EventStoreDB', doubleNamespace],
])('the signed log on %s', (_, place) => {
  beforeEach(async () => {
    openStore = await place();
  });

  test('signs the tree of the log and stores each checkpoint once', async () => {
    const store = await openStore();
    const keys = LogKeys.generate('k');
    const log = await started(store, { keys });
    await grow(store, 'cluster-a', 3);
    const first = await log.checkpoint(3);
    expect(await log.checkpoint(2)).toEqual(first);
    expect(await log.checkpoint()).toEqual(first);
    await store.append('cluster-b', [anEvent()], 'absent');
    now += 1_000;
    const second = await log.checkpoint(4);
    const kept = await checkpointsIn(log);
    expect(kept.map(({ size, signedAt }) => [size, signedAt])).toEqual([
      [0, now - 1_000],
      [3, now - 1_000],
      [4, now],
    ]);
    expect(kept.slice(1)).toEqual([first, second]);
    for (const { note, size, root } of kept) {
      const { text } = openNote(note, keys.verifiers);
      expect(parseCheckpoint(text)).toEqual({ origin: log.origin, size, root });
      expect(await log.tree.agreesWith({ size, root })).toBe(true);
    }
    const proof = await log.tree.consistencyProof(3, 4);
    expect(verifyConsistency(proof, 3, 4, first.root, second.root)).toBe(true);
  });

  test('has the id of its ledger as origin, the same for all replicas and starts, unless an origin is set', async () => {
    const keys = LogKeys.generate('k');
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore()));
    const logs = await Promise.all(stores.map((store) => started(store, { keys })));
    expect(new Set(logs.map(({ origin }) => origin)).size).toBe(1);
    expect(logs[0]?.origin).toMatch(/^cluster-ledger\.local\/[0-9a-f-]{36}$/);
    const log = logs[0] as SignedLog;
    expect(await checkpointsIn(log)).toHaveLength(1);
    const named = await started(await openStore(), { keys, origin: 'ledger.example/main' });
    await named.checkpoint();
    expect((await checkpointsIn(named)).map(({ note }) => note.split('\n')[0])).toEqual([
      log.origin,
      'ledger.example/main',
    ]);
  });

  test('is signed by several replicas without decreasing sizes', async () => {
    const keys = LogKeys.generate('k');
    const stores = await Promise.all(Array.from({ length: 3 }, () => openStore()));
    const logs = await Promise.all(stores.map((store) => started(store, { keys })));
    const [store] = stores as [EventStore];
    for (let round = 0; round < 10; round++) {
      await grow(store, `cluster-${round}`, 7);
      const signed = await Promise.all(logs.map((log) => log.checkpoint(7 * (round + 1))));
      for (const { size } of signed) expect(size).toBeGreaterThanOrEqual(7 * (round + 1));
    }
    const kept = await checkpointsIn(logs[0] as SignedLog);
    const sizes = kept.map(({ size }) => size);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(new Set(sizes).size).toBe(sizes.length);
    expect(sizes.at(-1)).toBe(70);
  });

  test('does not start if none of its keys has signed the newest checkpoint, and says what to do', async () => {
    const keys = LogKeys.generate('ledger.example/one');
    const log = await started(await openStore(), { keys });
    await log.stop();
    const other = LogKeys.generate('ledger.example/two');
    const why = await started(await openStore(), { keys: other }).catch((error: Error) => error.message);
    expect(why).toContain('no key of this ledger has signed the newest checkpoint');
    expect(why).toContain(`ledger.example/one+${hexOf(keys.current.keyId)}`);
    expect(why).toContain(`set audit.acceptKey to ${hexOf(other.current.keyId)}`);
  });

  test('continues with a new key once the operator has accepted it, and needs no further setting then', async () => {
    const store = await openStore();
    const lost = await started(store);
    await grow(store, 'cluster-a', 5);
    const before = await lost.checkpoint(5);
    await lost.stop();
    const keys = LogKeys.generate('new');
    const acceptKey = hexOf(keys.current.keyId);
    const wrong = { keys, acceptKey: '00000000' };
    await expect(started(await openStore(), wrong)).rejects.toThrow('set audit.acceptKey to');
    const accepted = await started(await openStore(), { keys, acceptKey });
    await until(async () => (await checkpointsIn(accepted)).length === 3);
    const after = (await checkpointsIn(accepted)).at(-1);
    expect([after?.size, after?.root]).toEqual([5, before.root]);
    await accepted.stop();
    expect((await started(await openStore(), { keys })).found).toEqual([]);
  });

  test('is signed by the old and the new key during a rotation', async () => {
    const store = await openStore();
    const first = LogKeys.generate('k');
    const both = first.rotated();
    const signersOf = (note: string) => openNote(note, both.verifiers).signedBy.map(String);
    const log = await started(store, { keys: first });
    await grow(store, 'cluster-a', 5);
    await log.checkpoint(5);
    await log.stop();

    const rotating = await started(await openStore(), { keys: both });
    await until(() => signersOf(rotating.newest()?.note ?? '').length === 2);
    expect(rotating.newest()?.size).toBe(5);
    expect(openNote(rotating.sign('a seal\n'), first.verifiers).text).toBe('a seal\n');
    await rotating.stop();

    const after = await started(await openStore(), { keys: both.retired() });
    expect(after.verifiers().map(String)).toEqual(both.verifiers.map(String));
    await store.append('cluster-b', [anEvent()], 'absent');
    const { note } = await after.checkpoint(6);
    expect(signersOf(note)).toEqual([String(both.current)]);
    for (const kept of await checkpointsIn(after)) expect(signersOf(kept.note)).not.toEqual([]);
  });

  test('keeps the origin of its first checkpoint', async () => {
    const keys = LogKeys.generate('k');
    const store = await openStore();
    const log = await started(store, { keys, origin: 'ledger.example/one' });
    await grow(store, 'cluster-a', 1);
    await log.checkpoint(1);
    await expect(started(await openStore(), { keys, origin: 'ledger.example/two' })).rejects.toThrow(
      'this log is ledger.example/one',
    );
  });

  test('signs the end of the log when it stops', async () => {
    const store = await openStore();
    const log = await started(store);
    await grow(store, 'cluster-a', 4);
    await log.waitUntilReady(60_000, 4);
    await log.stop();
    expect((await checkpointsIn(log)).at(-1)?.size).toBe(4);
  });

  test('signs the end of the log when it stops, also if an append failed shortly before', async () => {
    const store = await openStore();
    const log = await started(new AfterFailedAppend(store));
    await log.waitUntilReady(60_000);
    await grow(store, 'cluster-a', 4);
    await log.stop();
    expect((await checkpointsIn(log)).at(-1)?.size).toBe(4);
  });

  test('says how many events stay unsigned if it cannot sign when it stops', async () => {
    const store = new FailingAppends(await openStore());
    const lines: object[] = [];
    const log = await started(store, { warnings: lines });
    await grow(store, 'cluster-a', 4);
    await log.waitUntilReady(60_000, 4);
    store.isFailing = true;
    await log.stop();
    expect(lines).toMatchObject([{ signed: 0, unsigned: 4 }]);
  });

  test.each([
    ['a size that the log does not have', 9],
    ['the size of the log and another root', 3],
  ])('reports tampering if its newest checkpoint has %s', async (_, size) => {
    const store = await openStore();
    const keys = LogKeys.generate('k');
    const log = await started(store, { keys });
    await grow(store, 'cluster-a', 3);
    await log.tree.waitForSize(3);
    const note = log.sign(`${log.origin}\n${size}\n${Buffer.alloc(32, 7).toString('base64')}\n`);
    await store.append(CHECKPOINTS, [anEvent({ note })], 0);
    const other = await started(await openStore(), { keys });
    await until(() => other.tampered !== undefined);
    await expect(other.checkpoint()).rejects.toThrow(LogTampered);
    expect(other.found).toHaveLength(1);
    expect(await other.waitUntilReady(10)).toBe(false);
    if (size > 3) return;
    // A running replica detects it too, at its next refresh.
    await expect(log.refresh()).rejects.toThrow(LogTampered);
    expect(log.found).toHaveLength(1);
  });

  test.each([
    ['is not a note', () => 'hello'],
    ['has lost a character', (note: string) => note.slice(0, -2)],
    ['names another size', (note: string) => note.replace('\n0\n', '\n1\n')],
  ])('reports tampering if its newest checkpoint %s', async (_, alter) => {
    const keys = LogKeys.generate('k');
    const store = await openStore();
    const log = await started(store, { keys });
    const note = alter(log.newest()?.note ?? '');
    await store.append(CHECKPOINTS, [anEvent({ note })], 0);
    const other = await started(await openStore(), { keys });
    expect(other.found).toEqual([expect.stringContaining('the newest stored checkpoint is damaged')]);
    await expect(other.checkpoint()).rejects.toThrow(LogTampered);
  });
});

test('a signed log is not identified while its store is unreachable, and continues once it is reachable', async () => {
  const store = await (await sqliteFile())();
  let isReachable = false;
  const unreachable = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'readStream' || isReachable) return value.bind(target);
      return () => {
        throw new StoreUnavailable('out of reach');
      };
    },
  });
  await grow(store, 'cluster-a', 3);
  const log = await started(unreachable);
  expect(log.isIdentified).toBe(false);
  expect(() => log.origin).toThrow('has not started');
  expect(() => log.verifiers()).toThrow('has not started');
  expect(log.newest()).toBeUndefined();
  expect(await log.waitUntilReady(10)).toBe(false);
  isReachable = true;
  expect(await log.waitUntilReady(60_000, 3)).toBe(true);
  expect((await log.checkpoint()).size).toBe(3);
});

test('tampering with the log of a running ledger is detected by the next proof that reads it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-signed-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'ledger.db');
  const filled = await SqliteStore.open(file);
  await grow(filled, 'cluster-a', 300);
  await filled.close();
  const store = await SqliteStore.open(file);
  closing.push(() => store.close());
  const log = await started(store, { treeMinHeightInMemory: 8 });
  expect(await log.waitUntilReady(60_000, 300)).toBe(true);
  alterStoreFile(file, '"n":17,', '"n":18,');
  await store.append('~other', [anEvent()], 'absent');
  await expect(log.tree.inclusionProof(17)).rejects.toThrow('have changed');
  expect(log.tampered?.why).toBe('leaves 0 to 255 have changed');
  await expect(log.checkpoint()).rejects.toThrow(LogTampered);
  expect(await log.waitUntilReady(0)).toBe(false);
});

test('a log with an event that cannot be a leaf is reported as tampered with', async () => {
  const store = await (await sqliteFile())();
  const log = await started(store);
  await log.waitUntilReady(60_000);
  await store.append('cluster-a', [anEvent(), anEvent({ text: 'x'.repeat(65_535) })], 'absent');
  await until(() => log.tampered !== undefined);
  expect(log.found).toEqual([expect.stringMatching(/^event .* a leaf has at most 65535$/)]);
});
