import { z } from 'zod';
import { RunDetailOut, RunOut } from '../../api/validations.ts';
import { Next } from '../../api/values.ts';
import { line } from '../../domain/facts/fact.ts';
import type { Run } from '../../domain/validation/records/run-summary.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import { Paging, Reading } from '../params/fields.ts';
import { openPage, pageOf } from '../params/paging.ts';
import { modelForPage } from '../params/read-model.ts';
import { detailsOf, runFromStore } from '../run-records.ts';
import { currentRunOut } from '../run-view.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem } from '../server/problem.ts';

const RunsQuery = z.strictObject({ ...Paging, ...Reading });

const listSchema = {
  operationId: 'listValidations',
  tags: ['Validator'],
  summary: 'List the runs of the validator, latest first',
  description: 'Each run probes the clusters of a shard once.',
  querystring: RunsQuery,
  response: {
    200: answer('A page of the runs.', z.strictObject({ items: z.array(RunOut), ...Next })),
    ...problemResponses,
  },
};

const getSchema = {
  operationId: 'getValidation',
  tags: ['Validator'],
  summary: 'Get a run: changed verdicts, conclusions, and conclusions that were not recorded',
  description: 'The counts of a run are in its result. The lists of verdicts have pages.',
  params: z.strictObject({ runId: line(64).describe('The id of the run.') }),
  querystring: RunsQuery,
  response: { 200: answer('The run with a page of its verdicts.', RunDetailOut), ...problems('not-found') },
};

/** Adds the routes that read the runs of the validator. */
export function validationRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/validations',
    { config: { access: { auditor: 'all' } }, schema: listSchema },
    async (request, reply) => {
      const { query } = request;
      const page = openPage(request, 'number');
      const { model, position } = await modelForPage(services, page, query, reply);
      const [before] = page.after ?? [Number.POSITIVE_INFINITY];
      const isBehind = ({ position }: Run) => position < Number(before);
      const runs = model.validations.runs.reverse();
      const { items, last } = pageOf(runs, query.limit, isBehind, ({ position }) => [position]);
      return { items: items.map((run) => currentRunOut(services, run)), ...page.next(last, { position }) };
    },
  );

  app.get(
    '/v1/validations/:runId',
    { config: { access: { auditor: 'all' } }, schema: getSchema },
    async (request, reply) => {
      const { params, query } = request;
      const page = openPage(request, 'number');
      const { model, position } = await modelForPage(services, page, query, reply);
      const run = model.validations.run(params.runId) ?? (await runFromStore(services, params.runId));
      if (run === undefined) throw new Problem('not-found', `validation run ${params.runId} does not exist`);
      const from = Number(page.after?.[0] ?? 0);
      const { verdicts, ...details } = await detailsOf(services, run);
      const end = from + query.limit;
      return {
        ...currentRunOut(services, run),
        ...details,
        verdicts: verdicts.slice(from, end),
        ...page.next(end < verdicts.length ? [end] : undefined, { position }),
      };
    },
  );
}
