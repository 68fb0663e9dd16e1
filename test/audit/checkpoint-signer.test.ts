import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CheckpointFile } from '../../src/audit/checkpoint-file.ts';
import { formatCheckpoint, parseCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { LogKeyError, LogKeys } from '../../src/audit/log-keys.ts';
import { openNote, signNote } from '../../src/audit/note.ts';
import { hexOf } from '../../src/audit/note-key.ts';
import { LogTampered, SignedLog } from '../../src/audit/signed-log.ts';
import type { SignedLogOptions } from '../../src/audit/signed-log-options.ts';
import { LeavesChanged } from '../../src/audit/tree.ts';
import type { LogEvent } from '../../src/eventstore/event-store.ts';
import { StoreFailed, StoreFull, StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { anEvent, collect } from '../support/store-events.ts';
import { until } from '../support/until.ts';
import { eventsFor } from './leaves.ts';

const ORIGIN = 'ledger.example/log';
const NOW = 1_700_000_000_000;
const CHECKPOINTS = '~log-checkpoints';
const keys = LogKeys.generate(ORIGIN);

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});

type Given = Partial<SignedLogOptions> & { readonly own?: LogKeys };

/** A signed log that has not started, and what it reports. */
function signedLog(over: MemoryStore, { own = keys, ...given }: Given = {}) {
  const reported: { logged: unknown[]; alarms: string[]; behind: unknown[]; failed: unknown[] } = {
    logged: [],
    alarms: [],
    behind: [],
    failed: [],
  };
  const note = (level: string) => (details: object, message: string) =>
    void reported.logged.push([level, details, message]);
  const log = new SignedLog(over, {
    origin: ORIGIN,
    keys: async () => own,
    now: () => NOW,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    onTampered: (why) => reported.alarms.push(why),
    onBehind: (loss) => reported.behind.push(loss),
    onFailed: (error) => reported.failed.push(error),
    ...given,
  });
  onTestFinished(() => log.stop());
  return Object.assign(log, reported);
}

async function started(over: MemoryStore = store, given: Given = {}) {
  const log = signedLog(over, given);
  await log.start();
  return log;
}

/** A signed log that has read and checked the log of its store. */
async function ready(over: MemoryStore = store, given: Given = {}) {
  const log = await started(over, given);
  expect(await log.waitUntilReady(60_000, over.log.events.length)).toBe(true);
  return log;
}

const replica = ({ log }: MemoryStore = store) => new MemoryStore({ log, isSoleWriter: false });
const grow = (count: number, stream = 'cluster-a') => store.append(stream, eventsFor(count), 'absent');
const textOf = (note: string) => openNote(note, keys.verifiers).text;
const kept = async (log: SignedLog) => (await collect(log.kept())).map(({ size }) => size);
const stateOf = ({ isReady, isIdentified }: SignedLog) => ({ isReady, isIdentified });

/** Stores a checkpoint as newest one. */
const storeCheckpoint = (note: string, number: number) =>
  store.append(CHECKPOINTS, [anEvent({ note })], number === 0 ? 'absent' : number - 1);
const noteOf = (size: number, root: Uint8Array, own = keys) =>
  signNote(formatCheckpoint({ origin: ORIGIN, size, root }), own.signers);
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const wrongRoot = Buffer.alloc(32, 7);

