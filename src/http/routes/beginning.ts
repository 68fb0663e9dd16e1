import { z } from 'zod';
import { BeginBillingOut, BeginningOut } from '../../api/billing-beginning.ts';
import { line } from '../../domain/facts/fact.ts';
import type { Window } from '../../domain/time.ts';
import { beginBilling, type LeftOut } from '../../usecases/begin-billing.ts';
import type { Position } from '../../util/log-numbers.ts';
import { answer, problems } from '../contract.ts';
import { instantOut, PeriodText, Reading } from '../params/fields.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem, problemOf } from '../server/problem.ts';

const Command = z.strictObject({
  period: PeriodText.describe('The first period that has statements.'),
  reason: line(1_000).describe('Why, for auditors: such as which system has charged for the time before.'),
  dryRun: z.boolean().optional().describe('Only say what would be left out; nothing is written.'),
});

const tags = ['Billing'];

const getSchema = {
  operationId: 'getBillingBeginning',
  tags,
  summary: 'The period with which statements begin',
  description: 'Without a recorded beginning, statements begin with the earliest billed period.',
  querystring: z.strictObject({ ...Reading }),
  response: { 200: answer('The recorded beginning.', BeginningOut), ...problems('not-found') },
};

const postSchema = {
  operationId: 'beginBilling',
  tags,
  summary: 'Begin statements with a period',
  description:
    'For a platform that existed before this ledger: an earlier system has charged for what was used before. Once, before the ' +
    'first close, and not to be changed afterwards. The same period again answers the same.',
  body: Command,
  response: {
    200: answer('The beginning, or with `dryRun` what it would leave out.', BeginBillingOut),
    ...problems('billing-already-begun', 'billing-already-closed', 'period-not-ended'),
  },
};

/** The beginning of statements. */
export function beginningRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/billing/beginning',
    { config: { access: { billing: 'all', auditor: 'all' } }, schema: getSchema },
    async ({ query }, reply) => {
      const { beginning } = await modelFor(services.projections, query, reply);
      if (beginning === undefined)
        throw new Problem(
          'not-found',
          'no beginning is recorded: statements begin with the earliest billed period',
        );
      return beginningOut(beginning);
    },
  );

  app.post(
    '/v1/billing/beginning',
    { config: { access: {} }, schema: postSchema },
    async ({ body, caller }, reply) => {
      const { period, reason, dryRun = false } = body;
      const command = { period, reason, dryRun, actor: caller.actor };
      const result = await beginBilling(services, command);
      if (result.outcome === 'rejected') throw problemOf(result.rejection);
      reply.header('ledger-position', String(services.projections.model.position));
      const leftOut = leftOutOut(result.leftOut);
      if (result.outcome === 'would-begin')
        return { outcome: result.outcome, period: result.period, leftOut };
      return { outcome: result.outcome, ...beginningOut(result.beginning), leftOut };
    },
  );
}

function beginningOut({
  period,
  reason,
  position,
  at,
}: {
  period: string;
  reason: string;
  position: Position;
  at: number;
}) {
  return { period, reason, position: String(position), at: instantOut(at) };
}

function leftOutOut({ window, accounts, amounts }: LeftOut) {
  return { window: windowOut(window), accounts, ...amounts };
}

const windowOut = ({ from, to }: Window) => ({ from: instantOut(from), to: instantOut(to) });
