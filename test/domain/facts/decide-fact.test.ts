import { describe, expect, test } from 'vitest';
import { decide, isNotice, type Posting } from '../../../src/domain/facts/decide-fact.ts';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { KnownFacts } from '../../../src/domain/facts/known-facts.ts';
import { MINUTE_MS } from '../../../src/domain/time.ts';
import { at, changed, deleted, inOrder, registered, resumed, seen, stopped, voided } from './facts.ts';

const NOW = at('2026-03-01T12:00:00Z');
const producer: Posting = { now: NOW, mayBackdate: false };
const operator: Posting = { now: NOW, mayBackdate: true };

/** Specifies a decision: the known facts, the posted fact, and the expected result. */
function given(...facts: readonly Fact[]) {
  const known = new KnownFacts(inOrder(...facts));
  return {
    when: (fact: Fact, posting = operator) => {
      const decision = decide(known, fact, posting);
      return {
        thenRecords: (...recorded: Fact[]) => expect(decision).toEqual({ ok: true, facts: recorded }),
        thenRejects: (code: string, more: object = {}) =>
          expect(decision).toMatchObject({ ok: false, rejection: { code, ...more } }),
      };
    },
  };
}

describe('the effective time of a fact', () => {
  test('may be five minutes ahead, and not a millisecond more', () => {
    const { effectiveAt, ...rest } = registered('2026-03-01T12:05:00Z');
    given()
      .when({ ...rest, effectiveAt })
      .thenRecords({ ...rest, effectiveAt });
    given()
      .when({ ...rest, effectiveAt: effectiveAt + 1 })
      .thenRejects('effective-in-future', { latest: NOW + 5 * MINUTE_MS });
  });

  test('may be 35 days ago for a producer, and not a millisecond more', () => {
    given()
      .when(deleted('2026-01-25T12:00:00Z'), producer)
      .thenRecords(deleted('2026-01-25T12:00:00Z'), stopped('2026-01-25T12:00:00Z', 'deleted'));
    given().when(deleted('2026-01-25T11:59:59.999Z'), producer).thenRejects('backdated-too-far');
  });

  test('may be long ago for an operator', () => {
    given().when(registered('2010-01-01'), operator).thenRecords(registered('2010-01-01'));
  });

  test('is rejected before 2010 for everybody, because the clock was never set', () => {
    given().when(registered('1970-01-01'), operator).thenRejects('effective-implausible');
    given().when(registered('2009-12-31T23:59:59.999Z'), operator).thenRejects('effective-implausible');
    given().when(registered('1970-01-01'), producer).thenRejects('effective-implausible');
  });

  test('must not be in the future for an operator either', () => {
    given().when(registered('2026-03-02'), operator).thenRejects('effective-in-future');
  });
});

describe('a registration', () => {
  test('may be repeated for the same account', () => {
    given(registered('2026-01-02')).when(registered('2026-01-01')).thenRecords(registered('2026-01-01'));
  });

  test('is a conflict if it names another account, and reports the known one', () => {
    given(registered('2026-01-02'))
      .when(registered('2026-01-03', { accountId: 'globex' }))
      .thenRejects('registration-conflict', { accountId: 'globex', knownAccountId: 'acme' });
  });

  test('is accepted for another account once the first one is voided', () => {
    given(registered('2026-01-02'), voided('2026-01-03', '1'))
      .when(registered('2026-01-02', { accountId: 'globex' }))
      .thenRecords(registered('2026-01-02', { accountId: 'globex' }));
  });

  test.each(['2026-01-12', '2026-01-13'])('is rejected at %s, at or after the deletion', (when) => {
    given(deleted('2026-01-12'))
      .when(registered(when))
      .thenRejects('cluster-deleted', { deletedAt: at('2026-01-12') });
  });

  test('is accepted after the deletion if it is effective before it', () => {
    given(deleted('2026-01-12')).when(registered('2026-01-11')).thenRecords(registered('2026-01-11'));
  });

  test('is accepted again once the deletion is voided', () => {
    given(deleted('2026-01-12'), voided('2026-01-13', '1'))
      .when(registered('2026-01-14'))
      .thenRecords(registered('2026-01-14'));
  });

  test('is rejected as a conflict first if the deleted cluster belongs to another account', () => {
    given(registered('2026-01-02'), deleted('2026-01-12'))
      .when(registered('2026-01-13', { accountId: 'globex' }))
      .thenRejects('registration-conflict');
  });
});

