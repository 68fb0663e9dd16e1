import { z } from 'zod';
import { ValidatorOut } from '../../api/validator.ts';
import { line } from '../../domain/facts/fact.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { VISIBLE_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import { answer, problemResponses } from '../contract.ts';
import { instantOut, Reading } from '../params/fields.ts';
import { modelFor } from '../params/read-model.ts';
import { breakerOut, currentRunOut } from '../run-view.ts';
import type { App, HttpServices } from '../server/app.ts';

const getSchema = {
  operationId: 'getValidator',
  tags: ['Validator'],
  summary: 'Get the state of the validator: last runs, active runs, and whether the breaker withholds facts',
  description:
    'The breaker is open while so many clusters fail at once that the network of the ledger is the more likely cause.',
  querystring: z.strictObject({ ...Reading }),
  response: { 200: answer('The state of the validator.', ValidatorOut), ...problemResponses },
};

const decideSchema = {
  operationId: 'decideOutage',
  tags: ['Validator'],
  summary: 'Keep runs effective for some hours although the breaker is open; 0 cancels',
  description: 'Use this if the clusters are really gone. The decision is recorded with its actor.',
  body: z.strictObject({ proceedForHours: z.int().min(0).max(168), note: line(1_000).optional() }),
  response: {
    200: answer('The state of the validator with the decision.', ValidatorOut),
    ...problemResponses,
  },
};

/** Adds the routes that read the state of the validator and record decisions about its breaker. */
export function validatorRoutes(app: App, services: HttpServices): void {
  const { projections, decisions, now } = services;

  app.get(
    '/v1/validator',
    { config: { access: { auditor: 'all' } }, schema: getSchema },
    async ({ query }, reply) => {
      await modelFor(projections, query, reply);
      return validatorOut(services);
    },
  );

  app.post(
    '/v1/validator/decisions',
    { config: { access: {} }, schema: decideSchema },
    async ({ body, caller }, reply) => {
      await modelFor(projections, {}, reply);
      const until = now() + body.proceedForHours * HOUR_MS;
      const eventId = await decisions.proceedUntil(until, caller.actor, body.note);
      await projections.waitForEvent(eventId, VISIBLE_TIMEOUT_MS);
      reply.header('ledger-position', String(projections.model.position));
      return validatorOut(services);
    },
  );
}

function validatorOut(services: HttpServices): ValidatorOut {
  const { projections, now } = services;
  const { validations } = projections.model;
  const { decision } = validations;
  const running = validations.activeRuns(services.recordingTime()).flatMap((active) => {
    const run = validations.run(active.run);
    return run === undefined ? [] : [currentRunOut(services, run)];
  });
  return {
    shards: Array.from(validations.shards, ({ shard, run, completedAt, members, conditions, breaker }) => ({
      shard,
      lastRun: run,
      completedAt: instantOut(completedAt),
      clusters: members.size,
      conditions: conditions.size,
      breaker: breakerOut(breaker),
    })),
    running,
    decision:
      decision === undefined || decision.until <= now()
        ? null
        : {
            until: instantOut(decision.until),
            by: decision.by,
            ...(decision.note !== undefined && { note: decision.note }),
          },
  };
}
