import { z } from 'zod';
import { RunPlanOut, RunRequestedOut } from '../../api/validations.ts';
import { PolicyWhatIfOut } from '../../api/validator.ts';
import { clippedWindow } from '../../domain/billing/usage-meter.ts';
import { serializeFact } from '../../domain/facts/recorded-fact.ts';
import type { Judgement } from '../../domain/validation/judging/judge.ts';
import { PolicySettings, policiesOf } from '../../domain/validation/judging/policy.ts';
import type { Conclusion } from '../../domain/validation/judging/run-input.ts';
import { countsOf } from '../../domain/validation/records/write-run.ts';
import { simulatePolicyChanges } from '../../usecases/simulate-policy-changes.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import { InstantText, instantOut } from '../params/fields.ts';
import { modelFor } from '../params/read-model.ts';
import { breakerOut } from '../run-view.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

const Command = z.strictObject({
  dryRun: z
    .boolean()
    .optional()
    .describe(
      'Probe every cluster and only return what would be recorded; nothing is written. Answered when all probes are done.',
    ),
});

const requestValidationSchema = {
  operationId: 'requestValidation',
  tags: ['Validator'],
  summary: 'Run the validator now: probe every cluster',
  description: 'If a run is already active, its id is returned.',
  body: Command.nullish(),
  response: {
    200: answer('With `dryRun`, what a run would do.', RunPlanOut),
    202: answer('A run is under way.', RunRequestedOut),
    ...problems('no-validator', 'clock-untrusted'),
  },
};

/** Adds the routes that start the validator, plan a run, or simulate another policy. */
export function validationRequestRoutes(app: App, services: HttpServices): void {
  whatIfRoute(app, services);
  app.post(
    '/v1/validations',
    {
      config: { access: {} },
      schema: requestValidationSchema,
    },
    async ({ body, caller }, reply) => {
      await modelFor(services.projections, {}, reply);
      const { validator } = services;
      if (validator === undefined)
        throw new Problem(
          'no-validator',
          'no source of credentials is configured, so no cluster can be probed',
        );
      if (body?.dryRun === true) {
        const { decidedAt, judgement } = await validator.plan();
        return reply.code(200).send(planOut(decidedAt, judgement));
      }
      const { outcome, run } = await validator.request(caller.actor);
      reply.header('location', `/v1/validations/${encodeURIComponent(run)}`);
      return reply
        .code(202)
        .send({ outcome: outcome === 'begun' ? ('begun' as const) : ('under-way' as const), id: run });
    },
  );
}

const Question = z.strictObject({
  policy: PolicySettings.describe(
    'Thresholds, mode and exceptions, in the form of the setting `validator.policy`.',
  ),
  from: InstantText,
  to: InstantText,
});
const whatIfPolicySchema = {
  operationId: 'whatIfPolicy',
  tags: ['Validator'],
  summary: 'Simulate another policy: billing that it would have stopped, and the resulting bill',
  description: 'Replays the recorded verdicts of past runs under a policy. Nothing is written.',
  body: Question,
  response: {
    200: answer('What the policy would have changed.', PolicyWhatIfOut),
    ...problemResponses,
  },
};

function whatIfRoute(app: App, services: HttpServices): void {
  app.post(
    '/v1/validations/what-if',
    {
      config: { access: { auditor: 'all' } },
      schema: whatIfPolicySchema,
    },
    async ({ body: { policy, from, to } }, reply) => {
      if (from >= to) throw invalidRequest([{ pointer: '/to', detail: 'must be after from' }]);
      await modelFor(services.projections, {}, reply);
      const through = clippedWindow({ from, to }, services.now()).to;
      const { runs, accounts } = await simulatePolicyChanges(
        services.store,
        policiesOf(policy),
        { from, to },
        through,
      );
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

function planOut(decidedAt: number, judgement: Judgement): RunPlanOut {
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

function factOut({ fact }: Conclusion): RunPlanOut['facts'][number] {
  const { type, data } = serializeFact(fact, { source: '', id: '', actor: '' });
  const { clusterId, effectiveAt } = data;
  return { ...data, type, clusterId, effectiveAt } as RunPlanOut['facts'][number];
}
