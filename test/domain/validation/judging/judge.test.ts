import { describe, expect, test } from 'vitest';
import type { FactOf } from '../../../../src/domain/facts/fact.ts';
import { formatInstant } from '../../../../src/domain/time.ts';
import { conditionId } from '../../../../src/domain/validation/judging/condition.ts';
import { VERDICT_CODES, type Verdict } from '../../../../src/domain/validation/judging/verdict.ts';
import { at } from '../../facts/facts.ts';
import {
  alive,
  DAY_MS,
  Fleet,
  HOUR_MS,
  MINUTE_MS,
  REGISTERED,
  refused,
  START,
  timeout,
  typesOf,
  unverifiable,
} from '../fleet.ts';

const TICK = 5 * MINUTE_MS;
/** Clusters that stay up, so that one cluster that goes down is not an outage. */
const OTHERS = { o1: alive(), o2: alive() };
const fleet = (settings: object = {}) => new Fleet(settings, ['c1', 'o1', 'o2']);
const seen = (c1: ReturnType<typeof alive>) => ({ c1, ...OTHERS });

describe('a cluster that stops answering', () => {
  test('is unreachable once, after at least three bad verdicts in a row that span 15 minutes', () => {
    const one = fleet();
    one.run(START, seen(alive('u1')));
    for (const n of [1, 2, 3]) expect(one.run(START + n * TICK, seen(refused)).facts).toEqual([]);
    const { facts } = one.run(START + 4 * TICK, seen(timeout));
    expect(typesOf(facts)).toEqual(['c1 ClusterUnreachable']);
    expect(facts[0]?.id).toBe('20260415T122000.000Z/c1/ClusterUnreachable');
    expect(facts[0]?.fact).toEqual({
      type: 'ClusterUnreachable',
      clusterId: 'c1',
      effectiveAt: at('2026-04-15T12:20:00.040Z'),
      policy: expect.stringMatching(/^default@[0-9a-f]{16}$/),
      since: '2026-04-15T12:05:00.040Z',
      evidence: {
        run: '20260415T122000.000Z',
        firstBadAt: '2026-04-15T12:05:00.040Z',
        lastBadAt: '2026-04-15T12:20:00.040Z',
        lastAliveAt: '2026-04-15T12:00:00.040Z',
        count: 4,
        codes: { refused: 3, timeout: 1 },
        uid: 'u1',
      },
    });
    expect(one.run(START + 5 * TICK, seen(refused)).facts).toEqual([]);
  });

  test('is not unreachable after many runs in a short time, nor after few over a long one', () => {
    const hurried = fleet();
    for (let n = 0; n < 14; n++) hurried.run(START + n * MINUTE_MS, seen(refused));
    expect(hurried.concluded).toEqual([]);
    const rare = fleet();
    for (const n of [0, 12]) rare.run(START + n * HOUR_MS, seen(refused));
    expect(rare.concluded).toEqual([]);
  });

  test('is not billed from when it was last seen alive, once it has been bad for 24 hours', () => {
    const one = fleet();
    one.runs(START, HOUR_MS, seen(alive()));
    const down = START + HOUR_MS + TICK;
    one.runs(down, DAY_MS - TICK, seen(refused));
    expect(one.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable']);
    const { facts } = one.run(down + DAY_MS, seen(refused));
    expect(facts.map(({ fact }) => fact)).toEqual([
      expect.objectContaining({
        type: 'BillingStopped',
        cause: 'unreachable',
        effectiveAt: START + HOUR_MS,
        since: formatInstant(down + 40),
        evidence: expect.objectContaining({ count: 289 }),
      }),
    ]);
    one.runs(down + DAY_MS + TICK, DAY_MS, seen(refused));
    expect(one.concluded).toHaveLength(2);
  });

  test.each([
    ['first-unreachable', START + TICK + 40],
    ['decision', START + TICK + DAY_MS + 2_000],
    ['last-alive', START + 40],
  ])('is stopped from the instant that the policy names: %s', (stopEffective, effectiveAt) => {
    const one = fleet({ stopEffective });
    one.run(START, seen(alive()));
    one.runs(START + TICK, DAY_MS, seen(refused));
    expect(one.concluded.at(-1)).toMatchObject({ type: 'BillingStopped', effectiveAt });
  });

  test('is stopped from the first bad verdict if it was never seen alive and the policy allows that, and never before its registration', () => {
    const one = fleet({ stopNeverSeen: true });
    one.runs(START, DAY_MS, seen(refused));
    expect(one.concluded.at(-1)).toMatchObject({ type: 'BillingStopped', effectiveAt: START + 40 });
    const early = new Fleet({}, ['o1', 'o2']);
    early.register('c1', START + HOUR_MS);
    early.run(START, seen(alive()));
    early.runs(START + TICK, DAY_MS, seen(refused));
    expect(early.concluded.at(-1)).toMatchObject({ type: 'BillingStopped', effectiveAt: START + HOUR_MS });
  });

  test('is not stopped by the first bad verdict after a day in which the ledger could not ask', () => {
    const one = fleet();
    one.run(START, seen(alive()));
    one.runs(START + TICK, 4 * TICK, seen(timeout));
    one.runs(START + 6 * TICK, 26 * HOUR_MS, seen({ state: 'unverifiable', code: 'network-down' }));
    const back = START + 27 * HOUR_MS;
    one.runs(back, 23 * HOUR_MS, seen(timeout));
    expect(one.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable']);
    one.runs(back + 23 * HOUR_MS + TICK, HOUR_MS, seen(timeout));
    expect(one.concluded.at(-1)).toMatchObject({ type: 'BillingStopped', effectiveAt: START + 40 });
  });

  test('keeps its streak through unverifiable runs, whose time does not count', () => {
    const one = fleet();
    one.run(START, seen(alive()));
    one.run(START + TICK, seen(refused));
    for (const n of [2, 3, 4, 5]) one.run(START + n * TICK, seen(unverifiable));
    expect(one.fold.historyOf('c1')?.bad?.count).toBe(1);
    one.runs(START + 6 * TICK, 2 * TICK, seen(refused));
    expect(one.fold.historyOf('c1')?.bad?.count).toBe(4);
    expect(one.concluded).toEqual([]);
    expect(typesOf(one.run(START + 9 * TICK, seen(refused)).facts)).toEqual(['c1 ClusterUnreachable']);
    expect(one.judge(START + 2 * DAY_MS, seen(unverifiable)).facts).toEqual([]);
  });

  test('is not billed again because a front refuses the ledger, and is when it answers itself', () => {
    const one = fleet();
    const front = seen({ state: 'alive', code: 'front' });
    one.run(START, seen(alive()));
    const last = one.runs(START + TICK, DAY_MS, seen({ state: 'unreachable', code: 'not-kubernetes' }));
    expect(one.concluded.at(-1)).toMatchObject({ type: 'BillingStopped' });
    const later = one.runs(last + TICK, DAY_MS, front);
    expect(one.concluded.at(-1)).toMatchObject({ type: 'BillingStopped' });
    expect(typesOf(one.run(later + TICK, seen(alive())).facts)).toEqual([
      'c1 ClusterReachable',
      'c1 BillingResumed',
    ]);
  });

  test('has not been seen alive if only a front has answered', () => {
    const one = fleet();
    one.runs(START, HOUR_MS, seen({ state: 'alive', code: 'front' }));
    expect(one.fold.historyOf('c1')?.aliveAt).toBeUndefined();
    one.runs(START + HOUR_MS + TICK, 26 * HOUR_MS, seen(refused));
    expect(one.concluded).toEqual([]);
  });

  test.each<Verdict['state'][]>([['unknown'], ['alive']])('is billed on behind a front: %s', (state) => {
    const one = fleet();
    one.run(START, seen(alive()));
    one.runs(START + TICK, 26 * HOUR_MS, seen({ state, code: 'front' }));
    expect(one.concluded).toEqual([]);
  });

  test.each(VERDICT_CODES.unverifiable)(
    'is billed on if the ledger could not ask for 26 hours: %s',
    (code) => {
      const one = fleet();
      one.run(START, seen(alive()));
      one.runs(START + TICK, 26 * HOUR_MS, seen({ state: 'unverifiable', code }));
      expect(one.concluded).toEqual([]);
    },
  );

  test('has another field of its credential in the alert as soon as another one is at fault', () => {
    const one = fleet();
    const refusedFor = (detail: string) =>
      seen({ state: 'unverifiable', code: 'credential-refused', detail });
    const details = (run: ReturnType<Fleet['run']>) => run.conditions.map(({ data }) => data['detail']);
    expect(details(one.run(START, refusedFor('server is missing')))).toEqual(['server is missing']);
    expect(details(one.run(START + TICK, refusedFor('kind must be Config')))).toEqual([
      'kind must be Config',
    ]);
    const { verdicts } = one.run(START + 2 * TICK, refusedFor('kind must be Config'));
    expect(verdicts.filter(({ isChanged }) => isChanged)).toEqual([]);
    expect(one.fold.historyOf('c1')?.last?.detail).toBe('kind must be Config');
  });

  test('is detected by its UID when another cluster answers in its place', () => {
    const one = fleet();
    one.run(START, seen(alive('u1')));
    one.run(START + TICK, seen(alive()));
    one.runs(START + 2 * TICK, 3 * TICK, seen(alive('u2')));
    expect(one.concluded).toEqual([
      expect.objectContaining({
        type: 'ClusterUnreachable',
        evidence: expect.objectContaining({ codes: { 'identity-mismatch': 4 }, uid: 'u1', uidSeen: 'u2' }),
      }),
    ]);
    expect(one.fold.historyOf('c1')).toMatchObject({ uid: 'u1', last: { code: 'identity-mismatch' } });
  });
});

describe('confirmation by inventory', () => {
  const settings = { confirmWith: 'inventory' };

  test('prevents the stop of a cluster that the platform still lists, and raises a condition', () => {
    const one = fleet(settings);
    one.run(START, seen(alive()));
    for (const opinion of ['listed', 'unknown'] as const) {
      one.inventory.set('c1', opinion);
      one.runs(START + TICK, 2 * DAY_MS, seen(refused));
      expect(one.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable']);
      const { conditions } = one.played.at(-1)?.judgement ?? { conditions: [] };
      expect(conditions.map(conditionId)).toEqual(['stop-unconfirmed:c1']);
    }
    one.inventory.set('c1', 'gone');
    const { facts, conditions } = one.run(START + 3 * DAY_MS, seen(refused));
    expect(typesOf(facts)).toEqual(['c1 BillingStopped']);
    expect(conditions.map(conditionId)).toEqual([]);
    expect(one.run(START + 3 * DAY_MS + TICK, seen(refused)).conditions).toEqual([]);
  });
});

describe('a cluster that answers again', () => {
  const down = (settings: object = {}) => {
    const one = fleet(settings);
    one.run(START, seen(alive()));
    const last = one.runs(START + TICK, DAY_MS, seen(refused));
    expect(one.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable', 'BillingStopped']);
    return { one, next: last + TICK };
  };

  test('is reachable, and billed from that probe on', () => {
    const { one, next } = down();
    const { facts } = one.run(next, seen({ ...alive(), after: 777 }));
    expect(facts.map(({ fact }) => [fact.type, fact.effectiveAt])).toEqual([
      ['ClusterReachable', next + 777],
      ['BillingResumed', next + 777],
    ]);
    expect(one.run(next + TICK, seen(alive())).facts).toEqual([]);
  });

  test('must answer as often as the policy requires, and is then billed from the first answer on', () => {
    const { one, next } = down({ reachableAfter: 3 });
    expect(one.run(next, seen(alive())).facts).toEqual([]);
    expect(one.run(next + TICK, seen(alive())).facts).toEqual([]);
    const { facts } = one.run(next + 2 * TICK, seen(alive()));
    expect(facts.map(({ fact }) => fact.effectiveAt)).toEqual([next + 40, next + 40]);
  });

  test('stays stopped if an operator stopped it, whatever the probes say', () => {
    const one = fleet();
    one.add({ type: 'BillingStopped', clusterId: 'c1', effectiveAt: START - HOUR_MS, cause: 'manual' });
    one.run(START, seen(alive()));
    one.runs(START + TICK, HOUR_MS, seen(refused));
    one.runs(START + 2 * HOUR_MS, HOUR_MS, seen(alive()));
    expect(one.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable', 'ClusterReachable']);
  });

  test('ends a stop that is effective in the same millisecond, since at equal times the stop would win', () => {
    const { one, next } = down();
    one.add({ type: 'BillingResumed', clusterId: 'c1', effectiveAt: next, cause: 'unreachable' });
    one.add({ type: 'BillingStopped', clusterId: 'c1', effectiveAt: next + 40, cause: 'unreachable' });
    const resumed = one.run(next, seen(alive())).facts.find(({ fact }) => fact.type === 'BillingResumed');
    expect(resumed?.fact.effectiveAt).toBe(next + 41);
    expect(one.stateOf('c1', next + TICK).stoppedSince).toBeUndefined();
  });
});

describe('an operator', () => {
  test('is not contradicted after voiding a stop or resuming billing, while the cluster stays as it is', () => {
    const one = fleet();
    one.run(START, seen(alive()));
    const last = one.runs(START + TICK, DAY_MS, seen(refused));
    one.add({ type: 'BillingResumed', clusterId: 'c1', effectiveAt: last, cause: 'unreachable' });
    const again = one.runs(last + TICK, DAY_MS, seen(refused));
    expect(one.concluded).toHaveLength(2);
    one.run(again + TICK, seen(alive()));
    one.runs(again + 2 * TICK, DAY_MS, seen(refused));
    expect(one.concluded.map(({ type }) => type)).toEqual([
      'ClusterUnreachable',
      'BillingStopped',
      'ClusterReachable',
      'ClusterUnreachable',
      'BillingStopped',
    ]);
  });

  test('finds the facts of a run that was cut off recorded once', () => {
    const one = fleet();
    one.run(START, seen(alive()));
    const last = one.runs(START + TICK, 2 * TICK, seen(refused));
    const cutOff = one.judge(last + TICK, seen(refused));
    expect(typesOf(cutOff.facts)).toEqual(['c1 ClusterUnreachable']);
    for (const { fact } of cutOff.facts) one.add(fact);
    one.runs(last + 2 * TICK, HOUR_MS, seen(refused));
    expect(one.concluded).toEqual([]);
  });
});

describe('a cluster that flips', () => {
  test('more than 6 times in 24 hours is only flapping, until it has been steady for an hour', () => {
    const one = fleet({ unreachableAfter: 1, unreachableFor: '0m' });
    for (let n = 0; n <= 6; n++) one.run(START + n * TICK, seen(n % 2 === 1 ? refused : alive()));
    expect(one.concluded).toHaveLength(6);
    const turned = START + 7 * TICK;
    const { facts, conditions } = one.run(turned, seen(refused));
    expect(facts).toEqual([]);
    expect(conditions.map(conditionId)).toEqual(['flapping:c1']);
    one.runs(turned + TICK, HOUR_MS - TICK, seen(refused));
    expect(one.concluded).toHaveLength(6);
    const steady = one.run(turned + HOUR_MS + TICK, seen(refused));
    expect(typesOf(steady.facts)).toEqual(['c1 ClusterUnreachable']);
    expect(steady.conditions).toEqual([]);
  });
});

describe('a deleted cluster', () => {
  const deleted = () => {
    const one = fleet();
    one.run(START, seen(alive('u1')));
    one.add({ type: 'ClusterDeleted', clusterId: 'c1', effectiveAt: START + MINUTE_MS });
    return one;
  };

  test('raises no alert if only a front answers', () => {
    const { conditions } = deleted().run(START + TICK, seen({ state: 'alive', code: 'front' }));
    expect(conditions.map(conditionId)).toEqual([]);
  });

  test('raises an alert and no fact if it still answers', () => {
    const one = deleted();
    const { facts, conditions } = one.run(START + TICK, seen(alive('u1')));
    expect(facts).toEqual([]);
    expect(conditions.map(conditionId)).toEqual(['alive-after-delete:c1']);
    expect(one.run(START + 2 * TICK, seen(refused)).conditions).toEqual([]);
  });

  test('is verified gone by three bad verdicts, even if another cluster has its address', () => {
    const one = deleted();
    expect(one.run(START + TICK, seen(refused)).verifiedGone).toEqual([]);
    expect(one.run(START + 2 * TICK, seen(timeout)).verifiedGone).toEqual([]);
    expect(one.run(START + 3 * TICK, seen(alive('u2'))).verifiedGone).toEqual(['c1']);
    expect(one.fold.historyOf('c1')?.announced.gone).toBe(true);
    one.runs(START + 4 * TICK, 3 * DAY_MS, seen(refused));
    expect(one.concluded).toEqual([]);
  });

  test('is judged with all earlier verdicts once its deletion is voided', () => {
    const one = deleted();
    const last = one.runs(START + TICK, DAY_MS, seen(refused));
    const [, deletion] = one.facts.get('c1') ?? [];
    one.add({
      type: 'FactVoided',
      clusterId: 'c1',
      effectiveAt: last,
      voids: deletion?.eventId as string,
      reason: 'a mistake',
    });
    const { facts } = one.run(last + TICK, seen(refused));
    expect(typesOf(facts)).toEqual(['c1 ClusterUnreachable', 'c1 BillingStopped']);
    expect(facts[1]?.fact.effectiveAt).toBe(START + 40);
  });
});

describe('the mode', () => {
  const play = (mode: string) => {
    const one = fleet({ mode, version: 'v1' });
    one.run(START, seen(alive()));
    const last = one.runs(START + TICK, DAY_MS + HOUR_MS, seen(refused));
    one.runs(last + TICK, HOUR_MS, seen(alive()));
    return one;
  };

  test('observe appends nothing, and records once what enforce would have done', () => {
    const [observed, enforced] = [play('observe'), play('enforce')];
    expect(observed.concluded).toEqual([]);
    const would = observed.played.map(({ judgement }) => judgement.wouldHave);
    expect(would).toEqual(enforced.played.map(({ judgement }) => judgement.facts));
    expect(would.flat()).toHaveLength(4);
  });

  test('notify records unreachable clusters and stops nothing', () => {
    const notified = play('notify');
    expect(notified.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable', 'ClusterReachable']);
    const would = notified.played.flatMap(({ judgement }) => judgement.wouldHave);
    expect(typesOf(would)).toEqual(['c1 BillingStopped', 'c1 BillingResumed']);
  });

  test('enforce acts on verdicts from the time under observe', () => {
    const one = fleet({ mode: 'observe' });
    one.run(START, seen(alive()));
    const last = one.runs(START + TICK, DAY_MS, seen(refused));
    one.policies = fleet().policies;
    expect(typesOf(one.run(last + TICK, seen(refused)).facts)).toEqual([
      'c1 ClusterUnreachable',
      'c1 BillingStopped',
    ]);
  });

  test('observe records once that it would have ended an active stop', () => {
    const one = fleet();
    one.run(START, seen(alive()));
    const last = one.runs(START + TICK, DAY_MS, seen(refused));
    one.policies = fleet({ mode: 'observe' }).policies;
    const { facts, wouldHave } = one.run(last + TICK, seen(alive()));
    expect(facts).toEqual([]);
    expect(typesOf(wouldHave)).toEqual(['c1 ClusterReachable', 'c1 BillingResumed']);
    expect(one.run(last + 2 * TICK, seen(alive())).wouldHave).toEqual([]);
  });
});

describe('conditions', () => {
  test('found in the inventory replace those with the same id, and are recorded when they begin and end', () => {
    const one = fleet();
    one.inventory.set('c1', 'gone');
    const data = { source: 'argocd', since: '2026-04-15T11:00:00.000Z' };
    one.extra = [{ kind: 'billed-but-missing', subject: 'c1', accountId: 'acme', data }];
    const { conditions } = one.run(START, seen(alive()));
    expect(conditions).toEqual(one.extra);
    const raised = () => {
      const { record } = one.played.at(-1)?.records.at(-1) ?? {};
      return record?.type === 'ValidationCompleted' ? [record.data.raised, record.data.resolved] : [];
    };
    expect(raised()).toEqual([1, 0]);
    one.run(START + TICK, seen(alive()));
    expect(raised()).toEqual([0, 0]);
    one.extra = [];
    one.inventory.clear();
    one.run(START + 2 * TICK, seen(alive()));
    expect(raised()).toEqual([0, 1]);
  });

  test('say what could not be verified in every mode, and of free clusters no more than that', () => {
    const one = fleet({ mode: 'observe' });
    const { conditions } = one.run(START, seen(unverifiable));
    expect(conditions).toEqual([
      {
        kind: 'unverifiable',
        subject: 'c1',
        accountId: 'acme',
        data: { code: 'no-credential', since: '2026-04-15T12:00:00.040Z', policy: expect.any(String) },
      },
    ]);
    const free = new Fleet({}, ['o1', 'o2']);
    free.register('c1', REGISTERED, 'acme', false);
    free.inventory.set('c1', 'gone');
    free.run(START, seen(alive()));
    free.runs(START + TICK, 2 * DAY_MS, seen(refused));
    expect(free.concluded.map(({ type }) => type)).toEqual(['ClusterUnreachable']);
    expect(free.played.at(-1)?.judgement.conditions).toEqual([]);
  });
});

test('every concluded fact is acceptable to the ledger', () => {
  const one = fleet();
  one.run(START, seen(alive()));
  one.runs(START + TICK, DAY_MS, seen(refused));
  const stop = one.concluded.at(-1) as FactOf<'BillingStopped'>;
  expect(stop.reason).toBe('unreachable: the cluster has not answered for as long as the policy allows');
});