describe('a signed log', () => {
  test('has no name, no keys and no checkpoint before it starts', () => {
    const log = signedLog(store);
    expect(stateOf(log)).toEqual({ isReady: false, isIdentified: false });
    expect([log.newest(), log.tampered, log.filedSize]).toEqual([undefined, undefined, undefined]);
    const error = 'the signed log has not started yet';
    expect(() => log.origin).toThrow(error);
    expect(() => log.verifiers()).toThrow(error);
    expect(() => log.sign('a text\n')).toThrow(error);
  });

  test('signs no events first, so that its name and its keys are known', async () => {
    const log = await ready();
    expect(stateOf(log)).toEqual({ isReady: true, isIdentified: true });
    expect([log.origin, log.verifiers()]).toEqual([ORIGIN, keys.verifiers]);
    const { note, ...newest } = log.newest() as NonNullable<ReturnType<typeof log.newest>>;
    const { size, root } = await log.tree.sizeAndRoot(0);
    expect(newest).toEqual({ origin: ORIGIN, size, root, signedAt: NOW, number: 0 });
    expect(parseCheckpoint(textOf(note))).toEqual({ origin: ORIGIN, size, root });
    expect([store.signedPositions, log.logged]).toEqual([[0], []]);
  });

  test('is named by the id of its ledger if it has no name', async () => {
    const log = await ready(store, { origin: undefined });
    const id = store.log.stream('~ledger')[0]?.data['ledgerId'];
    expect(log.origin).toBe(`cluster-ledger.local/${id}`);
  });

  test('asks for its keys by its name, once', async () => {
    const asked: string[] = [];
    const log = await ready(store, {
      keys: async (origin) => {
        asked.push(origin);
        return keys;
      },
    });
    await log.refresh();
    expect(asked).toEqual([ORIGIN]);
  });

  test('signs all events that it has, once, and notes it in the store', async () => {
    const log = await ready();
    await grow(3);
    const first = await log.checkpoint(2);
    expect(first.size).toBe(3);
    expect([await log.checkpoint(3), await log.checkpoint(), await log.checkpoint(0)]).toEqual([
      first,
      first,
      first,
    ]);
    expect(await kept(log)).toEqual([0, 3]);
    expect(store.signedPositions).toEqual([0, 3]);
    expect(await log.tree.agreesWith(first)).toBe(true);
    expect(textOf(log.sign('a seal\n'))).toBe('a seal\n');
  });

  test('is ready for a number of events once its tree has them', async () => {
    const log = await ready();
    expect([await log.waitUntilReady(60_000), await log.waitUntilReady(5, 1)]).toEqual([true, false]);
    const waiting = log.waitUntilReady(60_000, 2);
    await grow(2);
    expect(await waiting).toBe(true);
  });

  test('reads the log after what must come first', async () => {
    await grow(2);
    const log = signedLog(store);
    const { promise: first, resolve } = Promise.withResolvers<void>();
    await log.start(first);
    expect(await log.waitUntilReady(5)).toBe(false);
    expect(log.tree.size).toBe(0);
    resolve();
    expect(await log.waitUntilReady(60_000, 2)).toBe(true);
  });

  test('can be stopped before it has read the log, and signs nothing then', async () => {
    await grow(2);
    const log = signedLog(store);
    await log.start(new Promise(() => undefined));
    await log.stop();
    expect([log.tree.size, await kept(log), log.failed]).toEqual([0, [0], []]);
    expect(log.logged).toEqual([]);
  });

  test('signs its end when it stops', async () => {
    const log = await ready();
    await grow(4);
    await log.stop();
    expect(await kept(log)).toEqual([0, 4]);
    expect(log.logged).toEqual([]);
  });

  test('says when it stops how many events it could not sign, if there are any', async () => {
    const log = await ready();
    const error = new StoreFull('the disk is full');
    store.head = () => Promise.reject(error);
    await log.stop();
    expect(log.logged).toEqual([]);
    const other = new MemoryStore({ log: store.log });
    const later = await ready(other);
    await grow(4);
    await later.checkpoint(4);
    await grow(3, 'cluster-b');
    expect(await later.waitUntilReady(60_000, 7)).toBe(true);
    other.append = () => Promise.reject(error);
    await later.stop();
    expect(later.logged).toEqual([
      [
        'warn',
        { err: error, signed: 4, unsigned: 3 },
        'the last checkpoint was not signed; the newest events are signed after the next start',
      ],
    ]);
  });

  test('signs nothing while the store takes nothing, and does so afterwards', async () => {
    const log = await ready();
    const append = store.append.bind(store);
    await grow(1);
    store.append = () => Promise.reject(new StoreUnavailable('no answer'));
    await expect(log.checkpoint(1)).rejects.toThrow(new StoreUnavailable('no answer'));
    store.append = append;
    expect((await log.checkpoint(1)).size).toBe(1);
  });

  test('starts while its store cannot be reached, and continues once it can', async () => {
    const read = store.readStream.bind(store);
    store.readStream = () => {
      throw new StoreUnavailable('out of reach');
    };
    const log = await started();
    expect(stateOf(log)).toEqual({ isReady: false, isIdentified: false });
    store.readStream = read;
    expect(await log.waitUntilReady(60_000)).toBe(true);
    expect([log.isIdentified, log.failed]).toEqual([true, []]);
  });

  test('fails if its keys turn out to be wrong after its store could not be reached', async () => {
    const read = store.readStream.bind(store);
    store.readStream = () => {
      throw new StoreUnavailable('out of reach');
    };
    const wrong = new LogKeyError('no key');
    const log = await started(store, { keys: () => Promise.reject(wrong) });
    store.readStream = read;
    await expect(log.checkpoint()).rejects.toThrow(wrong);
    expect(await log.waitUntilReady(60_000)).toBe(false);
    expect(log.failed).toEqual([wrong]);
    expect(log.tampered).toBeUndefined();
  });

  test('does not start without its keys, or if its first checkpoint cannot be stored', async () => {
    const wrong = new LogKeyError('no key');
    await expect(started(store, { keys: () => Promise.reject(wrong) })).rejects.toThrow(wrong);
    const full = new StoreFull('the disk is full');
    const append = store.append.bind(store);
    store.append = (stream, ...rest) =>
      stream === CHECKPOINTS ? Promise.reject(full) : append(stream, ...rest);
    await expect(started()).rejects.toThrow(full);
  });

  test('fails once if the log cannot be followed any more', async () => {
    const error = new StoreFailed('another log');
    // biome-ignore lint/correctness/useYield: it fails at once
    store.follow = async function* () {
      throw error;
    };
    const log = await started();
    await expect(log.checkpoint()).rejects.toThrow(error);
    expect([log.failed, log.tampered]).toEqual([[error], undefined]);
  });

  test.each([
    [19_999, true, []],
    [20_000, false, []],
    [20_000, true, ['no reader']],
  ])(
    'hashes a log of %i events, with a reader: %o, in a thread that fails so: %j',
    async (head, hasReader, failures) => {
      await grow(2);
      store.head = async () => head;
      const reader = { module: 'data:text/javascript,throw new Error("no reader")', file: 'ledger.db' };
      const log = await started(store, hasReader ? { reader } : {});
      // The store has fewer events than it says, so the last checkpoint must not wait for them.
      onTestFinished(() => {
        store.head = async () => 2;
      });
      await log.tree.waitForSize(2);
      expect(log.logged).toEqual(
        failures.map((message) => [
          'warn',
          { err: expect.objectContaining({ message }) },
          'the worker thread failed; hashing the log in the main thread',
        ]),
      );
    },
  );
});

