import { describe, expect, test } from 'vitest';
import { causesStopping, isBilledAt } from '../../../src/domain/billing/billing.ts';
import { at, bill, billedOf, deleted, registered, resumed, seen, stopped, voided } from '../facts/facts.ts';

describe('a registration', () => {
  test('starts billing without an end', () => {
    expect(billedOf(bill(registered('2026-01-02')))).toEqual([['2026-01-02', null]]);
  });

  test('decides if it is effective earlier, even if it is recorded later', () => {
    const billing = bill(
      registered('2026-01-05', { name: 'late' }),
      registered('2026-01-02', { name: 'early' }),
    );
    expect(billing.registration?.order).toBe(2);
    expect(billedOf(billing)).toEqual([['2026-01-02', null]]);
  });

  test('at the same time as another one decides if its event id is greater', () => {
    const billing = bill(
      registered('2026-01-02', { billable: false }),
      registered('2026-01-02', { billable: true }),
    );
    expect(billing.registration?.order).toBe(2);
    expect(billedOf(billing)).toHaveLength(1);
  });

  test('bills nothing if it is free', () => {
    const billing = bill(registered('2026-01-02', { billable: false }));
    expect(billing.registration).toBeDefined();
    expect(billing.intervals).toEqual([]);
  });
});

describe('a deletion', () => {
  test('ends billing permanently', () => {
    const billing = bill(registered('2026-01-02'), deleted('2026-01-12'), resumed('2026-01-20'));
    expect(billedOf(billing)).toEqual([['2026-01-02', '2026-01-12']]);
  });

  test('decides if it is effective earlier, even if it is recorded later', () => {
    const billing = bill(registered('2026-01-02'), deleted('2026-01-20'), deleted('2026-01-12'));
    expect(billing.deletion?.order).toBe(3);
    expect(billedOf(billing)).toEqual([['2026-01-02', '2026-01-12']]);
  });

  test.each(['2026-01-01', '2026-01-02'])(
    'at %s, at or before the registration, leaves nothing billed',
    (when) => {
      expect(bill(registered('2026-01-02'), deleted(when)).intervals).toEqual([]);
    },
  );

  test('adds no interval while billing is stopped', () => {
    const billing = bill(registered('2026-01-02'), stopped('2026-01-05'), deleted('2026-01-12'));
    expect(billedOf(billing)).toEqual([['2026-01-02', '2026-01-05']]);
  });
});

describe('a cause', () => {
  test('stops billing from its stop to its resumption', () => {
    const billing = bill(registered('2026-01-02'), stopped('2026-01-05'), resumed('2026-01-07'));
    expect(billedOf(billing)).toEqual([
      ['2026-01-02', '2026-01-05'],
      ['2026-01-07', null],
    ]);
  });

  test('stops billing from the registration on if its stop is earlier', () => {
    const billing = bill(stopped('2026-01-01'), registered('2026-01-02'), resumed('2026-01-07'));
    expect(billedOf(billing)).toEqual([['2026-01-07', null]]);
  });

  test('leaves no moment billed if its stop is at the instant of the registration', () => {
    const billing = bill(registered('2026-01-02'), stopped('2026-01-02'), resumed('2026-01-07'));
    expect(billedOf(billing)).toEqual([['2026-01-07', null]]);
  });

  test('no longer stops billing after two stops and one resumption', () => {
    const billing = bill(
      registered('2026-01-02'),
      stopped('2026-01-05'),
      stopped('2026-01-06'),
      resumed('2026-01-07'),
    );
    expect(billedOf(billing)).toEqual([
      ['2026-01-02', '2026-01-05'],
      ['2026-01-07', null],
    ]);
  });

  test('stops billing if a stop and a resumption are at the same instant', () => {
    const billing = bill(registered('2026-01-02'), stopped('2026-01-05'), resumed('2026-01-05'));
    expect(billedOf(billing)).toEqual([['2026-01-02', '2026-01-05']]);
  });

  test('has one switch at an instant: the stop, and of two stops the one with the greater event id', () => {
    const { switches } = bill(
      registered('2026-01-02'),
      resumed('2026-01-05'),
      stopped('2026-01-05'),
      stopped('2026-01-05'),
      stopped('2026-01-05', 'unreachable'),
      stopped('2026-01-06', 'missing'),
      resumed('2026-01-07', 'missing'),
    );
    expect(switches).toEqual({
      manual: [{ at: at('2026-01-05'), cause: 'manual', stops: true, setBy: 4 }],
      unreachable: [{ at: at('2026-01-05'), cause: 'unreachable', stops: true, setBy: 5 }],
      missing: [
        { at: at('2026-01-06'), cause: 'missing', stops: true, setBy: 6 },
        { at: at('2026-01-07'), cause: 'missing', stops: false, setBy: 7 },
      ],
    });
  });

  test('still stops billing after a stop and a resumption at the same instant', () => {
    const { switches } = bill(stopped('2026-01-05'), resumed('2026-01-05'));
    expect(causesStopping(switches, at('2026-01-05'))).toEqual(['manual']);
    expect(switches.manual).toHaveLength(1);
  });

  test('changes nothing if it is resumed without a stop', () => {
    expect(billedOf(bill(registered('2026-01-02'), resumed('2026-01-05')))).toEqual([['2026-01-02', null]]);
  });

  test('leaves no moment billed if the other cause stops at the instant of its resumption', () => {
    const billing = bill(
      registered('2026-01-02'),
      stopped('2026-01-05', 'unreachable'),
      resumed('2026-01-07', 'unreachable'),
      stopped('2026-01-07', 'manual'),
      resumed('2026-01-09', 'manual'),
    );
    expect(billedOf(billing)).toEqual([
      ['2026-01-02', '2026-01-05'],
      ['2026-01-09', null],
    ]);
  });

  test('still stops billing after the resumption of the other cause', () => {
    const { switches } = bill(
      registered('2026-01-02'),
      stopped('2026-01-05', 'manual'),
      stopped('2026-01-05', 'unreachable'),
      resumed('2026-01-07', 'unreachable'),
    );
    expect(causesStopping(switches, at('2026-01-06'))).toEqual(['unreachable', 'manual']);
    expect(causesStopping(switches, at('2026-01-07'))).toEqual(['manual']);
  });

  test('is not set by the notice of a deletion', () => {
    const billing = bill(registered('2026-01-02'), stopped('2026-01-05', 'deleted'));
    expect(billedOf(billing)).toEqual([['2026-01-02', null]]);
  });
});

