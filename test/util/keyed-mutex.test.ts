import { describe, expect, test } from 'vitest';
import { KeyedMutex } from '../../src/util/keyed-mutex.ts';

describe('KeyedMutex', () => {
  test('runs work that shares a key one at a time, in the order of the calls', async () => {
    const mutex = new KeyedMutex();
    const log: string[] = [];
    const first = Promise.withResolvers<void>();
    const a = mutex.runExclusive(['x', 'y'], async () => {
      log.push('a starts');
      await first.promise;
      log.push('a ends');
    });
    const b = mutex.runExclusive(['y', 'z'], async () => void log.push('b'));
    const c = mutex.runExclusive(['z'], async () => void log.push('c'));
    await new Promise(setImmediate);
    expect(log).toEqual(['a starts']);
    first.resolve();
    await Promise.all([a, b, c]);
    expect(log).toEqual(['a starts', 'a ends', 'b', 'c']);
  });

  test('runs work without a common key at the same time', async () => {
    const mutex = new KeyedMutex();
    const never = mutex.runExclusive(['x'], () => new Promise<void>(() => undefined));
    expect(await mutex.runExclusive(['y'], async () => 'done')).toBe('done');
    expect(never).toBeInstanceOf(Promise);
  });

  test('releases its keys when the work fails', async () => {
    const mutex = new KeyedMutex();
    const failing = mutex.runExclusive(['x'], () => Promise.reject(new Error('broken')));
    const next = mutex.runExclusive(['x'], async () => 'done');
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('done');
  });

  test('never deadlocks if two calls lock the same keys in different orders', async () => {
    const mutex = new KeyedMutex();
    const results = ['xy', 'yx', 'xy'].map((keys) => mutex.runExclusive([...keys], async () => keys));
    expect(await Promise.all(results)).toEqual(['xy', 'yx', 'xy']);
  });
});