describe('a signed log of several replicas', () => {
  test('has one first checkpoint', async () => {
    const logs = await Promise.all([1, 2, 3].map(() => ready(replica())));
    expect(await kept(logs[0] as SignedLog)).toEqual([0]);
    for (const log of logs) expect(log.newest()).toEqual(logs[0]?.newest());
  });

  test('has the checkpoints that any of them signs', async () => {
    const [one, two] = [await ready(replica()), await ready(replica())];
    expect(await two.refresh()).toEqual(one.newest());
    await grow(3);
    const signed = await one.checkpoint(3);
    expect(two.newest()?.size).toBe(0);
    expect(await two.refresh()).toEqual(signed);
    expect(two.newest()).toEqual(signed);
    expect(await two.refresh()).toEqual(signed);
    expect(await two.checkpoint(3)).toEqual(signed);
    expect(await kept(two)).toEqual([0, 3]);
  });

  test('has one checkpoint if two of them sign at once', async () => {
    const [one, two] = [await ready(replica()), await ready(replica())];
    await grow(3);
    const [first, second] = await Promise.all([one.checkpoint(3), two.checkpoint(3)]);
    expect(first).toEqual(second);
    const again = Promise.all([one.checkpoint(3), one.checkpoint(3), one.checkpoint(2)]);
    expect(await again).toEqual([first, first, first]);
    expect(await kept(one)).toEqual([0, 3]);
  });

  test('is tampered with if a checkpoint of another one does not match', async () => {
    const log = await ready(replica());
    await grow(3);
    await storeCheckpoint(noteOf(3, wrongRoot), 1);
    const why = 'the log does not match the checkpoint of 3 events that another replica signed';
    await expect(log.refresh()).rejects.toThrow(new LogTampered(why));
    expect(log.tampered).toEqual({ why, at: NOW });
    expect(log.newest()?.size).toBe(0);
    await expect(log.refresh()).rejects.toThrow(LogTampered);
    await expect(log.checkpoint()).rejects.toThrow(LogTampered);
  });

  test('is tampered with if a checkpoint of another one is damaged', async () => {
    const log = await ready(replica());
    await storeCheckpoint('hello', 1);
    await expect(log.refresh()).rejects.toThrow('the newest stored checkpoint is damaged: ');
    expect(log.tampered?.why).toMatch(/^the newest stored checkpoint is damaged: ./);
  });

  test('waits for the events of a checkpoint of another one', async () => {
    const log = await ready(replica());
    const other = await ready(replica());
    await grow(3);
    const checkpoint = await other.checkpoint(3);
    const late = replica(new MemoryStore());
    late.log.stream(CHECKPOINTS).push(...store.log.stream(CHECKPOINTS).slice(0, 1));
    const behind = await ready(late);
    late.log.stream(CHECKPOINTS).push(...store.log.stream(CHECKPOINTS).slice(1));
    const refreshed = behind.refresh();
    await late.append('cluster-a', store.log.stream('cluster-a'), 'absent');
    expect(await refreshed).toEqual(checkpoint);
    expect((await log.refresh())?.size).toBe(3);
  });
});

