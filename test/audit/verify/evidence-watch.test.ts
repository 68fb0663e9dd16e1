import { beforeAll, describe, expect, test } from 'vitest';
import { watchFor } from '../../../src/audit/verify/evidence-watch.ts';
import { failed } from '../../../src/audit/verify/outcome.ts';
import type { Parsed } from '../../support/evidence.ts';
import { contentsOf, type SmallLog, smallLog } from './small-log.ts';

let log: SmallLog;
let good: Parsed;

beforeAll(async () => {
  log = smallLog();
  good = JSON.parse((await log.evidence(contentsOf(log))).toString('utf8'));
});

/** Looks at the whole log. */
function outcome(change: (evidence: Parsed) => void, size = 8, whole = log) {
  const file = structuredClone(good);
  change(file.evidence);
  const look = watchFor(file, size);
  try {
    for (const index of whole.events.keys()) look(index, whole.leaf(index));
    return undefined;
  } catch (error) {
    return failed(error);
  }
}

describe('the whole log', () => {
  test('has nothing that complete evidence lacks', () => {
    expect(outcome(() => undefined)).toBeUndefined();
  });

  test.each<[why: string, change: (evidence: Parsed) => void]>([
    ['event at position 1 of the log (billing, revision 0)', (evidence) => void delete evidence.beginning],
    ['event at position 5 of the log (period-2026-01, revision 0)', ({ closings }) => closings.shift()],
    ['event at position 7 of the log (period-2026-02, revision 0)', ({ closings }) => closings.pop()],
    ['event at position 8 of the log (cluster-c1, revision 1)', ({ clusters: [c1] }) => c1.facts.pop()],
    ['event at position 2 of the log (cluster-c1, revision 0)', ({ clusters: [c1] }) => c1.facts.shift()],
  ])('shows that evidence lacks the %s', (why, change) => {
    expect(outcome((evidence) => void change(evidence))).toEqual({
      ok: false,
      check: 'completeness',
      why: `the evidence lacks the ${why}`,
    });
  });

  test('shows that evidence lacks a cluster', () => {
    expect(outcome(({ clusters }) => clusters.pop())).toEqual({
      ok: false,
      check: 'completeness',
      why: 'the evidence lacks cluster c2, which is given to acme at position 3 of the log',
    });
  });

  test('may have more after the events that the evidence covers', () => {
    const withoutLast = ({ clusters: [c1] }: Parsed) => c1.facts.pop();
    expect(outcome(withoutLast, 7)).toBeUndefined();
    expect(outcome(withoutLast, 8)).toMatchObject({ ok: false });
  });

  test('may have a second beginning, and one after a closing, which decide nothing', () => {
    const longer = smallLog().add('billing', 'BillingBegan', { period: '2026-05' });
    expect(outcome(() => undefined, 9, longer)).toBeUndefined();
  });

  test('may have a beginning after the first closing that evidence does not have', () => {
    const log = smallLog();
    const [first, , , , closing] = log.events;
    log.events[0] = { ...(closing as Parsed), position: 1 };
    log.events[4] = { ...(first as Parsed), position: 5 };
    const swap = (evidence: Parsed) => {
      delete evidence.beginning;
      evidence.closings[0].index = 0;
    };
    expect(outcome(swap, 8, log)).toBeUndefined();
  });

  test('shows that evidence lacks a beginning which does not stand at the beginning of the log', () => {
    const log = smallLog();
    const [first, second] = log.events;
    log.events[0] = { ...(second as Parsed), position: 1 };
    log.events[1] = { ...(first as Parsed), position: 2 };
    const lacking = (evidence: Parsed) => {
      delete evidence.beginning;
      evidence.clusters[0].facts[0].index = 0;
    };
    expect(outcome(lacking, 8, log)).toEqual({
      ok: false,
      check: 'completeness',
      why: 'the evidence lacks the event at position 2 of the log (billing, revision 0)',
    });
  });

  test('may have events of other streams', () => {
    const longer = smallLog().add('settings', 'SettingChanged', { accountId: 'acme' });
    expect(outcome(() => undefined, 9, longer)).toBeUndefined();
  });
});
