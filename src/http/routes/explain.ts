import { z } from 'zod';
import { ExplainedClusterOut, ExplanationOut } from '../../api/explain.ts';
import { FACT_COLUMNS, type FactRef } from '../../api/fact-ref.ts';
import type { CountedInterval } from '../../domain/billing/explanation.ts';
import { formatSeconds } from '../../domain/billing/quantity.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { type ExplainedCluster, explainUsage } from '../../projections/queries/explain-usage.ts';
import { readFacts } from '../../projections/queries/read-facts.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import { jsonLines, problems } from '../contract.ts';
import { factRef } from '../fact-view.ts';
import { acceptedForm, inAllForms } from '../params/content-negotiation.ts';
import { type Cell, csvRow, SECONDS_COLUMNS, secondsCells } from '../params/csv.ts';
import { AccountPath, AsOf, instantOut, Reading } from '../params/fields.ts';
import { knownAt, modelFor, requireAccount } from '../params/read-model.ts';
import { countedOf, headOf, WindowFields } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';

const Query = z.strictObject({ ...WindowFields, asOf: AsOf.optional(), ...Reading });

/** Number of clusters whose facts are read from the store together. */
const BATCH = 256;

/** Adds the route that explains the usage of an account. */
export function explainRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/accounts/:accountId/usage/explain',
    {
      config: { access: { billing: 'all', auditor: 'all', customer: 'own' } },
      schema: {
        operationId: 'explainAccountUsage',
        tags: ['Billing'],
        summary: 'Explain the usage of an account by clusters, intervals and facts',
        description:
          'The seconds of the intervals add up to those of the cluster, and the seconds of the clusters add up to the usage. ' +
          'Answers JSON, CSV (a row per interval) or NDJSON (a line per cluster), by Accept.',
        params: AccountPath,
        querystring: Query,
        response: {
          200: inAllForms('The explanation.', ExplanationOut, jsonLines(ExplainedClusterOut)),
          ...problems('not-found', 'not-acceptable'),
        },
      },
    },
    async (request, reply) => {
      const { query, params } = request;
      const form = acceptedForm(request, reply);
      const model = await modelFor(services.projections, query, reply);
      requireAccount(model, params.accountId);
      const question = { ...countedOf(query, services.now(), '/query'), asOf: knownAt(model, query.asOf) };
      const { clusters, ...breakdown } = await explainUsage(model, params.accountId, question);
      const head = { accountId: params.accountId, ...headOf(model, query, question) };
      const explained = withFacts(services.store, model, clusters);
      if (form === 'csv') return reply.send(await asCsv(head, explained));
      const texts: string[] = [];
      for await (const cluster of explained) texts.push(JSON.stringify(cluster));
      if (form === 'ndjson') return reply.send(texts.map((text) => `${text}\n`).join(''));
      return reply.send(
        `${JSON.stringify({ ...head, ...breakdown }).slice(0, -1)},"clusters":[${texts.join(',')}]}`,
      );
    },
  );
}

/** Adds references to the facts, one batch of clusters at a time. */
async function* withFacts(
  store: EventStore,
  model: LedgerModel,
  clusters: readonly ExplainedCluster[],
): AsyncGenerator<ExplainedClusterOut> {
  for (let i = 0; i < clusters.length; i += BATCH) {
    const batch = clusters.slice(i, i + BATCH);
    const intervals = batch.flatMap((cluster) => cluster.intervals);
    const positions = intervals.flatMap(({ openedBy, closedBy }) => [openedBy, closedBy ?? openedBy]);
    const facts = await readFacts(store, model, positions);
    const ref = (position: Position) => factRef(model, facts, position);
    yield* yieldingToEventLoop(batch.values().map((cluster) => clusterOut(cluster, ref)));
  }
}

function clusterOut(
  { clusterId, name, billable, intervals, why }: ExplainedCluster,
  ref: (position: Position) => FactRef,
): ExplainedClusterOut {
  const billed = intervals.reduce((sum, interval) => sum + millisecondsOf(interval), 0n);
  return {
    clusterId,
    name: name ?? null,
    billable: billable ?? null,
    clusterSeconds: formatSeconds(billed),
    intervals: intervals.map((interval) => ({
      from: instantOut(interval.from),
      to: instantOut(interval.to),
      clusterType: interval.clusterType,
      stillBilled: interval.closedBy === null,
      clusterSeconds: formatSeconds(millisecondsOf(interval)),
      openedBy: ref(interval.openedBy),
      closedBy: interval.closedBy === null ? null : ref(interval.closedBy),
    })),
    ...(why !== undefined && { why }),
  };
}

function millisecondsOf({ from, to }: CountedInterval): bigint {
  return BigInt(to - from);
}

const INTERVAL_COLUMNS = ['from', 'to', 'clusterType', 'stillBilled', ...SECONDS_COLUMNS] as const;

/** Writes a row per interval. */
async function asCsv(
  { accountId, period, window, through, asOf, position }: ReturnType<typeof headOf> & { accountId: string },
  clusters: AsyncIterable<ExplainedClusterOut>,
): Promise<string> {
  const shared: Cell[] = [
    accountId,
    period ?? null,
    window.from,
    window.to,
    through,
    asOf,
    { number: position },
  ];
  const named = (prefix: string) => FACT_COLUMNS.map((column) => `${prefix}.${column}`);
  let csv = csvRow([
    ...['accountId', 'period', 'windowFrom', 'windowTo', 'through', 'asOf', 'position', 'clusterId', 'name'],
    ...INTERVAL_COLUMNS,
    ...named('openedBy'),
    ...named('closedBy'),
  ]);
  for await (const { clusterId, name, intervals } of clusters) {
    for (const { from, to, clusterType, stillBilled, clusterSeconds, openedBy, closedBy } of intervals) {
      const own: Cell[] = [
        ...[clusterId, name, from, to, clusterType, String(stillBilled)],
        ...secondsCells(clusterSeconds),
      ];
      csv += csvRow([...shared, ...own, ...cellsOf(openedBy), ...cellsOf(closedBy)]);
    }
  }
  return csv;
}

function cellsOf(fact: FactRef | null): Cell[] {
  return FACT_COLUMNS.map((column) => {
    if (fact === null) return null;
    return column === 'position' ? { number: fact.position } : fact[column];
  });
}
