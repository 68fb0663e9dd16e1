import { z } from 'zod';
import { clippedWindow } from '../../domain/billing/usage.ts';
import { serializeFact } from '../../domain/facts/recorded-fact.ts';
import type { Judgement } from '../../domain/validation/judging/judge.ts';
import { PolicySettings, policiesOf } from '../../domain/validation/judging/policy.ts';
import type { Conclusion } from '../../domain/validation/judging/run-input.ts';
import { countsOf } from '../../domain/validation/records/write-run.ts';
import { policyWhatIf } from '../../usecases/simulate-policy-changes.ts';
import { AmountsOut, problemResponses, UsageOut } from '../contract.ts';
import { InstantOut, InstantText, instantOut } from '../params/fields.ts';
import { modelFor } from '../params/read-model.ts';
import { BreakerOut, breakerOut } from '../run-view.ts';
import { type App, type HttpServices, LOOPBACK_CALLER } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

const Command = z.strictObject({
  dryRun: z
    .boolean()
    .optional()
    .describe(
      'Ask every cluster and only say what would be recorded; nothing is written. Answered when done.',
    ),
});

const FactOut = z.looseObject({ type: z.string(), clusterId: z.string(), effectiveAt: InstantOut });
const Counts = z.strictObject({
  alive: z.int(),
  unreachable: z.int(),
  unknown: z.int(),
  unverifiable: z.int(),
});

const PlanOut = z.strictObject({
  outcome: z.literal('planned'),
  decidedAt: InstantOut,
  counts: Counts,
  withheld: z.boolean().describe('So much is bad that it is more likely us: nothing is concluded.'),
  breaker: BreakerOut,
  facts: z.array(FactOut).describe('What a run would append.'),
  wouldHave: z.array(FactOut).describe('What the mode of a policy keeps back.'),
  conditions: z.array(z.record(z.string(), z.unknown())).describe('What would be alerted about.'),
  verdicts: z.array(
    z.strictObject({
      clusterId: z.string(),
      state: z.string(),
      code: z.string(),
      detail: z.string().optional(),
      at: InstantOut,
    }),
  ),
});
const Begun = z.strictObject({
  outcome: z.enum(['begun', 'under-way']),
  id: z.string().describe('Of the run; see /v1/validations/{id}.'),
});

/** Has the validator run. */
export function validationRequestRoutes(app: App, rooms: HttpServices): void {
  whatIfRoute(app, rooms);
  app.post(
    '/v1/validations',
    {
      schema: {
        operationId: 'requestValidation',
        tags: ['Validator'],
        summary: 'Ask every cluster now whether it is still there',
        description: 'Where a run is under way already, that one is the answer.',
        body: Command.nullish(),
        response: { 200: PlanOut, 202: Begun, ...problemResponses },
      },
    },
    async ({ body }, reply) => {
      await modelFor(rooms.projections, {}, reply);
      const { validator } = rooms;
      if (validator === undefined)
        throw new Problem(
          'no-validator',
          'no source of credentials is configured, so that nothing can be asked',
        );
      if (body?.dryRun === true) {
        const { decidedAt, judgement } = await validator.plan();
        return reply.code(200).send(planOut(decidedAt, judgement));
      }
      const { outcome, run } = await validator.request(LOOPBACK_CALLER.actor);
      reply.header('location', `/v1/validations/${encodeURIComponent(run)}`);
      return reply
        .code(202)
        .send({ outcome: outcome === 'begun' ? ('begun' as const) : ('under-way' as const), id: run });
    },
  );
}

const Question = z.strictObject({
  policy: PolicySettings.describe('Thresholds, mode and exceptions, as `validator.policy` has them.'),
  from: InstantText,
  to: InstantText,
});
const StopOut = z.strictObject({
  clusterId: z.string(),
  policy: z.string(),
  from: InstantOut,
  to: InstantOut.nullable().describe('Null where it would still be stopped.'),
});
const WhatIfOut = z.strictObject({
  window: z.strictObject({ from: InstantOut, to: InstantOut }),
  through: InstantOut,
  runs: z.int().describe('Runs that were played.'),
  items: z.array(
    z.strictObject({
      accountId: z.string(),
      before: UsageOut,
      after: UsageOut,
      delta: AmountsOut,
      stops: z.array(StopOut),
    }),
  ),
});

function whatIfRoute(app: App, rooms: HttpServices): void {
  app.post(
    '/v1/validations/what-if',
    {
      schema: {
        operationId: 'whatIfPolicy',
        tags: ['Validator'],
        summary: 'What another policy would have stopped, and what the bill would have been',
        description: 'Plays the recorded verdicts of past runs through a policy. Nothing is written.',
        body: Question,
        response: { 200: WhatIfOut, ...problemResponses },
      },
    },
    async ({ body: { policy, from, to } }, reply) => {
      if (from >= to) throw invalidRequest([{ pointer: '/to', detail: 'must be after from' }]);
      await modelFor(rooms.projections, {}, reply);
      const through = clippedWindow({ from, to }, rooms.now()).to;
      const { runs, accounts } = await policyWhatIf(rooms.store, policiesOf(policy), { from, to }, through);
      return {
        window: { from: instantOut(from), to: instantOut(to) },
        through: instantOut(through),
        runs,
        items: accounts.map(({ stops, ...account }) => ({
          ...account,
          stops: stops.map((stop) => ({
            ...stop,
            from: instantOut(stop.from),
            to: stop.to === null ? null : instantOut(stop.to),
          })),
        })),
      };
    },
  );
}

function planOut(decidedAt: number, judgement: Judgement): z.output<typeof PlanOut> {
  const { facts, wouldHave, breaker, conditions, isWithheld, verdicts } = judgement;
  return {
    outcome: 'planned',
    decidedAt: instantOut(decidedAt),
    counts: countsOf(verdicts.map(({ verdict }) => verdict)),
    withheld: isWithheld,
    breaker: breakerOut(breaker),
    facts: facts.map(factOut),
    wouldHave: wouldHave.map(factOut),
    conditions: conditions.map((condition) => ({ ...condition })),
    verdicts: verdicts.map(({ clusterId, verdict: { state, code, detail, at } }) => ({
      clusterId,
      state,
      code,
      ...(detail !== undefined && { detail }),
      at: instantOut(at),
    })),
  };
}

function factOut({ fact }: Conclusion): z.output<typeof FactOut> {
  const { type, data } = serializeFact(fact, { source: '', id: '', actor: '' });
  const { clusterId, effectiveAt } = data;
  return { ...data, type, clusterId, effectiveAt };
}
