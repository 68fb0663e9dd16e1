import { describe, expect, test } from 'vitest';
import { type BilledSpan, billedAt, clip, differsWithin } from '../../../src/audit/verify/billed.ts';
import type { BillingFact } from '../../../src/audit/verify/billing-fact.ts';
import { changed, deleted, factsOf, registered, resumed, stopped, voided } from './billing-facts.ts';

const END = Number.POSITIVE_INFINITY;

const span = (from: number, to: number, more: Partial<BilledSpan> = {}): BilledSpan => ({
  from,
  to,
  accountId: 'acme',
  clusterType: null,
  ...more,
});

describe('a cluster', () => {
  test.each<[title: string, facts: BillingFact[], billed: BilledSpan[]]>([
    ['without facts is not billed', [], []],
    ['without a registration is not billed', factsOf(stopped(5), changed(6, { accountId: 'acme' })), []],
    ['is billed from its registration on', factsOf(registered(10)), [span(10, END)]],
    ['is billed from its earliest registration on', factsOf(registered(10), registered(5)), [span(5, END)]],
    [
      'is billed from its earliest registration on, whatever comes later',
      factsOf(registered(5), registered(10)),
      [span(5, END)],
    ],
    ['is billed up to its deletion', factsOf(registered(10), deleted(20)), [span(10, 20)]],
    [
      'is billed up to its earliest deletion',
      factsOf(registered(10), deleted(30), deleted(20)),
      [span(10, 20)],
    ],
    ['that is deleted as it is registered is not billed', factsOf(registered(10), deleted(10)), []],
    ['that is deleted before it is registered is not billed', factsOf(registered(10), deleted(9)), []],
    [
      'is not billed while it is stopped',
      factsOf(registered(10), stopped(20), resumed(30)),
      [span(10, 20), span(30, END)],
    ],
    ['that is stopped before it is registered is not billed', factsOf(stopped(5), registered(10)), []],
    [
      'stays stopped if a stop and a resumption are at one instant, in either order',
      factsOf(registered(10), stopped(20), resumed(20), resumed(30), stopped(30)),
      [span(10, 20)],
    ],
    [
      'stays stopped after a second stop, until it is resumed',
      factsOf(registered(10), stopped(20), stopped(25), resumed(30)),
      [span(10, 20), span(30, END)],
    ],
    [
      'is not billed while any cause stops it',
      factsOf(
        registered(10),
        stopped(20, { cause: 'unreachable' }),
        stopped(25, { cause: 'missing' }),
        resumed(30, { cause: 'unreachable' }),
        stopped(33, { cause: 'manual' }),
        resumed(35, { cause: 'missing' }),
        resumed(40, { cause: 'manual' }),
      ),
      [span(10, 20), span(40, END)],
    ],
    [
      'is not stopped by the notice of a deletion',
      factsOf(registered(10), stopped(20, { cause: undefined })),
      [span(10, END)],
    ],
    [
      'is not billed while it is free',
      factsOf(registered(10), changed(20, { billable: false }), changed(30, { billable: true })),
      [span(10, 20), span(30, END)],
    ],
    ['that is free from the beginning is not billed', factsOf(registered(10, { billable: false })), []],
    [
      'is billed to another account after a transfer',
      factsOf(registered(10), changed(20, { accountId: 'globex' })),
      [span(10, 20), span(20, END, { accountId: 'globex' })],
    ],
    [
      'is billed as another type after a change of it, and not as another after one that says the same',
      factsOf(registered(10), changed(20, { clusterType: 'a' }), changed(30, { clusterType: 'a' })),
      [span(10, 20), span(20, END, { clusterType: 'a' })],
    ],
    [
      'is billed to the same account again without a break',
      factsOf(registered(10), changed(20, { accountId: 'acme' })),
      [span(10, END)],
    ],
    [
      'is billed to one account twice if it was transferred back',
      factsOf(registered(10), changed(20, { accountId: 'globex' }), changed(30, { accountId: 'acme' })),
      [span(10, 20), span(20, 30, { accountId: 'globex' }), span(30, END)],
    ],
    [
      'is not billed before any fact names its account',
      factsOf(registered(10, { accountId: undefined }), changed(20, { accountId: 'acme' })),
      [span(20, END)],
    ],
    [
      'has the account that the fact with the greater event id names of two at one instant',
      factsOf(
        registered(10, { eventId: 'x' }),
        changed(20, { accountId: 'b', eventId: 'z' }),
        changed(20, { accountId: 'a', eventId: 'y' }),
      ),
      [span(10, 20), span(20, END, { accountId: 'b' })],
    ],
    [
      'has the account of the greater event id also if that is recorded later',
      factsOf(
        registered(10, { eventId: 'x' }),
        changed(20, { accountId: 'a', eventId: 'y' }),
        changed(20, { accountId: 'b', eventId: 'z' }),
      ),
      [span(10, 20), span(20, END, { accountId: 'b' })],
    ],
    [
      'has each attribute of the fact that says it, at one instant',
      factsOf(
        registered(10, { eventId: 'x', clusterType: 'a' }),
        changed(10, { accountId: 'globex', eventId: 'y' }),
      ),
      [span(10, END, { accountId: 'globex', clusterType: 'a' })],
    ],
    [
      'is billed as if a voided fact had not been',
      factsOf(registered(10), stopped(20), voided('e2')),
      [span(10, END)],
    ],
    ['without its voided registration is not billed', factsOf(registered(10), voided('e1')), []],
    [
      'is not changed by a void of a fact that it does not have',
      factsOf(registered(10), stopped(20), voided('e9')),
      [span(10, 20)],
    ],
  ])('%s', (_, facts, billed) => {
    expect(billedAt(facts, facts.length)).toEqual(billed);
  });

  test('is billed as known at a position: later facts and voids do not count', () => {
    const facts = factsOf(registered(10), stopped(20), deleted(30), voided('e2'));
    expect(billedAt(facts, 0)).toEqual([]);
    expect(billedAt(facts, 1)).toEqual([span(10, END)]);
    expect(billedAt(facts, 2)).toEqual([span(10, 20)]);
    expect(billedAt(facts, 3)).toEqual([span(10, 20)]);
    expect(billedAt(facts, 4)).toEqual([span(10, 30)]);
  });

  test('is billed by the order of the instants, not of the log', () => {
    const facts = factsOf(resumed(30), changed(25, { clusterType: 'a' }), stopped(20), registered(10));
    expect(billedAt(facts, 4)).toEqual([span(10, 20), span(30, END, { clusterType: 'a' })]);
  });
});

