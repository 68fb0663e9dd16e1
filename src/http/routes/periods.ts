import { z } from 'zod';
import { ClosePeriodOut, type ClosingOut, PeriodOut } from '../../api/periods.ts';
import { Next } from '../../api/values.ts';
import { dueAt, type PeriodClosing, periodState, periodsUpTo } from '../../domain/billing/period.ts';
import { type Instant, type Period, periodWindow } from '../../domain/time.ts';
import type { ClosePeriodResult } from '../../ledger/period-closing-store.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import type { Position } from '../../util/log-numbers.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import { CLOSED_EXAMPLE } from '../openapi/first-answers.ts';
import { AsOf, instantOut, Paging, PeriodPath, Reading } from '../params/fields.ts';
import { openPage, pageOf } from '../params/paging.ts';
import { knownAt, modelFor, modelForPage } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem, problemOf } from '../server/problem.ts';

const Command = z.strictObject({
  early: z.boolean().optional().describe('Close the period even during its grace period for late facts.'),
  dryRun: z
    .boolean()
    .optional()
    .describe(
      'Only return the statements and adjustments; nothing is written. Also possible during the grace period.',
    ),
});

const tags = ['Billing'];

const listPeriodsSchema = {
  operationId: 'listPeriods',
  tags,
  summary: 'List the periods from the first one that has statements to the current one',
  description:
    'A period is open until its end and the grace period for late facts have passed, then due, then closed.',
  querystring: z.strictObject({ asOf: AsOf.optional(), ...Paging, ...Reading }),
  response: {
    200: answer('A page of the periods.', z.strictObject({ items: z.array(PeriodOut), ...Next })),
    ...problemResponses,
  },
};

const getPeriodSchema = {
  operationId: 'getPeriod',
  tags,
  summary: 'Get a period',
  description:
    'Says whether the period is open, due or closed, and for a closed one the digest of its statements.',
  params: PeriodPath,
  querystring: z.strictObject({ asOf: AsOf.optional(), ...Reading }),
  response: { 200: answer('The period.', PeriodOut), ...problems('not-found') },
};

const closePeriodSchema = {
  operationId: 'closePeriod',
  tags,
  summary: 'Close a period permanently',
  description:
    'Closing a closed period returns the result of the first closing. Periods close in order, without gaps.',
  params: PeriodPath,
  body: Command.nullish(),
  response: {
    200: answer('The closing, or with `dryRun` the statements it would make.', ClosePeriodOut, {
      examples: CLOSED_EXAMPLE,
    }),
    ...problems(
      'period-not-ended',
      'period-in-grace',
      'period-not-next',
      'clock-untrusted',
      'cluster-halted',
    ),
  },
};

/** Adds the routes that list periods and close them. */
export function periodRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/periods',
    {
      config: { access: { billing: 'all', auditor: 'all' } },
      schema: listPeriodsSchema,
    },
    async (request, reply) => {
      const { query } = request;
      const page = openPage(request, 'text');
      const { model, moment } = await modelForPage(services, page, query, reply);
      const [after] = page.after ?? [];
      const isBehind = (period: Period) => after === undefined || period > after;
      const { now } = moment;
      const asOf = knownAt(model, query.asOf, { position: moment.position });
      const periods = periodsIn(model, now, asOf);
      const { items, last } = pageOf(periods, query.limit, isBehind, (period) => [period]);
      return {
        items: items.map((period) => viewOf(model, period, { now, asOf, graceMs: services.graceMs })),
        ...page.next(last, moment),
      };
    },
  );

  app.get(
    '/v1/periods/:period',
    {
      config: { access: { billing: 'all', auditor: 'all' } },
      schema: getPeriodSchema,
    },
    async ({ params: { period }, query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const [now, asOf] = [services.now(), knownAt(model, query.asOf)];
      const periods = periodsIn(model, now, asOf);
      if (!periods.includes(period)) {
        const [first, last] = [periods[0], periods.at(-1)];
        const known = first === undefined ? 'nothing is billed yet' : `periods run from ${first} to ${last}`;
        throw new Problem('not-found', `period ${period} does not exist: ${known}`);
      }
      return viewOf(model, period, { now, asOf, graceMs: services.graceMs });
    },
  );

  app.post(
    '/v1/periods/:period/close',
    {
      config: { access: { billing: 'all' } },
      schema: closePeriodSchema,
    },
    async ({ params: { period }, body, caller }, reply) => {
      await modelFor(services.projections, {}, reply);
      const { early = false, dryRun = false } = body ?? {};
      const { actor } = caller;
      const answer = closingOut(await services.closePeriod.run({ period, early, dryRun, actor }));
      reply.header('ledger-position', String(services.projections.model.position));
      return answer;
    },
  );
}

function periodsIn(model: LedgerModel, now: Instant, asOf: Position): readonly Period[] {
  return periodsUpTo(now, model.calendarAt(asOf));
}

/** Returns a period with its closing as known at a position. Whether it is due depends on the clock only. */
function viewOf(
  model: LedgerModel,
  period: Period,
  { now, asOf, graceMs }: { readonly now: Instant; readonly asOf: Position; readonly graceMs: number },
): PeriodOut {
  const close = model.closedPeriods.knownAt(asOf).find((closed) => closed.period === period);
  const { from, to } = periodWindow(period);
  return {
    period,
    state: periodState(period, close !== undefined, now, graceMs),
    window: { from: instantOut(from), to: instantOut(to) },
    dueAt: instantOut(dueAt(period, graceMs)),
    close: close === undefined ? null : closeOut(close),
  };
}

function tallyOut({ watermark, accounts, totals, statementsDigest, rules }: PeriodClosing) {
  return { watermark: String(watermark), accounts, totals, statementsDigest, rules };
}

function closeOut(close: Extract<ClosePeriodResult, { outcome: 'closed' }>['close']): ClosingOut {
  const { position, closedAt } = close;
  return {
    ...tallyOut(close),
    position: position === undefined ? null : String(position),
    closedAt: instantOut(closedAt),
  };
}

/** @throws Problem if the command was rejected */
function closingOut(closing: ClosePeriodResult) {
  switch (closing.outcome) {
    case 'closed':
      return { outcome: closing.outcome, period: closing.close.period, ...closeOut(closing.close) };
    case 'would-close': {
      const { outcome, close, statements } = closing;
      return { outcome, period: close.period, ...tallyOut(close), statements };
    }
    case 'rejected':
      throw problemOf(closing.rejection);
    case 'clock-untrusted':
      throw new Problem(
        'clock-untrusted',
        `the clock of the host cannot be trusted, so it is not certain that the period has ended: ${closing.why}; nothing was closed; set the clock, or confirm the time with POST /v1/clock/trust`,
      );
    case 'halted':
      throw new Problem(
        'cluster-halted',
        `cluster ${closing.clusterId} cannot be read, so no statement can be computed: ${closing.why}`,
      );
  }
}
