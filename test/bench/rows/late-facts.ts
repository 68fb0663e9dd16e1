import type { Fact } from '../../../src/domain/facts/fact.ts';
import { PERIOD_CLOSED, periodStream } from '../../../src/domain/stream-table.ts';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { applyTo, idAt, modelOf } from '../../support/models.ts';
import type { Row } from '../support/bench.ts';
import { cpuMilliseconds, interleaved } from '../support/measure.ts';
import { type Result, within } from '../support/report.ts';

const FACTS = 100;
const HISTORIES = [200, 2_000, 20_000];
const START = Date.parse('2026-01-01T00:00:00.000Z');
const MINUTE = 60_000;
const MAX_MS = 20;

/** The fact that is applied to the cluster: `n` counts from 0. */
const KINDS: readonly { readonly row: string; readonly work: string; factOf(n: number): Fact }[] = [
  { row: '14', work: 'late facts', factOf: (n) => switched(n % 2 === 0, (n + 50.5) * MINUTE, 'manual') },
  {
    row: '14a',
    work: 'late facts of another cause',
    factOf: (n) => switched(n % 2 === 0, (n + 50.5) * MINUTE, 'missing'),
  },
  { row: '14b', work: 'new facts', factOf: (n) => switched(n % 2 === 0, (30_000 + n) * MINUTE, 'manual') },
  {
    row: '14c',
    work: 'observations',
    factOf: (n) => ({
      ...{ type: n % 2 === 0 ? 'ClusterUnreachable' : 'ClusterReachable', clusterId: 'c' },
      effectiveAt: START + (30_000 + n) * MINUTE,
    }),
  },
];

/**
 * Row 14: facts of a cluster with a long history, of which a month is closed, applied to the projections. In CPU of this
 * process, because the goal is a figure; the first fact builds what the others use, so it is in the figure too.
 */
export const lateFacts: Row = {
  number: 14,
  async run(bench) {
    const results: Result[] = [];
    for (const { row, work, factOf } of KINDS) {
      for (const history of HISTORIES) {
        const [ours] = await interleaved(
          [{ name: 'ours', measure: () => measureOne(history, factOf) }],
          bench.rounds,
          bench,
        );
        if (ours === undefined) throw new Error('nothing was measured');
        results.push({
          row,
          work: `${FACTS} ${work}, a cluster of ${history} facts`,
          unit: 'ms of CPU',
          ours,
          floor: undefined,
          peers: [],
          verdicts: [within('CPU, ms', ours.median, MAX_MS, 'ms')],
          notes: [],
        });
      }
    }
    return results;
  },
};

function measureOne(history: number, factOf: (n: number) => Fact) {
  const model = crowdedModel(history);
  const next = model.positionsOf(0).length;
  return cpuMilliseconds(() => {
    for (let n = 0; n < FACTS; n++) applyTo(model, factOf(n), next + n);
  });
}

/** A cluster that is stopped and resumed all the time, after the first month was closed. */
function crowdedModel(facts: number): LedgerModel {
  const registration = { accountId: 'acme', name: 'c', clusterType: 'kubernetes' };
  const model = modelOf([
    { type: 'ClusterRegistered', clusterId: 'c', effectiveAt: START - MINUTE, ...registration },
  ]);
  for (let i = 1; i < facts; i++) applyTo(model, switched(i % 2 === 1, i * MINUTE, 'manual'), i);
  const position = model.position + 1;
  const totals = { billableClusters: 1, clusterSeconds: '1.000' };
  const closing = { watermark: String(model.position), accounts: 1, totals, statementsDigest: 'd', rules: 2 };
  model.apply({
    ...{ id: idAt(position), type: PERIOD_CLOSED, stream: periodStream('2026-01'), revision: 0 },
    ...{ data: { period: '2026-01', ...closing }, metadata: {}, position, recordedAt: position },
  });
  return model;
}

function switched(stops: boolean, afterMs: number, cause: 'manual' | 'missing'): Fact {
  const type = stops ? 'BillingStopped' : 'BillingResumed';
  return { type, clusterId: 'c', effectiveAt: START + afterMs, cause };
}
