import type pg from 'pg';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import {
  type AccountUsage,
  type UsageQuestion,
  usageByAccount,
} from '../../../src/projections/queries/account-usage.ts';
import { OF_ALL } from '../peers/usage.ts';
import { type Bench, NO_POSTGRES, type Row } from '../support/bench.ts';
import { fillIntervals, modelOf } from '../support/intervals.ts';
import { folderWithLog, logSize, MONTH_WINDOW, NOW } from '../support/log.ts';
import { type Contender, interleaved, type Measured, milliseconds } from '../support/measure.ts';
import { type Result, sooner, within } from '../support/report.ts';

/**
 * Row 8: the usage of every account, asked of the projections as the HTTP resource does: the current month, and a month as
 * of an earlier position, for which nothing can have been kept. PostgreSQL aggregates its billed intervals, all in memory,
 * and is spared the peak. The floor copies the answer.
 */
export const usageAll: Row = {
  number: 8,
  async run(bench) {
    // The goal names 1,000,000 intervals of 100,000 clusters: 20 facts make 10 intervals.
    const size = logSize(bench, bench.options.full ? 20 : 10);
    const folder = await folderWithLog(bench, size);
    const model = await modelOf(folder);
    const postgres = await bench.postgres();
    const client = await postgres?.connect();
    const intervals = postgres === undefined ? undefined : await fillIntervals(bench, postgres, folder);
    const current: UsageQuestion = { window: MONTH_WINDOW, through: NOW, asOf: model.position, byDay: false };
    // The last tenth of the facts, observations, changes no bill. Half of the clusters have a fact before it that changed theirs.
    const earlier: UsageQuestion = { ...current, asOf: Math.floor(model.position * 0.85) };
    const notes = postgres === undefined ? [NO_POSTGRES] : [];
    const work = `usage of ${size.accounts} accounts, ${intervals ?? size.clusters * 5} intervals`;
    const results = [
      await measured(bench, model, client, current, (ours, floor, peer) => ({
        row: '8',
        work: `${work}, current month`,
        unit: 'ms',
        ours,
        floor,
        peers: peer === undefined ? [] : [peer],
        verdicts: [
          ...(peer === undefined ? [] : [sooner(ours, peer, 80)]),
          within('times the floor', ours.median / floor.median, 2, 'x'),
        ],
        notes,
      })),
      await measured(bench, model, client, earlier, (ours, floor, peer) => ({
        row: '8a',
        work: `${work}, as of an earlier position`,
        unit: 'ms',
        ours,
        floor,
        peers: peer === undefined ? [] : [peer],
        verdicts: [...(peer === undefined ? [] : [sooner(ours, peer, 15)])],
        notes,
      })),
    ];
    await client?.end();
    return results;
  },
};

async function measured(
  bench: Bench,
  model: LedgerModel,
  client: pg.Client | undefined,
  question: UsageQuestion,
  result: (ours: Measured, floor: Measured, peer: Measured | undefined) => Result,
): Promise<Result> {
  // As in a running ledger, time has passed since the last answer.
  let passed = 0;
  const compute = () => {
    const through = question.through + passed++;
    return Array.from(usageByAccount(model, { ...question, through })).filter((item) => item !== undefined);
  };
  const items = compute();
  const contenders: Contender[] = [
    { name: 'ours', measure: () => milliseconds(compute) },
    { name: 'copying the answer', measure: () => milliseconds(() => copied(items)) },
  ];
  if (client !== undefined) {
    const values = [question.window.from, question.through];
    const measure = () => milliseconds(() => client.query({ name: 'all', text: OF_ALL, values }));
    contenders.push({ name: 'PostgreSQL aggregate', measure });
  }
  const [ours, floor, peer] = await interleaved(contenders, 3 * bench.rounds, bench);
  if (ours === undefined || floor === undefined) throw new Error('nothing was measured');
  return result(ours, floor, peer);
}

function copied(items: readonly AccountUsage[]): AccountUsage[] {
  return items.map(({ accountId, usage, byType }) => ({
    accountId,
    usage: { ...usage },
    byType: byType.map((own) => ({ ...own })),
  }));
}
