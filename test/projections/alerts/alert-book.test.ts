import { describe, expect, test } from 'vitest';
import { ALERT_KINDS, ALERTS } from '../../../src/domain/alert.ts';
import { VERDICT_CODES } from '../../../src/domain/validation/judging/verdict.ts';
import type { LogEvent } from '../../../src/eventstore/event-store.ts';
import { AlertBook, MAX_REJECTED_ALERTS } from '../../../src/projections/alerts/alert-book.ts';

const T = Date.parse('2026-04-15T12:00:00.000Z');

function rejected(n: number, id = `e${n}`): LogEvent {
  return {
    id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    stream: 'rejected-events',
    revision: n,
    position: n + 1,
    type: 'EventRejected',
    data: { source: 'pro', id, clusterId: 'c1', event: {}, rejection: { code: 'cluster-deleted' } },
    metadata: {},
    recordedAt: T + n,
  };
}

function acknowledged(n: number, alertId: string): LogEvent {
  const event = { stream: 'alerts', type: 'AlertAcknowledged', data: { alertId, by: 'me' } };
  return { ...rejected(n), ...event };
}

const CODES = Object.values(VERDICT_CODES).flat();

describe('a book of alerts', () => {
  test('keeps a bounded number of rejected events and resolved alerts, and counts those that it merges', () => {
    const book = new AlertBook();
    const count = MAX_REJECTED_ALERTS + 500;
    for (let n = 0; n < count; n++) book.applyOther(rejected(n), []);
    const open = book.all(T + count, []);
    expect(open).toHaveLength(MAX_REJECTED_ALERTS + 1);
    const earlier = book.find('event-rejected:earlier', T + count, []);
    expect(earlier?.data).toEqual({ count: 500 });
    expect(ALERTS['event-rejected'].happened('earlier', earlier?.data ?? {})).toBe(
      '500 more events were refused earlier',
    );

    for (const [i, { id }] of open.entries()) book.applyOther(acknowledged(count + i, id), []);
    const resolved = book.all(T + 10 * count, []);
    expect(resolved).toHaveLength(1_000);
    expect(resolved.every(({ resolvedAt }) => resolvedAt !== undefined)).toBe(true);
    const restored = AlertBook.restore(JSON.parse(JSON.stringify(book.parts)));
    expect(JSON.stringify(restored.parts)).toBe(JSON.stringify(book.parts));
  });

  test('includes live alerts, acknowledged or not', () => {
    const book = new AlertBook();
    const live = [
      { kind: 'statement-drift', subject: '2026-03', since: T, data: { why: 'another digest' } },
    ] as const;
    expect(book.find('statement-drift:2026-03', T, [])).toBeUndefined();
    expect(book.all(T, live)).toMatchObject([{ id: 'statement-drift:2026-03', raisedAt: T }]);
    book.applyOther(acknowledged(1, 'statement-drift:2026-03'), []);
    expect(book.find('statement-drift:2026-03', T + 1, live)?.acknowledged).toEqual({ at: T + 1, by: 'me' });
  });

  test('has complete texts for every kind', () => {
    for (const kind of ALERT_KINDS) {
      const { happened, bill, next } = ALERTS[kind];
      const effects =
        typeof bill === 'string'
          ? [bill]
          : [0, 1, 2].map((leftOut) => bill({ facts: 2, adjusted: 2 - leftOut, leftOut }));
      const advice = typeof next === 'string' ? [next] : CODES.map((code) => next({ code }));
      for (const text of [...effects, ...advice]) expect(text, kind).toMatch(/^[A-Z].*\.$/);
      const data = {
        since: 'then',
        code: 'x',
        why: 'all',
        of: 3,
        bad: 2,
        period: '2026-01',
        facts: 2,
        flips: 7,
      };
      const more = {
        limit: 3,
        billed: 3,
        before: 2,
        after: 9,
        name: 'pro-app',
        role: 'producer',
        expiresAt: 'then',
        clusterType: 'workload',
        other: 'C1',
        otherClusterId: 'c2',
        confirmedAt: 'then',
        deletedAt: 'then',
        registeredAt: 'then',
        inventory: 'listed',
        url: 'https://hooks.example.com',
        parked: 1,
        error: 'status 500',
        reason: 'gone',
        source: 's',
        id: 'e1',
        clusterId: 'c1',
      };
      expect(happened('c1', { ...data, ...more }), kind).not.toMatch(/undefined|NaN/);
    }
  });
});
