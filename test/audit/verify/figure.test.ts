import { beforeAll, describe, expect, test } from 'vitest';
import { checkFigure } from '../../../src/audit/verify/figure.ts';
import { failed } from '../../../src/audit/verify/outcome.ts';
import type { Parsed } from '../../support/evidence.ts';
import { contentsOf, idAt, STATEMENT, smallLog, USAGE } from './small-log.ts';

let good: Parsed;

beforeAll(async () => {
  const log = smallLog();
  good = JSON.parse((await log.evidence(contentsOf(log))).toString('utf8'));
});

const closings = [
  { period: '2026-01', watermark: 4, position: 5, closedAt: '2026-01-01T00:00:00.005Z', rules: 2 },
  { period: '2026-02', watermark: 6, position: 7, closedAt: STATEMENT.closedAt, rules: 2 },
  { period: '2026-03', watermark: 8, position: 9, closedAt: '2026-01-01T00:00:00.009Z', rules: 2 },
];
const [january, february] = closings as [Parsed, Parsed, Parsed];
const beginning = { position: 1, period: '2026-01' };

function outcome(change: (evidence: Parsed) => void, calendar: object = {}, size = 8) {
  const file = structuredClone(good);
  change(file.evidence);
  try {
    return checkFigure(file, size, { closings, beginning, ...calendar });
  } catch (error) {
    return failed(error);
  }
}

const refused = (why: string) => ({ ok: false, check: 'statement', why });