describe('a signed log that does not match its newest checkpoint', () => {
  test('reports it once, with the time, and signs no more', async () => {
    await grow(3);
    await storeCheckpoint(noteOf(3, wrongRoot), 0);
    const log = await started();
    await expect(log.checkpoint()).rejects.toThrow(LogTampered);
    const why = 'the first 3 events do not match the newest checkpoint';
    expect(log.tampered).toEqual({ why, at: NOW });
    expect(log.tampered && new LogTampered(why).name).toBe('LogTampered');
    expect([log.isReady, await log.waitUntilReady(60_000)]).toEqual([false, false]);
    log.reportChange(new LeavesChanged('leaf 1 has changed'));
    expect([log.tampered?.why, log.tampered?.at]).toEqual([why, NOW]);
    await log.stop();
    expect(log.alarms).toEqual([why]);
    expect(log.logged).toEqual([
      ['error', { alert: 'log-tampered', why }, 'the log does not match its signed checkpoints'],
    ]);
    expect([await kept(log), log.failed]).toEqual([[3], []]);
  });

  test.each([
    ['at once if nobody else writes', true],
    ['once it has read the log, if others write too', false],
  ])('as it is shorter reports it %s', async (_, isSoleWriter) => {
    await grow(3);
    await storeCheckpoint(noteOf(5, wrongRoot), 0);
    const log = signedLog(isSoleWriter ? store : replica());
    const { promise: first, resolve } = Promise.withResolvers<void>();
    await log.start(first);
    const why = 'the log has 3 events, fewer than the 5 of its newest checkpoint';
    expect(log.tampered?.why).toBe(isSoleWriter ? why : undefined);
    resolve();
    await until(() => log.tampered !== undefined);
    expect(log.tampered?.why).toBe(why);
  });

  test('is not reported if it has as many events, or more', async () => {
    await grow(3);
    const { root } = await (await ready(replica())).tree.sizeAndRoot(3);
    await storeCheckpoint(noteOf(3, root), 1);
    const log = await ready();
    expect([log.tampered, log.newest()?.size]).toEqual([undefined, 3]);
    await grow(1, 'cluster-b');
    await log.stop();
    expect((await ready()).tampered).toBeUndefined();
  });

  test('reports an event that has changed, as others find it', async () => {
    const log = await ready();
    log.reportChange(new LeavesChanged('leaf 1 has changed'));
    expect([log.tampered?.why, log.isReady]).toEqual(['leaf 1 has changed', false]);
    await expect(log.fileCheckpoint()).resolves.toBeUndefined();
  });

  test('reports leaves that have changed as they are read again', async () => {
    await grow(8);
    const log = await ready(store, { treeMinHeightInMemory: 3 });
    store.log.events[1] = { ...(store.log.events[1] as LogEvent), type: 'SomethingElse' };
    await expect(log.tree.inclusionProof(0)).rejects.toThrow(LeavesChanged);
    expect(log.tampered?.why).toBe('leaves 0 to 7 have changed');
  });

  test('reports leaves that have changed before they are compared', async () => {
    await grow(8);
    const { root } = await (await ready(replica())).tree.sizeAndRoot(5);
    await storeCheckpoint(noteOf(5, root), 1);
    store.readAll = async function* () {
      yield store.log.events.toReversed();
    };
    const log = await started(store, { treeMinHeightInMemory: 3 });
    await expect(log.checkpoint()).rejects.toThrow(new LogTampered('leaves 0 to 7 have changed'));
    expect(log.failed).toEqual([]);
  });

  test('gives out no checkpoint that is signed as it is reported', async () => {
    const log = await ready();
    await grow(1);
    const append = store.append.bind(store);
    store.append = (...given) => {
      log.reportChange(new LeavesChanged('leaf 1 has changed'));
      return append(...given);
    };
    const [, second] = await Promise.allSettled([log.checkpoint(1), log.checkpoint(1)]);
    expect(second).toEqual({ status: 'rejected', reason: new LogTampered('leaf 1 has changed') });
  });

  test('needs nobody whom it reports it to', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ledger-filed-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = new CheckpointFile(join(folder, 'checkpoint'));
    await file.write({ note: noteOf(6, wrongRoot), size: 6 });
    const log = () => {
      const made = new SignedLog(store, {
        file,
        keys: async () => keys,
        origin: ORIGIN,
        now: () => NOW,
        log: silent,
      });
      onTestFinished(() => made.stop());
      return made;
    };
    const behind = log();
    await behind.start();
    expect(behind.tampered?.why).toMatch(/^the log has 0 events, and 6 were signed/);
    await rm(file.path);
    const changed = log();
    await changed.start();
    changed.reportChange(new LeavesChanged('leaf 1 has changed'));
    expect(changed.tampered?.why).toBe('leaf 1 has changed');
    const failing = log();
    store.follow = () => {
      throw new StoreFailed('another log');
    };
    await failing.start();
    await expect(failing.checkpoint()).rejects.toThrow(StoreFailed);
  });

  test('reports events that do not follow each other', async () => {
    await grow(2);
    store.log.events.shift();
    const log = await started();
    await until(() => log.tampered !== undefined);
    expect(log.tampered?.why).toBe('the log has position 2 after 0');
    await expect(log.checkpoint()).rejects.toThrow(new LogTampered('the log has position 2 after 0'));
    expect(log.failed).toEqual([]);
  });
});

