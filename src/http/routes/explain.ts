import { z } from 'zod';
import { ExplainedClusterOut, ExplanationOut } from '../../api/explain.ts';
import { FACT_COLUMNS, type FactRef } from '../../api/fact-ref.ts';
import type { CountedInterval } from '../../domain/billing/explanation.ts';
import { formatSeconds } from '../../domain/billing/quantity.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { type ExplainedCluster, explainUsage } from '../../projections/queries/explain-usage.ts';
import { readFacts } from '../../projections/queries/read-facts.ts';
import { type Cell, csvRow, SECONDS_COLUMNS, secondsCells } from '../../util/csv.ts';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import { jsonLines, problems } from '../contract.ts';
import { factRef } from '../fact-view.ts';
import { acceptedForm, inAllForms } from '../params/content-negotiation.ts';
import { AccountPath, AsOf, instantOut, Reading } from '../params/fields.ts';
import { knownAt, modelFor, requireAccount } from '../params/read-model.ts';
import { countedOf, headOf, WindowFields } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';
import { tagOfParts } from '../server/etag.ts';
import { objectWithArray, sendPieces } from '../server/streamed-answer.ts';

const Query = z.strictObject({ ...WindowFields, asOf: AsOf.optional(), ...Reading });

/** Maximum number of intervals of a slice. */
const SLICE = 64;
/** Number of intervals, and of clusters without any, whose facts are read from the store together. */
const BATCH = 256;

const explainAccountUsageSchema = {
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
};

/** Adds the route that explains the usage of an account. */
export function explainRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/accounts/:accountId/usage/explain',
    {
      config: { access: { billing: 'all', auditor: 'all', customer: 'own' }, isHeavy: true },
      schema: explainAccountUsageSchema,
    },
    async (request, reply) => {
      const { query, params, turn } = request;
      const model = await modelFor(services.projections, query, reply);
      requireAccount(model, params.accountId);
      const question = { ...countedOf(query, services.now(), '/query'), asOf: knownAt(model, query.asOf) };
      const { clusters, ...breakdown } = await explainUsage(model, params.accountId, question, turn?.signal);
      const head = { accountId: params.accountId, ...headOf(model, query, question) };
      const slices = () => slicesOf(services.store, model, clusters, turn?.signal);
      const form = acceptedForm(request, reply);
      // The intervals name their facts, which never change.
      const { position: _, ...figures } = head;
      const about = [form, services.version, figures, breakdown];
      reply.header('etag', await tagOfParts(about, clusters, turn?.signal));
      const pieces = {
        json: () => objectWithArray({ ...head, ...breakdown }, 'clusters', jsonOf(slices(), ',')),
        csv: () => csvOf(head, slices()),
        ndjson: () => jsonOf(slices(), '\n'),
      };
      return sendPieces(request, reply, pieces[form]());
    },
  );
}

/** Consecutive intervals of a cluster. A cluster without intervals has one empty slice. */
interface Slice {
  readonly cluster: ExplainedCluster;
  readonly from: number;
  readonly intervals: ExplainedClusterOut['intervals'];
}

