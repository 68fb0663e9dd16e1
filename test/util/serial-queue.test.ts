import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SerialQueue } from '../../src/util/serial-queue.ts';

describe('SerialQueue', () => {
  test('starts a task only after the earlier ones have ended', async () => {
    const queue = new SerialQueue();
    const log: string[] = [];
    const task = (name: string, ms: number) => async () => {
      log.push(`${name} starts`);
      await wait(ms);
      log.push(`${name} ends`);
      return name;
    };
    expect(await Promise.all([queue.run(task('a', 20)), queue.run(task('b', 1))])).toEqual(['a', 'b']);
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
  });

  test('runs the next task although one failed, and rejects only for the one that failed', async () => {
    const queue = new SerialQueue();
    const failing = queue.run(() => Promise.reject(new Error('broken')));
    const next = queue.run(() => Promise.resolve('done'));
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('done');
  });
});
