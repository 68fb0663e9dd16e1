import { describe, expect, test } from 'vitest';
import { withDeadline } from '../../src/util/with-deadline.ts';

const late = () => new Error('too late');

describe('withDeadline', () => {
  test('settles as the promise does if that is before the deadline', async () => {
    expect(await withDeadline(Promise.resolve(7), 60_000, late)).toBe(7);
    await expect(withDeadline(Promise.reject(new Error('broken')), 60_000, late)).rejects.toThrow('broken');
  });

  test('rejects at the deadline if the promise has not settled, also if the deadline has passed', async () => {
    const never = new Promise(() => undefined);
    await expect(withDeadline(never, 5, late)).rejects.toThrow('too late');
    await expect(withDeadline(never, -1, late)).rejects.toThrow('too late');
  });
});