describe('the key of a signed log', () => {
  test('signs at once if the operator accepts it', async () => {
    await grow(2);
    const { root } = await (await ready(replica())).tree.sizeAndRoot(2);
    await storeCheckpoint(noteOf(2, root), 1);
    const own = LogKeys.generate(ORIGIN);
    const acceptKey = hexOf(own.current.keyId);
    const log = await ready(store, { own, acceptKey });
    await until(async () => (await kept(log)).length === 3);
    expect(openNote(log.newest()?.note ?? '', own.verifiers).signedBy).toEqual([own.current]);
    expect(log.logged).toEqual([
      ['warn', { key: acceptKey, size: 2 }, 'accepted the current key as successor of unknown keys'],
    ]);
  });

  test('signs at the next occasion if the store takes nothing at once', async () => {
    await ready(replica());
    const own = LogKeys.generate(ORIGIN);
    const error = new StoreFull('the disk is full');
    const append = store.append.bind(store);
    store.append = () => Promise.reject(error);
    const log = await ready(store, { own, acceptKey: hexOf(own.current.keyId) });
    await until(() => log.logged.length === 2);
    expect(log.logged[1]).toEqual(['warn', { err: error }, 'the current key has not signed yet']);
    store.append = append;
    expect(openNote((await log.checkpoint()).note, own.verifiers).signedBy).toEqual([own.current]);
  });
});