describe('an observation of the validator', () => {
  test('changes nothing in the bill', () => {
    const billing = bill(
      registered('2026-01-02'),
      seen('2026-01-03', 'ClusterUnreachable'),
      seen('2026-01-04', 'ClusterReachable'),
    );
    expect(billedOf(billing)).toEqual([['2026-01-02', null]]);
  });
});

describe('a voided fact', () => {
  test('has no effect', () => {
    const billing = bill(registered('2026-01-02'), deleted('2026-01-12'), voided('2026-01-13', '2'));
    expect(billing.deletion).toBeUndefined();
    expect(billedOf(billing)).toEqual([['2026-01-02', null]]);
  });

  test('leaves an orphan if it was the only registration', () => {
    const billing = bill(registered('2026-01-02'), stopped('2026-01-03'), voided('2026-01-04', '1'));
    expect(billing).toMatchObject({ registration: undefined, intervals: [] });
  });

  test('leaves the next registration to decide', () => {
    const billing = bill(
      registered('2026-01-02'),
      registered('2026-01-05', { accountId: 'acme', billable: true }),
      voided('2026-01-06', '1'),
    );
    expect(billing.registration?.order).toBe(2);
  });

  test('has no effect from the position of its void on, whenever the void is effective', () => {
    const billing = bill(registered('2026-01-02'), deleted('2026-01-12'), voided('2026-01-01', '2'));
    expect(billing.deletion).toBeUndefined();
  });
});

describe('an interval', () => {
  test('names the facts that opened and closed it', () => {
    const { intervals } = bill(
      registered('2026-01-02'),
      stopped('2026-01-05'),
      resumed('2026-01-07'),
      deleted('2026-01-12'),
    );
    expect(intervals.map(({ openedBy, closedBy }) => [openedBy, closedBy])).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('names the cause that kept it closed longest as the one that opens the next', () => {
    const { intervals } = bill(
      registered('2026-01-02'),
      stopped('2026-01-05', 'manual'),
      stopped('2026-01-06', 'unreachable'),
      resumed('2026-01-07', 'manual'),
      resumed('2026-01-08', 'unreachable'),
    );
    expect(intervals.at(-1)).toMatchObject({ from: at('2026-01-08'), to: null, openedBy: 5, closedBy: null });
  });

  test('includes its first instant and excludes its last', () => {
    const { intervals } = bill(registered('2026-01-02'), deleted('2026-01-12'));
    const billedAt = ['2026-01-01T23:59:59.999Z', '2026-01-02', '2026-01-11T23:59:59.999Z', '2026-01-12'];
    expect(billedAt.map((when) => isBilledAt(intervals, at(when)))).toEqual([false, true, true, false]);
  });
});

test('a cluster with facts and no registration is an orphan, and never billed', () => {
  expect(bill(stopped('2026-01-02'), deleted('2026-01-03'))).toMatchObject({
    registration: undefined,
    intervals: [],
  });
});
