import { describe, expect, test } from 'vitest';
import { isUnreachable } from '../../../src/domain/facts/latest-observation.ts';
import { deleted, inOrder, registered, seen } from './facts.ts';

const unreachable = (when: string) => seen(when, 'ClusterUnreachable');
const reachable = (when: string) => seen(when, 'ClusterReachable');

describe('a cluster', () => {
  test('is not unreachable while nobody has looked', () => {
    expect(isUnreachable(inOrder())).toBe(false);
    expect(isUnreachable(inOrder(registered('2026-01-01'), deleted('2026-01-02')))).toBe(false);
  });

  test('is as its latest observation says, whatever arrives later', () => {
    expect(isUnreachable(inOrder(unreachable('2026-01-01'), reachable('2026-01-02')))).toBe(false);
    expect(isUnreachable(inOrder(reachable('2026-01-02'), unreachable('2026-01-01')))).toBe(false);
    expect(isUnreachable(inOrder(unreachable('2026-01-02'), reachable('2026-01-01')))).toBe(true);
    expect(isUnreachable(inOrder(unreachable('2026-01-02'), deleted('2026-01-03')))).toBe(true);
  });

  test('is as the greater event id of two observations at one instant says, in either order', () => {
    const [first, second] = inOrder(unreachable('2026-01-01'), reachable('2026-01-01'));
    expect(isUnreachable([first, second] as never)).toBe(false);
    expect(isUnreachable([second, first] as never)).toBe(false);
    const [third, fourth] = inOrder(reachable('2026-01-01'), unreachable('2026-01-01'));
    expect(isUnreachable([third, fourth] as never)).toBe(true);
    expect(isUnreachable([fourth, third] as never)).toBe(true);
  });
});
