import { describe, expect, test } from 'vitest';
import type { Leaf } from '../../../src/audit/verify/billing-fact.ts';
import {
  type Beginning,
  type Closing,
  isBillingStream,
  periodOf,
  readBeginning,
  readClosing,
  whyNotComputed,
} from '../../../src/audit/verify/closings.ts';

const id = '00000000-0000-4000-8000-000000000001';

describe('the stream of a closing', () => {
  test.each([
    ['period-2026-01', '2026-01'],
    ['period-', ''],
    ['xperiod-2026-01', undefined],
    ['cluster-c1', undefined],
  ])('%s is of the period %s', (stream, period) => {
    expect(periodOf(stream)).toBe(period);
  });
});

test.each([
  ['billing', true],
  ['billing-x', false],
  ['', false],
])('the stream %o has the beginning of statements: %s', (stream, expected) => {
  expect(isBillingStream(stream)).toBe(expected);
});

describe('a beginning of statements', () => {
  const leaf: Leaf = {
    data: { period: '2026-01', reason: 'x' },
    id,
    metadata: {},
    recordedAt: '2026-01-01T00:00:00.000Z',
    revision: 0,
    stream: 'billing',
    type: 'BillingBegan',
  };

  test('is read with its position and its period', () => {
    expect(readBeginning(4, leaf)).toEqual({ position: 4, period: '2026-01' });
  });

  test.each<[what: string, change: Partial<Leaf>]>([
    ['another stream', { stream: 'period-2026-01' }],
    ['another type', { type: 'PeriodClosed' }],
    ['a later revision', { revision: 1 }],
    ['no period', { data: {} }],
    ['a period that is not a month', { data: { period: '2026-13' } }],
  ])('is not one with %s', (_, change) => {
    expect(readBeginning(4, { ...leaf, ...change })).toBe('is not a beginning of statements');
  });
});

describe('a closing', () => {
  const leaf: Leaf = {
    data: { period: '2026-02', watermark: '12', rules: 2 },
    id,
    metadata: {},
    recordedAt: '2026-03-04T00:00:00.000Z',
    revision: 0,
    stream: 'period-2026-02',
    type: 'PeriodClosed',
  };
  const last: Closing = {
    period: '2026-01',
    watermark: 7,
    position: 8,
    closedAt: '2026-02-04T00:00:00.000Z',
    rules: 2,
  };
  const closing = { period: '2026-02', watermark: 12, position: 13, closedAt: leaf.recordedAt, rules: 2 };
  const withData = (data: object): Partial<Leaf> => ({ data: { ...leaf.data, ...data } });

  test.each<[what: string, last: Closing | undefined, beginning: Beginning | undefined]>([
    ['the one that follows', last, undefined],
    ['the first', undefined, undefined],
    ['the first after its beginning', undefined, { position: 1, period: '2026-02' }],
    [
      'the first, since the beginning is not known at its watermark',
      undefined,
      { position: 13, period: '2025-01' },
    ],
    ['the one that follows, whatever the beginning', last, { position: 1, period: '2025-01' }],
    ['the one at the same watermark', { ...last, watermark: 12 }, undefined],
  ])('is read as %s', (_, before, beginning) => {
    expect(readClosing(13, leaf, before, beginning)).toEqual(closing);
  });

  test.each<[watermark: unknown, read: number]>([
    ['0', 0],
    ['1', 1],
    ['10', 10],
  ])('is read with the watermark %o', (watermark, read) => {
    const first = { ...leaf, ...withData({ watermark }) } as Leaf;
    expect(readClosing(13, first, undefined, undefined)).toEqual({ ...closing, watermark: read });
  });

  test('is of version 1 of the rules if it names none', () => {
    const data = { period: '2026-02', watermark: '12' };
    expect(readClosing(13, { ...leaf, data }, last, undefined)).toEqual({ ...closing, rules: 1 });
  });

  const between = 'which is not between those before and its own position';
  test.each<[why: string, change: Partial<Leaf>]>([
    ['is not a closing of a period', { stream: 'billing' }],
    ['is not a closing of a period', { stream: 'period-2026-13', ...withData({ period: '2026-13' }) }],
    ['is not a closing of a period', { type: 'PeriodOpened' }],
    ['is not a closing of a period', withData({ period: '2026-03' })],
    ['closes 2026-02, which was closed before', { revision: 1 }],
    [
      'closes 2026-03, which does not follow on 2026-01',
      { stream: 'period-2026-03', ...withData({ period: '2026-03' }) },
    ],
    [
      'closes 2026-01, which does not follow on 2026-01',
      { stream: 'period-2026-01', ...withData({ period: '2026-01' }) },
    ],
    [`closes 2026-02 at watermark "13", ${between}`, withData({ watermark: '13' })],
    [`closes 2026-02 at watermark "6", ${between}`, withData({ watermark: '6' })],
    [`closes 2026-02 at watermark 12, ${between}`, withData({ watermark: 12 })],
    [`closes 2026-02 at watermark "012", ${between}`, withData({ watermark: '012' })],
    [`closes 2026-02 at watermark "12 ", ${between}`, withData({ watermark: '12 ' })],
    [`closes 2026-02 at watermark "x12", ${between}`, withData({ watermark: 'x12' })],
    [`closes 2026-02 at watermark null, ${between}`, withData({ watermark: undefined })],
    ['closes 2026-02 by rules "2", which is not a version', withData({ rules: '2' })],
    ['closes 2026-02 by rules 1.5, which is not a version', withData({ rules: 1.5 })],
    ['closes 2026-02 by rules null, which is not a version', withData({ rules: null })],
    ['does not say when 2026-02 was closed', { recordedAt: '2026-03-04' }],
  ])('%s', (why, change) => {
    expect(readClosing(13, { ...leaf, ...change }, last, undefined)).toBe(why);
  });

  test('is not the first if statements begin with another period', () => {
    for (const position of [1, 12])
      expect(readClosing(13, leaf, undefined, { position, period: '2026-01' })).toBe(
        `closes 2026-02 first, but statements begin with 2026-01 (position ${position})`,
      );
  });

  test('cannot be at a negative watermark', () => {
    const first = { ...leaf, ...withData({ watermark: '-1' }) };
    expect(readClosing(13, first, undefined, undefined)).toBe(`closes 2026-02 at watermark "-1", ${between}`);
  });

  test('has statements that can be computed by version 2 of the rules only', () => {
    expect(whyNotComputed(closing)).toBeUndefined();
    expect(whyNotComputed({ ...closing, rules: 3 })).toBe(
      '2026-02 was closed by rules version 3: rules version 3 is not known to this verifier, which knows version 2',
    );
  });
});