describe('the file of a signed log, outside of its store', () => {
  let path: string;
  let file: CheckpointFile;
  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ledger-filed-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    path = join(folder, 'checkpoint');
    file = new CheckpointFile(path);
  });
  const filed = () => readFile(path, 'utf8');

  test('has the newest checkpoint that has events', async () => {
    const log = await ready(store, { file });
    await expect(filed()).rejects.toThrow('ENOENT');
    expect(log.filedSize).toBe(0);
    await grow(3);
    const { note } = await log.checkpoint(3);
    expect([await filed(), log.filedSize]).toEqual([note, 3]);
  });

  test('can have newer events than the store has checkpoints of', async () => {
    const log = await ready(store, { file });
    await grow(3);
    await log.tree.waitForSize(3);
    await log.fileCheckpoint();
    const head = await log.tree.sizeAndRoot();
    expect(parseCheckpoint(textOf(await filed()))).toEqual({ origin: ORIGIN, ...head });
    expect([log.filedSize, await kept(log)]).toEqual([3, [0]]);
    await writeFile(path, 'as it was');
    await log.fileCheckpoint();
    expect(await filed()).toBe('as it was');
    await grow(1, 'cluster-b');
    await log.tree.waitForSize(4);
    await log.fileCheckpoint();
    expect(parseCheckpoint(textOf(await filed())).size).toBe(4);
  });

  test('has nothing of a log that was tampered with', async () => {
    const log = await ready(store, { file });
    await grow(3);
    log.reportChange(new LeavesChanged('leaf 1 has changed'));
    await expect(log.fileCheckpoint()).rejects.toThrow(LogTampered);
    await expect(filed()).rejects.toThrow('ENOENT');
  });

  test('matches the log after the next start', async () => {
    await grow(3);
    const log = await ready(store, { file });
    await log.fileCheckpoint();
    await log.stop();
    const next = await ready(store, { file: new CheckpointFile(path) });
    expect([next.tampered, next.behind, next.logged]).toEqual([undefined, [], []]);
  });

  test.each([
    ['were signed by the checkpoint', keys, true],
    ['are in the checkpoint, of an unknown key,', LogKeys.generate(ORIGIN), true],
    ['were signed by the checkpoint', keys, false],
  ])('says which events are missing: they %s', async (they, own, isSoleWriter) => {
    await grow(3);
    await file.write({ note: noteOf(6, wrongRoot, own), size: 6 });
    const log = signedLog(isSoleWriter ? store : replica(), { file: new CheckpointFile(path) });
    const { promise: first, resolve } = Promise.withResolvers<void>();
    await log.start(first);
    const why = `the log has 3 events, and 6 ${they} in ${path}`;
    expect(log.behind).toEqual(isSoleWriter ? [{ why, intactThrough: 3 }] : []);
    resolve();
    await until(() => log.tampered !== undefined);
    await expect(log.checkpoint()).rejects.toThrow(LogTampered);
    expect(log.tampered).toEqual({ why, at: NOW });
    expect([log.behind, log.tampered, log.logged]).toEqual([
      [{ why, intactThrough: 3 }],
      { why, at: NOW },
      [],
    ]);
    log.reportChange(new LeavesChanged('leaf 1 has changed'));
    expect(log.tampered?.why).toBe(why);
  });

  test('says that the events which it has were changed', async () => {
    await grow(3);
    await file.write({ note: noteOf(3, wrongRoot), size: 3 });
    const log = await started(store, { file: new CheckpointFile(path) });
    await expect(log.checkpoint()).rejects.toThrow(LogTampered);
    expect(log.tampered?.why).toBe(`the first 3 events do not match the checkpoint in ${path}`);
    expect(log.behind).toEqual([]);
  });

  test('says nothing if it is damaged, which is logged, and is replaced', async () => {
    await grow(3);
    await writeFile(path, 'hello');
    const log = await ready(store, { file });
    expect(log.logged).toEqual([
      [
        'error',
        { err: expect.any(Error), file: path },
        'the checkpoint outside of the store is damaged and says nothing; the next one replaces it',
      ],
    ]);
    const { note } = await log.checkpoint(3);
    expect(await filed()).toBe(note);
  });

  test('stops the start if it cannot be read', async () => {
    await mkdir(path);
    await expect(started(store, { file })).rejects.toThrow(
      `the checkpoint outside of the store, ${path}, cannot be read: EISDIR`,
    );
  });

  test('is named in the log once while it cannot be written, and events are signed nevertheless', async () => {
    const log = await ready(store, { file });
    const failure = [
      'error',
      {
        err: expect.objectContaining({ code: 'EISDIR' }),
        file: path,
        do: 'make the folder writable, with free space',
      },
      'the newest checkpoint cannot be kept outside of the store',
    ];
    await mkdir(path);
    for (const count of [1, 2]) {
      await grow(1, `cluster-${count}`);
      expect((await log.checkpoint(count)).size).toBe(count);
      expect(log.logged).toEqual([failure]);
    }
    await rm(path, { recursive: true });
    await grow(1, 'cluster-3');
    await log.checkpoint(3);
    expect(log.filedSize).toBe(3);
    await rm(path);
    await mkdir(path);
    await grow(1, 'cluster-4');
    await log.checkpoint(4);
    expect(log.logged).toEqual([failure, failure]);
  });

  test('is read once, although the store cannot be reached at first', async () => {
    await grow(3);
    await file.write({ note: noteOf(6, wrongRoot), size: 6 });
    const head = store.head.bind(store);
    store.head = () => Promise.reject(new StoreUnavailable('out of reach'));
    const log = await started(store, { file });
    store.head = head;
    await until(() => log.tampered !== undefined);
    expect(log.behind).toHaveLength(1);
  });
});
