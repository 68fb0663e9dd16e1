import { describe, expect, test } from 'vitest';
import { decide, isNotice } from '../../../src/domain/facts/decide.ts';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { MINUTE_MS } from '../../../src/domain/time.ts';
import { at, deleted, inOrder, registered, resumed, seen, stopped, voided } from './facts.ts';

const NOW = at('2026-03-01T12:00:00Z');
const producer = { now: NOW, mayBackdate: false };
const operator = { now: NOW, mayBackdate: true };

/** Given facts, when one more is posted, this is what the ledger says. */
function given(...facts: readonly Fact[]) {
  const known = inOrder(...facts);
  return {
    when: (fact: Fact, posting = operator) => {
      const decision = decide(known, fact, posting);
      return {
        thenRecords: (...recorded: Fact[]) => expect(decision).toEqual({ ok: true, facts: recorded }),
        thenRefuses: (code: string, more: object = {}) =>
          expect(decision).toMatchObject({ ok: false, rejection: { code, ...more } }),
      };
    },
  };
}

describe('time', () => {
  test('five minutes ahead is accepted, a millisecond more is the future', () => {
    const { effectiveAt, ...rest } = registered('2026-03-01T12:05:00Z');
    given()
      .when({ ...rest, effectiveAt })
      .thenRecords({ ...rest, effectiveAt });
    given()
      .when({ ...rest, effectiveAt: effectiveAt + 1 })
      .thenRefuses('effective-in-future', { latest: NOW + 5 * MINUTE_MS });
  });

  test('35 days ago is accepted from a producer, a millisecond more is not', () => {
    given()
      .when(deleted('2026-01-25T12:00:00Z'), producer)
      .thenRecords(deleted('2026-01-25T12:00:00Z'), stopped('2026-01-25T12:00:00Z', 'deleted'));
    given().when(deleted('2026-01-25T11:59:59.999Z'), producer).thenRefuses('backdated-too-far');
  });

  test('of long ago is accepted from an operator', () => {
    given().when(registered('2010-01-01'), operator).thenRecords(registered('2010-01-01'));
  });

  test('before 2010 is rejected for everybody: the clock was never set', () => {
    given().when(registered('1970-01-01'), operator).thenRefuses('effective-implausible');
    given().when(registered('2009-12-31T23:59:59.999Z'), operator).thenRefuses('effective-implausible');
    given().when(registered('1970-01-01'), producer).thenRefuses('effective-implausible');
  });

  test('limits an operator in the future as well', () => {
    given().when(registered('2026-03-02'), operator).thenRefuses('effective-in-future');
  });
});

describe('a registration', () => {
  test('may be repeated for the same account', () => {
    given(registered('2026-01-02')).when(registered('2026-01-01')).thenRecords(registered('2026-01-01'));
  });

  test('for another account is a conflict, and says which account is known', () => {
    given(registered('2026-01-02'))
      .when(registered('2026-01-03', { accountId: 'globex' }))
      .thenRefuses('registration-conflict', { accountId: 'globex', knownAccountId: 'acme' });
  });

  test('for another account is accepted once the first one is voided', () => {
    given(registered('2026-01-02'), voided('2026-01-03', '1'))
      .when(registered('2026-01-02', { accountId: 'globex' }))
      .thenRecords(registered('2026-01-02', { accountId: 'globex' }));
  });

  test.each(['2026-01-12', '2026-01-13'])('at %s, at or after the deletion, is refused', (when) => {
    given(deleted('2026-01-12'))
      .when(registered(when))
      .thenRefuses('cluster-deleted', { deletedAt: at('2026-01-12') });
  });

  test('from before the deletion is accepted after it', () => {
    given(deleted('2026-01-12')).when(registered('2026-01-11')).thenRecords(registered('2026-01-11'));
  });

  test('is accepted again once the deletion is voided', () => {
    given(deleted('2026-01-12'), voided('2026-01-13', '1'))
      .when(registered('2026-01-14'))
      .thenRecords(registered('2026-01-14'));
  });

  test('of a deleted cluster for another account is a conflict first', () => {
    given(registered('2026-01-02'), deleted('2026-01-12'))
      .when(registered('2026-01-13', { accountId: 'globex' }))
      .thenRefuses('registration-conflict');
  });
});

describe('a deletion', () => {
  test('is recorded with the notice for those who act on stops', () => {
    given(registered('2026-01-02'))
      .when(deleted('2026-01-12'))
      .thenRecords(deleted('2026-01-12'), stopped('2026-01-12', 'deleted'));
  });

  test('is recorded before its registration, and again', () => {
    given(deleted('2026-01-12'))
      .when(deleted('2026-01-10'))
      .thenRecords(deleted('2026-01-10'), stopped('2026-01-10', 'deleted'));
  });
});

describe('stops, resumptions and observations', () => {
  test.each([
    stopped('2026-01-02'),
    resumed('2026-01-02', 'unreachable'),
    seen('2026-01-02', 'ClusterUnreachable'),
  ])('are recorded whatever is known: $type', (fact) => {
    given().when(fact).thenRecords(fact);
    given(registered('2026-01-03'), deleted('2026-01-01')).when(fact).thenRecords(fact);
  });
});

describe('a void', () => {
  test('of a stop is recorded alone', () => {
    given(stopped('2026-01-02')).when(voided('2026-01-03', '1')).thenRecords(voided('2026-01-03', '1'));
  });

  test('of a deletion is recorded with the notice that billing is no longer ended', () => {
    given(registered('2026-01-02'), deleted('2026-01-12'))
      .when(voided('2026-01-15', '2'))
      .thenRecords(voided('2026-01-15', '2'), resumed('2026-01-12', 'deleted'));
  });

  test('of a deletion that is void already brings no second notice', () => {
    given(deleted('2026-01-12'), voided('2026-01-13', '1'))
      .when(voided('2026-01-14', '1'))
      .thenRecords(voided('2026-01-14', '1'));
  });

  test('of what is not known is refused', () => {
    given(stopped('2026-01-02'))
      .when(voided('2026-01-03', '9'))
      .thenRefuses('void-target-unknown', { voids: '9' });
  });

  test('of a void is refused', () => {
    given(stopped('2026-01-02'), voided('2026-01-03', '1'))
      .when(voided('2026-01-04', '2'))
      .thenRefuses('void-target-not-voidable', { targetType: 'FactVoided' });
  });

  test("of the ledger's own notice is refused", () => {
    given(deleted('2026-01-02'), stopped('2026-01-02', 'deleted'))
      .when(voided('2026-01-04', '2'))
      .thenRefuses('void-target-not-voidable', { targetType: 'BillingStopped' });
  });
});

test('only stops and resumptions of cause deleted are notices', () => {
  const facts = [stopped('2026-01-02', 'deleted'), resumed('2026-01-02', 'deleted'), stopped('2026-01-02')];
  expect([...facts, deleted('2026-01-02')].map(isNotice)).toEqual([true, true, false, false]);
});
