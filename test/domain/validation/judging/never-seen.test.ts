import { describe, expect, test } from 'vitest';
import { formatInstant } from '../../../../src/domain/time.ts';
import { conditionId } from '../../../../src/domain/validation/judging/condition.ts';
import { alive, Fleet, HOUR_MS, MINUTE_MS, refused, type Seen, START, timeout } from '../fleet.ts';

const TICK = 5 * MINUTE_MS;
const OTHERS = { o1: alive(), o2: alive() };
const fleet = (settings: object = {}) => new Fleet(settings, ['c1', 'o1', 'o2']);
const seen = (c1: Seen) => ({ c1, ...OTHERS });
const conditions = (one: Fleet) => (one.played.at(-1)?.judgement.conditions ?? []).map(conditionId);

describe('a cluster that has never been seen alive', () => {
  const silent: readonly Seen[] = [
    refused,
    timeout,
    { state: 'unreachable', code: 'name-not-found' },
    { state: 'unreachable', code: 'tls-mismatch' },
    { state: 'unreachable', code: 'not-kubernetes' },
  ];

  test.each(silent)('is never stopped, and one alert says what was seen instead: $code', (verdict) => {
    for (const mode of ['observe', 'notify', 'enforce']) {
      const one = fleet({ mode });
      one.runs(START, 48 * HOUR_MS, seen({ ...verdict, detail: 'what was seen' }));
      expect(one.concluded).toEqual([]);
      expect(one.played.flatMap(({ judgement }) => judgement.wouldHave)).toEqual([]);
      expect(conditions(one)).toEqual(['never-verified:c1']);
      expect(one.played.at(-1)?.judgement.conditions[0]?.data).toMatchObject({
        code: verdict.code,
        detail: 'what was seen',
        since: formatInstant(START + 40),
      });
    }
  });

  test('is reported after three verdicts that span 15 minutes, and no longer once it answers', () => {
    const one = fleet();
    one.runs(START, 2 * TICK, seen(refused));
    expect(conditions(one)).toEqual([]);
    one.run(START + 3 * TICK, seen(refused));
    expect(conditions(one)).toEqual(['never-verified:c1']);
    one.run(START + 4 * TICK, seen(alive()));
    expect(conditions(one)).toEqual([]);
    one.runs(START + 5 * TICK, 25 * HOUR_MS, seen(refused));
    expect(one.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable', 'BillingStopped']);
  });

  test('is not reported if it is free, or an operator has stopped its billing', () => {
    const one = new Fleet({}, ['c1', 'o1', 'o2']);
    one.register('free', START - HOUR_MS, 'acme', false);
    one.add({ type: 'BillingStopped', clusterId: 'c1', effectiveAt: START - HOUR_MS, cause: 'manual' });
    one.runs(START, HOUR_MS, { ...seen(refused), free: refused });
    expect(conditions(one)).toEqual([]);
  });

  test('is reported while the breaker is open because too many do not answer, and not while nothing answers', () => {
    const names = Array.from({ length: 10 }, (_, n) => `g${n}`);
    const one = new Fleet({}, [...names, 'o1', 'o2']);
    const silent = Object.fromEntries(names.map((name) => [name, refused]));
    one.runs(START, 3 * TICK, { ...silent, ...OTHERS });
    expect(conditions(one)).toEqual([
      'mass-unreachable:1of1',
      ...names.map((name) => `never-verified:${name}`),
    ]);
    one.run(START + 4 * TICK, { ...silent, o1: refused, o2: refused });
    expect(conditions(one)).toEqual(['mass-unreachable:1of1']);
  });
});

describe('the default confirmation', () => {
  const mismatch: Seen = { state: 'unreachable', code: 'tls-mismatch' };
  const handshake: Seen = { state: 'unknown', code: 'tls-handshake' };

  test.each([mismatch, handshake])(
    '$code stops billing only if the inventory no longer lists the cluster',
    (verdict) => {
      for (const status of ['listed', 'unknown'] as const) {
        const one = fleet();
        one.inventory.set('c1', status);
        one.run(START, seen(alive()));
        const last = one.runs(START + TICK, 26 * HOUR_MS, seen(verdict));
        expect(one.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable']);
        expect(conditions(one)).toEqual(['stop-unconfirmed:c1']);
        one.inventory.set('c1', 'gone');
        one.run(last + TICK, seen(verdict));
        expect(one.concluded.at(-1)).toMatchObject({ type: 'BillingStopped', cause: 'unreachable' });
      }
    },
  );

  test('silence counts only from the last verdict that a running cluster gives too', () => {
    const one = fleet();
    one.run(START, seen(alive()));
    const renewed = one.runs(START + TICK, 23 * HOUR_MS, seen(mismatch));
    one.runs(renewed + TICK, 23 * HOUR_MS, seen(refused));
    expect(one.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable']);
    one.runs(renewed + 23 * HOUR_MS + 2 * TICK, HOUR_MS, seen(refused));
    expect(one.concluded.at(-1)).toMatchObject({ type: 'BillingStopped', effectiveAt: START + 40 });
  });

  test.each([
    refused,
    timeout,
    { state: 'unreachable', code: 'name-not-found' } as const,
    { state: 'unreachable', code: 'identity-mismatch' } as const,
  ])('$code stops billing although the inventory still lists the cluster', (verdict) => {
    const one = fleet();
    one.inventory.set('c1', 'listed');
    one.run(START, seen(alive()));
    one.runs(START + TICK, 25 * HOUR_MS, seen(verdict));
    expect(one.concluded.at(-1)).toMatchObject({ type: 'BillingStopped' });
  });
});

describe('a credential that is no longer accepted', () => {
  test.each(['unauthorized', 'front'])('is an alert after three runs, and stops nothing: %s', (code) => {
    const one = fleet();
    one.run(START, seen(alive('u1')));
    const refusal: Seen = { state: 'alive', code, detail: 'what it said' };
    one.runs(START + TICK, TICK, seen(refusal));
    expect(conditions(one)).toEqual([]);
    one.run(START + 3 * TICK, seen(refusal));
    expect(conditions(one)).toEqual(['credential-expired:c1']);
    expect(one.played.at(-1)?.judgement.conditions[0]?.data).toMatchObject({ code, detail: 'what it said' });
    one.runs(START + 4 * TICK, 26 * HOUR_MS, seen(refusal));
    expect(one.concluded).toEqual([]);
    one.run(START + 27 * HOUR_MS, seen(alive('u1')));
    expect(conditions(one)).toEqual([]);
  });

  test('differs from a certificate that has expired, which is an alert of its own', () => {
    const one = fleet();
    one.runs(START, 26 * HOUR_MS, seen({ state: 'alive', code: 'certificate-expired' }));
    expect(one.concluded).toEqual([]);
    expect(conditions(one)).toEqual(['certificate-expired:c1']);
  });
});
