import { describe, expect, test } from 'vitest';
import { signNote } from '../../../src/audit/note.ts';
import { type StoreOptions, verifyStore } from '../../../src/audit/verify/verify-store.ts';
import type { LogEvent } from '../../../src/eventstore/event-store.ts';
import { StoreFailed } from '../../../src/eventstore/store-errors.ts';
import type { Parsed } from '../../support/evidence.ts';
import { idAt, keys, ORIGIN, SmallLog, signerOf, smallLog } from './small-log.ts';

const summary = {
  origin: ORIGIN,
  size: 8,
  root: Buffer.from(smallLog().tree.root()).toString('base64'),
  streams: 6,
  checkpoints: 3,
  signedSize: 8,
  closings: 2,
  statementsChecked: true,
};

const verdictOn = (log: SmallLog, options: StoreOptions = {}) => verifyStore(log.store, options);

function changed(change: (log: Parsed) => void): SmallLog {
  const log = smallLog();
  change(log);
  return log;
}

describe('an honest store', () => {
  test('verifies with the keys, and without any', async () => {
    expect(await verdictOn(smallLog())).toEqual({ ok: true, summary });
    expect(await verdictOn(smallLog(), { keys })).toEqual({ ok: true, summary });
    expect(await verdictOn(smallLog(), { keys, statements: false })).toEqual({
      ok: true,
      summary: { ...summary, statementsChecked: false },
    });
  });

  test('verifies with a checkpoint that was kept elsewhere', async () => {
    const olderCheckpoint = smallLog().checkpoint(3);
    expect(await verdictOn(smallLog(), { keys, olderCheckpoint })).toEqual({ ok: true, summary });
  });

  test('verifies without checkpoints, and if it is empty', async () => {
    const unsigned = changed((log) => log.kept.splice(0));
    expect(await verdictOn(unsigned, { keys })).toEqual({
      ok: true,
      summary: { ...summary, origin: undefined, checkpoints: 0, signedSize: 0 },
    });
    expect(await verdictOn(new SmallLog())).toEqual({
      ok: true,
      summary: {
        origin: undefined,
        size: 0,
        root: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
        streams: 0,
        checkpoints: 0,
        signedSize: 0,
        closings: 0,
        statementsChecked: true,
      },
    });
  });

  test('verifies with one checkpoint, or with none but the one that was kept elsewhere', async () => {
    const once = changed((log) => log.kept.splice(1));
    expect(await verdictOn(once, { keys })).toEqual({
      ok: true,
      summary: { ...summary, checkpoints: 1, signedSize: 5 },
    });
    const unsigned = changed((log) => log.kept.splice(0));
    const olderCheckpoint = smallLog().checkpoint(3);
    expect(await verdictOn(unsigned, { keys, olderCheckpoint })).toMatchObject({ ok: true });
    const another = smallLog().checkpoint(3, smallLog().tree.root(3), 'other.example');
    expect(await verdictOn(once, { keys, olderCheckpoint: another })).toMatchObject({
      ok: false,
      check: 'signature',
    });
  });

  test('may have two checkpoints of one size, and more events than were signed', async () => {
    const twice = changed((log) => log.kept.push(log.kept.at(-1)));
    expect(await verdictOn(twice, { keys })).toEqual({ ok: true, summary: { ...summary, checkpoints: 4 } });
    const shorter = changed((log) => log.kept.pop());
    expect(await verdictOn(shorter, { keys })).toEqual({
      ok: true,
      summary: { ...summary, checkpoints: 2, signedSize: 7 },
    });
  });

  test('says how far it was read, also if it grows meanwhile', async () => {
    const seen: [number, number][] = [];
    const onProgress = (done: number, total: number) => void seen.push([done, total]);
    await verifyStore({ ...smallLog().store, head: async () => 7 }, { onProgress });
    expect(seen).toEqual([
      [3, 7],
      [6, 7],
      [8, 8],
    ]);
  });
});