describe('a deletion', () => {
  test('is recorded with a BillingStopped notice', () => {
    given(registered('2026-01-02'))
      .when(deleted('2026-01-12'))
      .thenRecords(deleted('2026-01-12'), stopped('2026-01-12', 'deleted'));
  });

  test('is recorded before the registration, and repeatedly', () => {
    given(deleted('2026-01-12'))
      .when(deleted('2026-01-10'))
      .thenRecords(deleted('2026-01-10'), stopped('2026-01-10', 'deleted'));
  });
});

describe('a transfer to another account', () => {
  const transfer = changed('2026-01-10', { accountId: 'globex' });

  test('is recorded if the caller may transfer', () => {
    given(registered('2026-01-02'))
      .when(transfer, { ...operator, mayTransfer: true })
      .thenRecords(transfer);
  });

  test('is rejected if the caller may not, and reports the owner at that time', () => {
    given(registered('2026-01-02')).when(transfer).thenRejects('transfer-needs-operator', {
      clusterId: 'c1',
      accountId: 'globex',
      knownAccountId: 'acme',
    });
    given()
      .when(transfer, { ...operator, mayTransfer: false })
      .thenRejects('transfer-needs-operator', { knownAccountId: undefined });
  });

  test('is none if the account owns the cluster at that time, or no account is named', () => {
    const same = changed('2026-01-10', { accountId: 'acme', region: 'eu' });
    given(registered('2026-01-02')).when(same).thenRecords(same);
    const moved = changed('2026-01-10', { region: 'us' });
    given().when(moved).thenRecords(moved);
    given(registered('2026-01-02')).when(moved).thenRecords(moved);
  });
});

describe('a correction of the bill', () => {
  const reporter: Posting = { ...producer, mayCorrect: false };

  test.each([stopped('2026-02-28'), resumed('2026-02-28'), voided('2026-02-28', '1')])(
    'is rejected if the caller may not correct: $type',
    (fact) => {
      given(stopped('2026-02-27'))
        .when(fact, reporter)
        .thenRejects('correction-needs-operator', { factType: fact.type });
      given(stopped('2026-02-27'))
        .when(fact, { ...reporter, mayCorrect: true })
        .thenRecords(fact);
    },
  );

  test('is rejected as one before its time is looked at', () => {
    given().when(stopped('1970-01-01'), reporter).thenRejects('correction-needs-operator');
  });

  test.each([
    registered('2026-02-28'),
    changed('2026-02-28', { region: 'eu' }),
    seen('2026-02-28', 'ClusterReachable'),
  ])('is not what reports that something happened: $type', (fact) => {
    given().when(fact, reporter).thenRecords(fact);
  });
});

describe('stops, resumptions and observations', () => {
  test.each([
    stopped('2026-01-02'),
    resumed('2026-01-02', 'unreachable'),
    seen('2026-01-02', 'ClusterUnreachable'),
  ])('are recorded whatever facts are known: $type', (fact) => {
    given().when(fact).thenRecords(fact);
    given(registered('2026-01-03'), deleted('2026-01-01')).when(fact).thenRecords(fact);
  });
});

describe('a void', () => {
  test('is recorded without a notice if it voids a stop', () => {
    given(stopped('2026-01-02')).when(voided('2026-01-03', '1')).thenRecords(voided('2026-01-03', '1'));
  });

  test('is recorded with a BillingResumed notice if it voids a deletion', () => {
    given(registered('2026-01-02'), deleted('2026-01-12'))
      .when(voided('2026-01-15', '2'))
      .thenRecords(voided('2026-01-15', '2'), resumed('2026-01-12', 'deleted'));
  });

  test('is recorded without a notice if the deletion is already voided', () => {
    given(deleted('2026-01-12'), voided('2026-01-13', '1'))
      .when(voided('2026-01-14', '1'))
      .thenRecords(voided('2026-01-14', '1'));
  });

  test('is rejected if its target does not exist', () => {
    given(stopped('2026-01-02'))
      .when(voided('2026-01-03', '9'))
      .thenRejects('void-target-unknown', { voids: '9' });
  });

  test('is rejected if its target is a void', () => {
    given(stopped('2026-01-02'), voided('2026-01-03', '1'))
      .when(voided('2026-01-04', '2'))
      .thenRejects('void-target-not-voidable', { targetType: 'FactVoided' });
  });

  test('is rejected if its target is a notice', () => {
    given(deleted('2026-01-02'), stopped('2026-01-02', 'deleted'))
      .when(voided('2026-01-04', '2'))
      .thenRejects('void-target-not-voidable', { targetType: 'BillingStopped' });
  });
});

test('only stops and resumptions of cause deleted are notices', () => {
  const facts = [stopped('2026-01-02', 'deleted'), resumed('2026-01-02', 'deleted'), stopped('2026-01-02')];
  expect([...facts, deleted('2026-01-02')].map(isNotice)).toEqual([true, true, false, false]);
});
