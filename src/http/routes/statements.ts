import { z } from 'zod';
import { StatementList, StatementOut } from '../../api/statements.ts';
import { MEASURES } from '../../api/usage.ts';
import type { Amounts } from '../../domain/billing/quantity.ts';
import { RULES_VERSION, type Statement } from '../../domain/billing/statement.ts';
import { ALL_TYPES, type Usage } from '../../domain/billing/usage-meter.ts';
import type { Period } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { closedQuestion, statementsInTurns } from '../../projections/queries/period-statements.ts';
import { type Cell, csvRow, SECONDS_COLUMNS, secondsCells, toCsv } from '../../util/csv.ts';
import type { Position } from '../../util/log-numbers.ts';
import { jsonLines, problems } from '../contract.ts';
import { STATEMENT_EXAMPLE, STATEMENTS_EXAMPLE } from '../openapi/first-answers.ts';
import { acceptedForm, inAllForms, type PiecesOfForms, sendAccepted } from '../params/content-negotiation.ts';
import { AccountPath, AsOf, instantOut, Paging, PeriodPath, Reading } from '../params/fields.ts';
import { linkNext, openPage, type Place } from '../params/paging.ts';
import { knownAt, modelFor, modelForPage } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { tagOf } from '../server/etag.ts';
import { Problem } from '../server/problem.ts';
import { objectWithArray, sendPieces } from '../server/streamed-answer.ts';

const description =
  'Answers JSON, CSV or NDJSON, by Accept. The statements of a closed period never change. Facts that are recorded later ' +
  'appear as adjustments on the statements of the next period that is closed.';

const getStatementsSchema = {
  operationId: 'getStatements',
  tags: ['Billing'],
  summary: 'List the statements of a closed period, in order of the accounts',
  description,
  params: PeriodPath,
  querystring: z.strictObject({
    limit: Paging.limit.unwrap().optional().describe('Maximum number of statements; by default all.'),
    cursor: Paging.cursor,
    asOf: AsOf.optional(),
    ...Reading,
  }),
  response: {
    200: inAllForms('The statements.', StatementList, jsonLines(StatementOut), {
      headers: ['Link'],
      examples: STATEMENTS_EXAMPLE,
    }),
    ...problems('not-found', 'rules-unknown', 'not-acceptable'),
  },
};

const getStatementSchema = {
  operationId: 'getStatement',
  tags: ['Billing'],
  summary: 'Get the statement of an account for a closed period',
  description,
  params: PeriodPath.extend({ accountId: AccountPath.shape.accountId }),
  querystring: z.strictObject({ asOf: AsOf.optional(), ...Reading }),
  response: {
    200: inAllForms('The statement.', StatementOut, jsonLines(StatementOut), {
      examples: STATEMENT_EXAMPLE,
    }),
    ...problems('not-found', 'rules-unknown', 'not-acceptable'),
  },
};

/** Adds the routes that read the statements of closed periods. */
export function statementRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/periods/:period/statements',
    {
      config: { access: { billing: 'all', auditor: 'all' }, isHeavy: true },
      schema: getStatementsSchema,
    },
    async (request, reply) => {
      const { query, params, turn } = request;
      const page = openPage(request, 'text');
      const { model, position } = await modelForPage(services, page, query, reply);
      const asOf = knownAt(model, query.asOf, { position });
      const [behind] = (page.after ?? []) as readonly string[];
      const { head, digest, statements } = closedStatements(
        model,
        params.period,
        asOf,
        { behind },
        turn?.signal,
      );
      const { items, last } = await pageOfStatements(statements, query.limit);
      const next = page.next(last, { position });
      linkNext(request, reply, next.next);
      const form = acceptedForm(request, reply);
      // These statements never change, so that the digest of all of them names them.
      if (query.limit === undefined)
        reply.header('etag', tagOf(JSON.stringify([form, params.period, digest, behind, services.version])));
      return sendPieces(request, reply, piecesOf(head, items, next)[form]());
    },
  );

  app.get(
    '/v1/periods/:period/statements/:accountId',
    {
      config: { access: { billing: 'all', auditor: 'all', customer: 'own' } },
      schema: getStatementSchema,
    },
    async (request, reply) => {
      const { query } = request;
      const { period, accountId } = request.params;
      const model = await modelFor(services.projections, query, reply);
      const asOf = knownAt(model, query.asOf);
      const { head, statements } = closedStatements(model, period, asOf, { only: accountId });
      for await (const statement of statements) {
        const item = statementOut(statement, head.closedAt);
        return sendAccepted(request, reply, {
          json: () => item,
          csv: () => toCsv(HEADER, rowsOf(item)),
          items: () => [item],
        });
      }
      throw new Problem(
        'not-found',
        `account ${accountId} has no statement for ${period}: it was not billed then and nothing is adjusted`,
      );
    },
  );
}

