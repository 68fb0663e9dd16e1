import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventStore, NewEvent } from '../../src/eventstore/event-store.ts';
import { InvalidAppend, StoreClosed, VersionConflict } from '../../src/eventstore/store-errors.ts';
import { retryUntil } from '../../src/ledger/append-with-retry.ts';
import { anEvent, collect, idsOf, readLog, Watcher } from '../support/store-events.ts';

/** Storage on which stores can be opened. Every `open` returns a store on the same log. */
export interface StorePlace {
  open(): Promise<EventStore>;
  /** Forgets the log; closes what is open. */
  remove(): Promise<void>;
}

/** Contract of every store. All tests share one log, so each test uses its own streams. */
export function describeStore(name: string, createPlace: () => Promise<StorePlace>): void {
  describe(`the store on ${name}`, () => {
    let place: StorePlace;
    let store: EventStore;
    let streams = 0;
    const newStream = () => `stream-${++streams}`;

    beforeAll(async () => {
      place = await createPlace();
      store = await place.open();
    });
    afterAll(async () => {
      await store.close();
      await place.remove();
    });

    describe('append()', () => {
      test('begins an absent stream at revision 0, and the events can be read back', async () => {
        const stream = newStream();
        const events = [
          anEvent({ text: 'ä "quoted" \n line' }),
          anEvent({ n: 1, deep: { list: [1, 'two', null] } }),
        ];
        expect(await store.append(stream, events, 'absent')).toBe(1);
        const read = await collect(store.readStream(stream));
        expect(
          read.map(({ id, type, data, metadata, recordedAt }) => ({ id, type, data, metadata, recordedAt })),
        ).toEqual(events);
        expect(read.map(({ stream, revision }) => [stream, revision])).toEqual([
          [stream, 0],
          [stream, 1],
        ]);
      });

      test('gives events their positions in the order of the calls, also if the store was just opened', async () => {
        const other = await place.open();
        const events = Array.from({ length: 600 }, () => anEvent());
        const before = await store.head();
        const appends: Promise<number>[] = [];
        for (const event of events) {
          appends.push(other.append(newStream(), [event], 'absent'));
          // Calls of later iterations of the event loop must not overtake the first ones.
          if (appends.length % 100 === 0) await new Promise(setImmediate);
          if (appends.length === 300) await appends[0];
        }
        await Promise.all(appends);
        expect(idsOf(await readLog(store, before))).toEqual(idsOf(events));
        if (other !== store) await other.close();
      });

      test('continues a stream after the expected revision', async () => {
        const stream = newStream();
        await store.append(stream, [anEvent()], 'absent');
        expect(await store.append(stream, [anEvent(), anEvent()], 0)).toBe(2);
      });

      test.each([
        ['absent, but the stream exists', 'absent'],
        ['a revision before the last one', 0],
        ['a revision after the last one', 7],
      ] as const)(
        'rejects with a conflict and writes nothing if the expected state is %s',
        async (_, expected) => {
          const stream = newStream();
          const events = [anEvent(), anEvent()];
          await store.append(stream, events, 'absent');
          await expect(store.append(stream, [anEvent()], expected)).rejects.toThrow(VersionConflict);
          expect(idsOf(await collect(store.readStream(stream)))).toEqual(idsOf(events));
        },
      );

      test('rejects with a conflict if the stream is absent and a revision is expected', async () => {
        await expect(store.append(newStream(), [anEvent()], 0)).rejects.toThrow(VersionConflict);
      });

      test('returns the first result for a repeat with the same ids and expected state, at any later time, and writes nothing', async () => {
        const stream = newStream();
        const [first, second, third] = [[anEvent(), anEvent()], [anEvent()], [anEvent()]];
        await store.append(stream, first, 'absent');
        await store.append(stream, second, 1);
        await store.append(stream, third, 2);
        expect(await store.append(stream, first, 'absent')).toBe(1);
        expect(await store.append(stream, second, 1)).toBe(2);
        expect(idsOf(await collect(store.readStream(stream)))).toEqual(
          idsOf([...first, ...second, ...third]),
        );
      });

      test('writes events once if the repeat is sent before the first append is acknowledged', async () => {
        const stream = newStream();
        const events = [anEvent()];
        // A server may not answer the repeat of an append in progress. The outcome is then unknown, as after any timeout.
        const append = () =>
          retryUntil(() => store.append(stream, events, 'absent'), performance.now() + 240_000);
        const answers = await Promise.all([append(), append(), append()]);
        expect(answers).toEqual([0, 0, 0]);
        expect(await collect(store.readStream(stream))).toHaveLength(1);
      });

      test('rejects with a conflict if only some of the ids were written before', async () => {
        const stream = newStream();
        const events = [anEvent(), anEvent()] as const;
        await store.append(stream, events, 'absent');
        await expect(store.append(stream, [events[0], anEvent()], 'absent')).rejects.toThrow(VersionConflict);
        await expect(store.append(stream, [...events, anEvent()], 'absent')).rejects.toThrow(VersionConflict);
        expect(await collect(store.readStream(stream))).toHaveLength(2);
      });

      test('writes to the log in the order of the calls if many are started without waiting', async () => {
        const before = await store.head();
        const events = Array.from({ length: 300 }, () => anEvent());
        await Promise.all(events.map((event) => store.append(newStream(), [event], 'absent')));
        expect(idsOf(await readLog(store, before))).toEqual(idsOf(events));
      });

      test('lets exactly one of 32 writers succeed for each revision', async () => {
        const stream = newStream();
        for (const expected of ['absent', 0, 1] as const) {
          const tries = Array.from({ length: 32 }, () => store.append(stream, [anEvent()], expected));
          const won = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled');
          expect(won).toHaveLength(1);
        }
        expect(await collect(store.readStream(stream))).toHaveLength(3);
      });

      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      test.each<[string, readonly NewEvent[]]>([
        ['no events', []],
        ['an id that is not a UUID', [anEvent({}, { id: 'e1' })]],
        ['an id in upper case', [anEvent({}, { id: 'A0A0A0A0-6F0E-5D6C-9A47-3D4F5A6B7C8D' })]],
        ['an empty type', [anEvent({}, { type: '' })]],
        ['a bigint in its data', [anEvent({ n: 1n } as never)]],
        ['circular data', [anEvent(circular as never)]],
        ['data that is not an object', [anEvent(undefined as never, { data: undefined as never })]],
        ['more bytes than a store accepts', [anEvent({ text: 'x'.repeat(1_000_000) })]],
      ])('rejects %s, and the next append works', async (_, events) => {
        const stream = newStream();
        await expect(store.append(stream, events, 'absent')).rejects.toThrow(InvalidAppend);
        expect(await store.append(stream, [anEvent()], 'absent')).toBe(0);
      });

      test('rejects two events with the same id', async () => {
        const event = anEvent();
        await expect(store.append(newStream(), [event, event], 'absent')).rejects.toThrow(InvalidAppend);
      });

      test('accepts nearly 1 MB', async () => {
        const stream = newStream();
        await store.append(stream, [anEvent({ text: 'x'.repeat(990_000) })], 'absent');
        expect(await collect(store.readStream(stream))).toHaveLength(1);
      });
    });

    describe('appendAll()', () => {
      test('makes appends to several streams at once, in their order, and each succeeds or fails on its own', async () => {
        const [first, second, third, state] = [newStream(), newStream(), newStream(), `~${newStream()}`];
        await store.append(second, [anEvent()], 'absent');
        const before = await store.head();
        const events = [anEvent(), anEvent(), anEvent(), anEvent()];
        const one = (i: number) => [events[i] as NewEvent];
        const results = await store.appendAll([
          { stream: third, events: one(0), expected: 'absent' },
          { stream: second, events: one(1), expected: 'absent' },
          { stream: state, events: one(2), expected: 'absent' },
          { stream: first, events: [...one(3), anEvent()], expected: 'absent' },
          { stream: '', events: [anEvent()], expected: 'absent' },
        ]);
        expect(results).toMatchObject([
          { status: 'fulfilled', value: 0 },
          { status: 'rejected', reason: expect.any(VersionConflict) },
          { status: 'fulfilled', value: 0 },
          { status: 'fulfilled', value: 1 },
          { status: 'rejected', reason: expect.any(InvalidAppend) },
        ]);
        const log = await readLog(store, before);
        expect(log.map(({ stream, revision }) => [stream, revision])).toEqual([
          [third, 0],
          [first, 0],
          [first, 1],
        ]);
        const repeat = { stream: third, events: one(0), expected: 'absent' } as const;
        expect(await store.appendAll([repeat])).toEqual([{ status: 'fulfilled', value: 0 }]);
        expect(await store.appendAll([])).toEqual([]);
        expect(await store.head()).toBe(before + 3);
      });
    });

    describe('readStream()', () => {
      let stream: string;
      let ids: string[];
      beforeAll(async () => {
        stream = newStream();
        const events = Array.from({ length: 70 }, () => anEvent());
        ids = idsOf(events);
        await store.append(stream, events.slice(0, 40), 'absent');
        await store.append(stream, events.slice(40), 39);
      });

      test.each([
        ['events from a revision on', { from: 30 }, [30, 70]],
        ['a range of events', { from: 10, limit: 5 }, [10, 15]],
        ['nothing from after the end', { from: 99 }, [0, 0]],
        ['nothing with limit 0', { limit: 0 }, [0, 0]],
      ] as const)('reads %s', async (_, options, [start, end]) => {
        expect(idsOf(await collect(store.readStream(stream, options)))).toEqual(ids.slice(start, end));
      });

      test.each([
        ['the end', {}, [0, 70]],
        ['the end, the last 3 events', { limit: 3 }, [67, 70]],
        ['a revision', { from: 5 }, [0, 6]],
        ['after the end', { from: 99, limit: 2 }, [68, 70]],
      ] as const)('reads backwards from %s', async (_, options, [start, end]) => {
        const read = await collect(store.readStream(stream, { ...options, direction: 'backwards' }));
        expect(idsOf(read)).toEqual(ids.slice(start, end).reverse());
      });

      test('returns no events for an absent stream', async () => {
        expect(await collect(store.readStream('nobody-wrote-this'))).toEqual([]);
      });

      test('can be called again after an iteration was left early', async () => {
        for await (const { id } of store.readStream(stream)) {
          expect(id).toBe(ids[0]);
          break;
        }
        expect(idsOf(await collect(store.readStream(stream)))).toEqual(ids);
      });
    });

    describe('the log', () => {
      test('has positions 1, 2, 3, … over all streams, the same for every reader and start', async () => {
        const chunks = Array.from({ length: 5 }, () => Array.from({ length: 450 }, () => anEvent()));
        for (const events of chunks) await store.append(newStream(), events, 'absent');
        const all = await readLog(store);
        expect(all.map(({ position }) => position)).toEqual(all.map((_, i) => i + 1));
        expect(await store.head()).toBe(all.length);
        const other = await place.open();
        for (const after of [0, 1, 999, 1_000, 1_001, 1_500, 1_999, 2_000, all.length - 1, all.length]) {
          const places = all.slice(after).map(({ id, position }) => [id, position]);
          expect((await readLog(other, after)).map(({ id, position }) => [id, position])).toEqual(places);
        }
        expect(await other.head()).toBe(all.length);
        if (other !== store) await other.close();
      });

      test('can be read in part', async () => {
        for await (const events of store.readAll(0)) {
          expect(events[0]?.position).toBe(1);
          break;
        }
        expect((await readLog(store)).length).toBe(await store.head());
      });

      test('has no events of state streams, of which keepLast() keeps the last events only', async () => {
        const before = await store.head();
        const claims = Array.from({ length: 4 }, () => anEvent());
        const stream = `~claim-${newStream()}`;
        for (const [i, claim] of claims.entries())
          await store.append(stream, [claim], i === 0 ? 'absent' : i - 1);
        expect(await store.head()).toBe(before);
        expect(idsOf(await collect(store.readStream(stream)))).toEqual(idsOf(claims));
        await store.keepLast(stream, 2);
        expect(idsOf(await collect(store.readStream(stream)))).toEqual(idsOf(claims.slice(2)));
        expect(await store.append(stream, [anEvent()], 3)).toBe(4);
        await expect(store.append(stream, [anEvent()], 'absent')).rejects.toThrow(VersionConflict);
      });

      test('rejects keepLast() for its own streams', async () => {
        await expect(store.keepLast('stream-1', 1)).rejects.toThrow(RangeError);
      });
    });

    describe('follow()', () => {
      test('yields the existing events, reports that it has caught up, and then yields new events once and in order', async () => {
        const watcher = new Watcher(store);
        await watcher.until(({ isCaughtUp }) => isCaughtUp);
        const before = await store.head();
        expect(watcher.seen).toHaveLength(before);
        const events = Array.from({ length: 100 }, () => anEvent());
        for (const event of events.slice(0, 10)) await store.append(newStream(), [event], 'absent');
        await Promise.all(events.slice(10).map((event) => store.append(newStream(), [event], 'absent')));
        await watcher.until(({ seen }) => seen.length >= before + events.length);
        expect(idsOf(watcher.seen.slice(before))).toEqual(idsOf(events));
        expect(watcher.seen.map(({ position }) => position)).toEqual(watcher.seen.map((_, i) => i + 1));
        await watcher.stop();
      });

      test('can begin after any position', async () => {
        const after = (await store.head()) - 3;
        const watcher = new Watcher(store, after);
        await watcher.until(({ isCaughtUp }) => isCaughtUp);
        expect(watcher.seen.map(({ position }) => position)).toEqual([after + 1, after + 2, after + 3]);
        await watcher.stop();
      });

      test('ends when its signal is aborted, also while it waits', async () => {
        const watcher = new Watcher(store, await store.head());
        await watcher.until(({ isCaughtUp }) => isCaughtUp);
        await watcher.stop();
        expect(watcher.seen).toEqual([]);
      });
    });

    test('keeps acknowledged events after it is closed and opened again', async () => {
      const stream = newStream();
      const event = anEvent({ kept: true });
      await store.append(stream, [event], 'absent');
      const head = await store.head();
      await store.close();
      await expect(store.append(stream, [anEvent()], 0)).rejects.toThrow(StoreClosed);
      await expect(collect(store.readStream(stream))).rejects.toThrow(StoreClosed);
      store = await place.open();
      expect(idsOf(await collect(store.readStream(stream)))).toEqual([event.id]);
      expect(await store.head()).toBe(head);
      expect(await store.append(stream, [event], 'absent')).toBe(0);
      expect(await store.append(stream, [anEvent()], 0)).toBe(1);
    });
  });
}