/** Yields all clusters slice by slice, with references to the facts. Facts are read for some slices at once. */
async function* slicesOf(
  store: EventStore,
  model: LedgerModel,
  clusters: readonly ExplainedCluster[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Slice> {
  const yielder = new EventLoopYielder(signal);
  let batch: { readonly cluster: ExplainedCluster; readonly from: number; readonly to: number }[] = [];
  let size = 0;
  const read = async function* () {
    const positions = batch.flatMap(({ cluster, from, to }) =>
      cluster.intervals.slice(from, to).flatMap(({ openedBy, closedBy }) => [openedBy, closedBy ?? openedBy]),
    );
    const facts = await readFacts(store, model, positions, signal);
    const ref = (position: Position) => factRef(model, facts, position);
    for (const { cluster, from, to } of batch) {
      const intervals = cluster.intervals.slice(from, to).map((interval) => intervalOut(interval, ref));
      yield { cluster, from, intervals };
      if (yielder.isDue) await yielder.yield();
    }
    batch = [];
    size = 0;
  };
  for (const cluster of clusters) {
    for (let from = 0; from === 0 || from < cluster.intervals.length; from += SLICE) {
      const to = Math.min(from + SLICE, cluster.intervals.length);
      batch.push({ cluster, from, to });
      size += Math.max(1, to - from);
      if (size >= BATCH) yield* read();
    }
  }
  yield* read();
}

function intervalOut(
  interval: CountedInterval,
  ref: (position: Position) => FactRef,
): ExplainedClusterOut['intervals'][number] {
  return {
    from: instantOut(interval.from),
    to: instantOut(interval.to),
    clusterType: interval.clusterType,
    stillBilled: interval.closedBy === null,
    clusterSeconds: formatSeconds(millisecondsOf(interval)),
    openedBy: ref(interval.openedBy),
    closedBy: interval.closedBy === null ? null : ref(interval.closedBy),
  };
}

/** Yields a JSON object for each cluster. @param separator between them; a line feed also ends the last one. */
async function* jsonOf(slices: AsyncIterable<Slice>, separator: ',' | '\n'): AsyncGenerator<string> {
  let isFirst = true;
  for await (const { cluster, from, intervals } of slices) {
    let text = '';
    if (from === 0) {
      if (separator === ',' && !isFirst) text = ',';
      isFirst = false;
      text += `${JSON.stringify(clusterHead(cluster)).slice(0, -1)},"intervals":[`;
    }
    text += intervals.map((interval, i) => (from + i === 0 ? '' : ',') + JSON.stringify(interval)).join('');
    if (from + SLICE >= cluster.intervals.length) {
      const { why } = cluster;
      text += why === undefined ? ']}' : `],${JSON.stringify({ why }).slice(1)}`;
      if (separator === '\n') text += separator;
    }
    yield text;
  }
}

/** The members of a cluster before its intervals. */
function clusterHead({ clusterId, name, billable, intervals }: ExplainedCluster) {
  const billed = intervals.reduce((sum, interval) => sum + millisecondsOf(interval), 0n);
  return {
    clusterId,
    name: name ?? null,
    billable: billable ?? null,
    clusterSeconds: formatSeconds(billed),
  } satisfies Omit<ExplainedClusterOut, 'intervals' | 'why'>;
}

function millisecondsOf({ from, to }: CountedInterval): bigint {
  return BigInt(to - from);
}

const INTERVAL_COLUMNS = ['from', 'to', 'clusterType', 'stillBilled', ...SECONDS_COLUMNS] as const;

/** Writes a row per interval. */
async function* csvOf(
  { accountId, period, window, through, asOf, position }: ReturnType<typeof headOf> & { accountId: string },
  slices: AsyncIterable<Slice>,
): AsyncGenerator<string> {
  const shared: Cell[] = [
    ...[accountId, period ?? null, window.from, window.to, through, asOf],
    { number: position },
  ];
  const named = (prefix: string) => FACT_COLUMNS.map((column) => `${prefix}.${column}`);
  yield csvRow([
    ...['accountId', 'period', 'windowFrom', 'windowTo', 'through', 'asOf', 'position', 'clusterId', 'name'],
    ...INTERVAL_COLUMNS,
    ...named('openedBy'),
    ...named('closedBy'),
  ]);
  for await (const { cluster, intervals } of slices) {
    let rows = '';
    for (const { from, to, clusterType, stillBilled, clusterSeconds, openedBy, closedBy } of intervals) {
      const own: Cell[] = [
        ...[cluster.clusterId, cluster.name ?? null, from, to, clusterType, String(stillBilled)],
        ...secondsCells(clusterSeconds),
      ];
      rows += csvRow([...shared, ...own, ...cellsOf(openedBy), ...cellsOf(closedBy)]);
    }
    yield rows;
  }
}

function cellsOf(fact: FactRef | null): Cell[] {
  return FACT_COLUMNS.map((column) => {
    if (fact === null) return null;
    return column === 'position' ? { number: fact.position } : fact[column];
  });
}