/** @throws Problem `not-found` if the period is not closed, or was not closed at the position */
function closedStatements(
  model: LedgerModel,
  period: Period,
  asOf: Position,
  choice: Parameters<typeof statementsInTurns>[2],
  signal?: AbortSignal,
) {
  const question = closedQuestion(model, period);
  const close = model.closedPeriods.of(period);
  if (question === undefined || close === undefined)
    throw new Problem('not-found', `${period} is not closed, so it has no statements`);
  if (close.position > asOf) {
    const detail = `${period} was closed at position ${close.position}; it was not closed at position ${asOf}`;
    throw new Problem('not-found', detail);
  }
  if (close.rules !== RULES_VERSION) {
    const detail = `${period} was closed by version ${close.rules} of the billing rules; this release computes version ${RULES_VERSION}`;
    throw new Problem('rules-unknown', detail);
  }
  const head = { period, watermark: String(close.watermark), closedAt: instantOut(close.closedAt) };
  const statements = statementsInTurns(model, question, choice, signal);
  return { head, digest: close.statementsDigest, statements };
}

/**
 * Returns the statements of a page.
 * @param limit without a limit, the statements are computed as they are read.
 * @returns the statements, and the place of the last one if there are more.
 */
async function pageOfStatements(
  statements: AsyncIterable<Statement>,
  limit: number | undefined,
): Promise<{ items: AsyncIterable<Statement> | Iterable<Statement>; last?: Place }> {
  if (limit === undefined) return { items: statements };
  const items: Statement[] = [];
  for await (const statement of statements) {
    if (items.length === limit) return { items, last: [items.at(-1)?.accountId ?? ''] };
    items.push(statement);
  }
  return { items };
}

/** Returns the statements in all forms, one after the other. */
function piecesOf(
  head: { readonly closedAt: string },
  items: AsyncIterable<Statement> | Iterable<Statement>,
  next: { readonly next?: string },
): PiecesOfForms {
  const each = async function* (pieceOf: (item: z.output<typeof StatementOut>, i: number) => string) {
    let i = 0;
    for await (const statement of items) yield pieceOf(statementOut(statement, head.closedAt), i++);
  };
  return {
    json: () => {
      const array = each((item, i) => (i === 0 ? '' : ',') + JSON.stringify(item));
      return objectWithArray(head, 'items', array, next);
    },
    csv: async function* () {
      yield csvRow(HEADER);
      yield* each((item) => rowsOf(item).map(csvRow).join(''));
    },
    ndjson: () => each((item) => `${JSON.stringify(item)}\n`),
  };
}

/** Returns a statement as the API answers it. */
export function statementOut(statement: Statement, closedAt: string): z.output<typeof StatementOut> {
  const { statementId, accountId, period, watermark, ...figures } = statement;
  return { statementId, accountId, period, watermark, closedAt, ...figures };
}

const number = (value: number | string) => ({ number: String(value) });
const ADDITIVE = ['billableClusters', 'clusterSeconds'] as const satisfies (keyof Amounts)[];
const OTHERS = MEASURES.filter((measure) => !ADDITIVE.some((other) => other === measure));

type Line = 'usage' | 'adjustment' | 'total';

const HEADER = [
  ...['statementId', 'lineId', 'accountId', 'period', 'watermark', 'closedAt'],
  ...['line', 'of', 'clusterType', 'billableClusters', ...SECONDS_COLUMNS, ...OTHERS, 'facts'],
];

/**
 * Returns a row for the usage, one for each adjustment (a difference), and one for the total, which is the sum of the others.
 * After each come its rows by cluster type. `lineId` numbers the rows of a statement.
 */
function rowsOf(statement: z.output<typeof StatementOut>): Cell[][] {
  const {
    statementId,
    accountId,
    period,
    watermark,
    closedAt = '',
    usage,
    byType,
    adjustments,
    total,
  } = statement;
  const rows: Cell[][] = [];
  const none = OTHERS.map(() => null);
  const measures = (own: Usage) => OTHERS.map((measure) => number(own[measure]));
  const add = (
    line: Line,
    of: string,
    clusterType: Cell,
    amounts: Amounts,
    others: Cell[],
    facts: Cell = null,
  ) =>
    rows.push([
      ...[statementId, `${statementId}_${rows.length + 1}`, accountId, period, number(watermark), closedAt],
      ...[line, of, clusterType, number(amounts.billableClusters), ...secondsCells(amounts.clusterSeconds)],
      ...[...others, facts],
    ]);
  add('usage', period, ALL_TYPES, usage, measures(usage));
  for (const own of byType) add('usage', period, own.clusterType, own, measures(own));
  for (const { period: of, delta, byType: types, facts } of adjustments) {
    add('adjustment', of, ALL_TYPES, delta, none, facts.join(' '));
    for (const own of types) add('adjustment', of, own.clusterType, own.delta, none);
  }
  add('total', period, ALL_TYPES, total, none);
  for (const own of total.byType) add('total', period, own.clusterType, own, none);
  return rows;
}