describe('a statement', () => {
  test('follows from the facts and the closings up to its own', () => {
    expect(outcome(() => undefined)).toBeUndefined();
    expect(outcome(() => undefined, { closings: [january, february] })).toBeUndefined();
  });

  test('is the same if the facts stand in another order in the file', () => {
    expect(outcome(({ clusters }) => clusters.reverse())).toBeUndefined();
  });

  test('is null for an account that has none', () => {
    const none = (evidence: Parsed) => Object.assign(evidence, { statement: null, clusters: [] });
    expect(outcome(none)).toBeUndefined();
    expect(outcome((evidence) => Object.assign(evidence, { statement: null }))).toMatchObject({
      why: expect.stringMatching(/^statement is null; by the facts it is \{"statementId":/),
    });
    expect(outcome((evidence) => Object.assign(evidence, { clusters: [] }))).toMatchObject({
      why: expect.stringMatching(/; by the facts it is null$/),
    });
  });

  test('depends on the closings before it', () => {
    expect(outcome(() => undefined, { closings: [february] })).toMatchObject({
      why: expect.stringMatching(/^statement\.adjustments\[0\] is .*; by the facts it is not there$/),
    });
  });

  test('has the adjustments of months before the first closed one only without a beginning', () => {
    const closing = { closings: [{ ...january, period: '2026-01', watermark: 2 }, february] };
    const earlier = ({ clusters: [, c2] }: Parsed) => {
      c2.facts[0].leaf.data.effectiveAt = '2025-12-31T00:00:00.000Z';
    };
    expect(outcome(earlier, { ...closing, beginning: undefined })).toEqual(
      refused('statement.adjustments[0].period is "2026-01"; by the facts it is "2025-12"'),
    );
    expect(outcome(earlier, closing)).toEqual(
      refused('statement.adjustments[0].before.billableClusters is 2; by the facts it is 1'),
    );
  });

  test('cannot be there for a period that was not closed', () => {
    expect(outcome(() => undefined, { closings: [january] })).toEqual(
      refused('there is no closing of 2026-02, so that it has no statement'),
    );
  });

  test('cannot be compared if its closing is of other rules', () => {
    expect(outcome(() => undefined, { closings: [january, { ...february, rules: 3 }] })).toEqual(
      refused(
        'the statement cannot be compared: 2026-02 was closed by rules version 3: rules version 3 is not known to this verifier, which knows version 2',
      ),
    );
  });

  test('cannot be computed if a fact cannot be read', () => {
    const unreadable = ({ clusters }: Parsed) => {
      clusters[1].facts[1].leaf.type = 'ClusterExploded';
    };
    expect(outcome(unreadable)).toEqual(
      refused(
        'the event at position 6 cannot be accounted for: "ClusterExploded" is not a type of fact that this verifier knows',
      ),
    );
  });

  test('cannot be computed for the reason of the first fact in the log that cannot be read', () => {
    const unreadable = ({ clusters: [c1, c2] }: Parsed) => {
      c1.facts[1].leaf.data.cause = 'budget';
      c2.facts[1].leaf.data.effectiveAt = '';
    };
    expect(outcome(unreadable)).toEqual(
      refused('the event at position 6 cannot be accounted for: it has no readable effectiveAt'),
    );
  });

  test.each<[why: string, change: (statement: Parsed) => void]>([
    [
      'statement.statementId is "x"; by the facts it is "st_ap3irant2sxpdd4cdvnnlvp6d7"',
      (statement) => Object.assign(statement, { statementId: 'x' }),
    ],
    [
      'statement.accountId is "globex"; by the facts it is "acme"',
      (statement) => Object.assign(statement, { accountId: 'globex' }),
    ],
    [
      'statement.period is "2026-01"; by the facts it is "2026-02"',
      (statement) => Object.assign(statement, { period: '2026-01' }),
    ],
    [
      'statement.watermark is "7"; by the facts it is "6"',
      (statement) => Object.assign(statement, { watermark: '7' }),
    ],
    [
      'statement.closedAt is not there; by the facts it is "2026-01-01T00:00:00.007Z"',
      (statement) => void delete statement.closedAt,
    ],
    [
      'statement.usage.peakClusters is 2; by the facts it is 1',
      ({ usage }) => Object.assign(usage, { peakClusters: 2 }),
    ],
    [
      'statement.byType[0].clusterType is "a"; by the facts it is null',
      ({ byType }) => Object.assign(byType[0], { clusterType: 'a' }),
    ],
    [
      `statement.adjustments[0].facts[0] is "${idAt(3)}"; by the facts it is "${idAt(6)}"`,
      ({ adjustments }) => adjustments[0].facts.unshift(idAt(3)),
    ],
    [
      'statement.discount is "10"; by the facts it is not there',
      (statement) => Object.assign(statement, { discount: '10' }),
    ],
  ])('does not follow: %s', (why, change) => {
    expect(outcome(({ statement }) => void change(statement))).toEqual(refused(why));
  });
});

describe('a usage', () => {
  const usage =
    (more: object = {}, period = '2026-03') =>
    (evidence: Parsed) => {
      delete evidence.statement;
      Object.assign(evidence, { period, usage: { ...structuredClone(USAGE), ...more } });
    };
  const open = { closings: [january, february] };

  test('follows from the facts that are known at its position, up to its instant', () => {
    expect(outcome(usage(), open)).toBeUndefined();
  });

  test('may be of an instant after the period, which then counts as its end', () => {
    const whole = {
      through: '2026-04-01T00:00:00.001Z',
      usage: { ...USAGE.usage, averageClusters: '0.064516' },
      byType: [{ ...USAGE.byType[0], averageClusters: '0.064516' }],
    };
    expect(outcome(usage(whole), open)).toBeUndefined();
  });

  test('is nothing at an instant before the period', () => {
    const nothing = {
      through: '2026-02-28T00:00:00.000Z',
      usage: {
        billableClusters: 0,
        clusterSeconds: '0.000',
        peakClusters: 0,
        clustersAtStart: 0,
        clustersAtEnd: 0,
        averageClusters: '0.000000',
      },
      byType: [],
    };
    expect(outcome(usage(nothing), open)).toBeUndefined();
    expect(outcome(usage({ ...nothing, position: '0', asOf: '0' }), open)).toBeUndefined();
  });

  test('cannot be there for a period that was closed', () => {
    expect(outcome(usage())).toEqual(refused('2026-03 was closed at position 9: it has a statement'));
  });

  const unsaid = (size: number) =>
    refused(`usage does not say up to which instant it counts, or as known at which position of the ${size}`);
  test.each<[member: string, value: unknown]>([
    ['through', '2026-02-31T00:00:00.000Z'],
    ['through', undefined],
    ['position', '9'],
    ['position', 8],
    ['position', '08'],
    ['position', '-1'],
    ['position', '8 '],
    ['position', 'x8'],
  ])('does not follow if its %s is %j', (member, value) => {
    expect(outcome(usage({ [member]: value }), open)).toEqual(unsaid(8));
  });

  test('may be as known at the last position, or at an earlier one', () => {
    expect(outcome(usage(), open, 7)).toEqual(unsaid(7));
    expect(outcome(usage({ position: '7', asOf: '7' }), open)).toEqual(
      refused('usage.usage.clusterSeconds is "172800.000"; by the facts it is "345600.000"'),
    );
  });

  test.each<[why: string, more: object]>([
    ['usage.accountId is "globex"; by the facts it is "acme"', { accountId: 'globex' }],
    ['usage.period is "2026-02"; by the facts it is "2026-03"', { period: '2026-02' }],
    [
      'usage.window.from is "x"; by the facts it is "2026-03-01T00:00:00.000Z"',
      { window: { ...USAGE.window, from: 'x' } },
    ],
    [
      'usage.window.to is "x"; by the facts it is "2026-04-01T00:00:00.000Z"',
      { window: { ...USAGE.window, to: 'x' } },
    ],
    ['usage.asOf is "7"; by the facts it is "8"', { asOf: '7' }],
    [
      'usage.byType[0] is not there; by the facts it is {"clusterType":null,"billableClusters":1,"clusterSeconds":"172800.000","peakClusters":1,"clustersAtStart":1,"clustersAtEnd":0,"averageClusters":"0.500000"}',
      { byType: [] },
    ],
  ])('does not follow: %s', (why, more) => {
    expect(outcome(usage(more), open)).toEqual(refused(why));
  });
});