describe('a store', () => {
  test.each<[check: string, why: string, change: (log: Parsed) => void]>([
    ['completeness', 'the store has position 4 where 3 is due', (log) => log.events.splice(2, 1)],
    [
      'format',
      `the event at position 8 can be no leaf: event ${idAt(8)} (cluster-c1, revision 1) has no canonical form: NaN is not an instant that RFC 3339 can represent`,
      ({ events }) => Object.assign(events[7], { recordedAt: Number.NaN }),
    ],
    [
      'consistency',
      'the first 5 events are not those of the kept checkpoint 0, of 5 events: something among them was changed',
      ({ events }) => Object.assign(events[4], { metadata: {} }),
    ],
    [
      'consistency',
      'the log has 7 events, fewer than the 8 of the kept checkpoint 2, of 8 events: it was cut off',
      ({ events }) => events.pop(),
    ],
    [
      'consistency',
      'the kept checkpoint 1, of 5 events is of fewer events than the one before it',
      (log) => log.kept.unshift(...log.kept.splice(1, 1)),
    ],
    [
      'signature',
      'the kept checkpoint 1 is not signed by a key that was given: the signature of ledger.example is not valid for this text',
      ({ kept }) => Object.assign(kept[1], { note: kept[1].note.replace('\n7\n', '\n6\n') }),
    ],
    [
      'signature',
      'the kept checkpoint 1 is not signed by a key that was given: a note must be text, an empty line and signature lines',
      ({ kept }) => Object.assign(kept[1], { note: undefined }),
    ],
    [
      'statement',
      'the event at position 8 cannot be accounted for: it names another cluster than its stream',
      (log) => {
        log.kept.pop();
        Object.assign(log.events[7].data, { clusterId: 'c2' });
      },
    ],
  ])('is found out by the check of %s: %s', async (check, why, change) => {
    expect(await verdictOn(changed(change), { keys })).toEqual({ ok: false, check, why });
  });

  test('is compared with its checkpoints without keys too', async () => {
    const moved = changed(({ events }) => Object.assign(events[4], { metadata: {} }));
    expect(await verdictOn(moved)).toMatchObject({ ok: false, check: 'consistency' });
    const none = changed(({ kept }) => Object.assign(kept[1], { note: 'x\n\n' }));
    expect(await verdictOn(none)).toEqual({
      ok: false,
      check: 'signature',
      why: 'the kept checkpoint 1 is none: a checkpoint must have at least three lines',
    });
  });

  test.each<[why: string, note: () => string]>([
    [
      `the older checkpoint is of the log other.example, not of ${ORIGIN}`,
      () => smallLog().checkpoint(3, new Uint8Array(32), 'other.example'),
    ],
    [
      'the older checkpoint is not signed by a key that was given: none of the known keys has signed the note',
      () => signNote('x\n', [signerOf('other.example', 2)]),
    ],
  ])('is not compared with an older checkpoint that nobody vouches for: %s', async (why, note) => {
    expect(await verdictOn(smallLog(), { keys, olderCheckpoint: note() })).toEqual({
      ok: false,
      check: 'signature',
      why,
    });
  });

  test('is compared with an older checkpoint only by keys', async () => {
    expect(await verdictOn(smallLog(), { olderCheckpoint: smallLog().checkpoint(3) })).toEqual({
      ok: false,
      check: 'signature',
      why: 'no key was given to verify signatures with',
    });
  });

  test('is not that of an older checkpoint of other events', async () => {
    const olderCheckpoint = smallLog().checkpoint(3, new Uint8Array(32));
    expect(await verdictOn(smallLog(), { keys, olderCheckpoint })).toEqual({
      ok: false,
      check: 'consistency',
      why: 'the first 3 events are not those of the older checkpoint: something among them was changed',
    });
  });
});

/** A store in which reading ends with an error. */
const failing = (error: Error) => ({
  ...smallLog().store,
  // biome-ignore lint/correctness/useYield: the first read fails.
  async *readAll(): AsyncGenerator<readonly LogEvent[]> {
    throw error;
  },
});

describe('reading a store', () => {
  test('ends with the damage that the store finds itself', async () => {
    expect(await verifyStore(failing(new StoreFailed('page 7 is damaged')))).toEqual({
      ok: false,
      check: 'format',
      why: 'page 7 is damaged',
    });
  });

  test('throws any other error', async () => {
    await expect(verifyStore(failing(new Error('not foreseen')))).rejects.toThrow('not foreseen');
  });

  test('is given up when that is wanted', async () => {
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('enough'));
    await expect(verdictOn(smallLog(), { onProgress, signal: stop.signal })).rejects.toThrow('enough');
  });
});
