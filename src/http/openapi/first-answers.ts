/** Examples of the first answers that a billing service and an auditor get. test/http/openapi.test.ts compares them with their schemas. */
import type { Examples } from '../contract.ts';

const MEASURES = {
  billableClusters: 1,
  clusterSeconds: '864000.000',
  peakClusters: 1,
  clustersAtStart: 0,
  clustersAtEnd: 0,
  averageClusters: '0.322581',
};
const USAGE = { usage: MEASURES, byType: [{ clusterType: 'workload', ...MEASURES }] };
const HEAD = {
  period: '2026-03',
  window: { from: '2026-03-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z' },
  through: '2026-04-01T00:00:00.000Z',
  asOf: null,
  position: '3',
};
const AMOUNTS = { billableClusters: 1, clusterSeconds: '864000.000' };
const STATEMENT = {
  statementId: 'st_az2g77wkqi2r2d5jydlhcaocne',
  accountId: 'globex',
  period: '2026-03',
  watermark: '3',
  closedAt: '2026-04-04T01:00:00.000Z',
  ...USAGE,
  adjustments: [],
  total: { ...AMOUNTS, byType: [{ clusterType: 'workload', ...AMOUNTS }] },
};

const example = (summary: string, value: unknown): Examples => ({ first: { summary, value } });

export const USAGE_EXAMPLE = example('A month with one account.', {
  ...HEAD,
  items: [{ accountId: 'globex', ...USAGE }],
});

export const ACCOUNT_USAGE_EXAMPLE = example('A cluster that ran for ten days.', {
  accountId: 'globex',
  ...HEAD,
  ...USAGE,
});

export const STATEMENTS_EXAMPLE = example('A closed month with one account.', {
  period: '2026-03',
  watermark: '3',
  closedAt: '2026-04-04T01:00:00.000Z',
  items: [STATEMENT],
});

export const STATEMENT_EXAMPLE = example('The usage is the total: nothing is adjusted.', STATEMENT);

export const CLOSED_EXAMPLE = example('The month is closed for good.', {
  outcome: 'closed',
  period: '2026-03',
  watermark: '3',
  accounts: 1,
  totals: AMOUNTS,
  statementsDigest: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
  rules: 2,
  position: '4',
  closedAt: '2026-04-04T01:00:00.000Z',
});

const DELETED = {
  specversion: '1.0',
  id: 'deleted-c-42',
  source: '/pro-app',
  type: 'io.clusterledger.cluster.deleted.v1',
  subject: 'c-42',
  time: '2026-03-11T09:00:00.000Z',
  datacontenttype: 'application/json',
  ledgerposition: '2',
  ledgerepoch: 1,
  ledgerrevision: 1,
  ledgereventid: 'f18ac32b-d5de-512a-ba66-d0df545d562a',
  recordedtime: '2026-03-11T09:00:00.512Z',
  data: { reason: 'requested in the console' },
};

export const FEED_EXAMPLE = example('One fact; the next call begins after it.', {
  events: [DELETED],
  next: '2',
});

export const REPLAY_EXAMPLE = example(
  'A line: the deletion ends the bill.',
  `${JSON.stringify({ position: '2', fact: DELETED, usage: MEASURES, delta: { billableClusters: 0, clusterSeconds: '-1814400.000' } })}\n`,
);