describe('spans within a window', () => {
  test.each<[spans: BilledSpan[], from: number, to: number, clipped: BilledSpan[]]>([
    [[span(10, 20)], 0, 30, [span(10, 20)]],
    [[span(10, 20)], 12, 18, [span(12, 18)]],
    [[span(10, 20)], 0, 10, []],
    [[span(10, 20)], 0, 11, [span(10, 11)]],
    [[span(10, 20)], 20, 30, []],
    [[span(10, 20)], 19, 30, [span(19, 20)]],
    [[span(10, 20)], 15, 15, []],
    [[span(10, 20)], 16, 14, []],
    [[span(0, END, { clusterType: 'a' })], 5, 6, [span(5, 6, { clusterType: 'a' })]],
    [[span(10, 20), span(20, 30), span(40, 50)], 15, 45, [span(15, 20), span(20, 30), span(40, 45)]],
  ])('are cut: %j from %i to %i', (spans, from, to, clipped) => {
    expect(clip(spans, from, to)).toEqual(clipped);
  });

  test.each<[differ: boolean, was: BilledSpan[], is: BilledSpan[]]>([
    [false, [], []],
    [false, [span(10, 20)], [span(10, 20)]],
    [false, [span(0, 50)], [span(5, 40)]],
    [false, [span(10, 20)], [span(10, 20), span(30, 40)]],
    [false, [span(10, 20), span(30, 40, { accountId: 'a' })], [span(10, 20), span(30, 40)]],
    [true, [span(10, 20)], []],
    [true, [], [span(10, 20)]],
    [true, [span(10, 20)], [span(11, 20)]],
    [true, [span(10, 20)], [span(10, 19)]],
    [true, [span(10, 20)], [span(10, 20, { accountId: 'globex' })]],
    [true, [span(10, 20)], [span(10, 20, { clusterType: 'a' })]],
    [true, [span(10, 15), span(15, 20)], [span(10, 15), span(16, 20)]],
    [true, [span(10, 20)], [span(10, 15), span(15, 20)]],
  ])('are different: %s, from 10 to 30, if they were %j and are %j', (differ, was, is) => {
    expect(differsWithin(was, is, 10, 30)).toBe(differ);
  });
});
