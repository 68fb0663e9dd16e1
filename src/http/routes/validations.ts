import { z } from 'zod';
import { RunDetailOut, RunOut } from '../../api/validations.ts';
import { Next } from '../../api/values.ts';
import { line } from '../../domain/facts/fact.ts';
import type { Run } from '../../domain/validation/records/run-summary.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import { Paging, Reading } from '../params/fields.ts';
import { decodeCursor, encodeCursor, pageOf } from '../params/paging.ts';
import { modelFor } from '../params/read-model.ts';
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
    async ({ query }, reply) => {
      const { validations } = await modelFor(services.projections, query, reply);
      const [before] = decodeCursor(query.cursor, 'number') ?? [Number.POSITIVE_INFINITY];
      const isBehind = ({ position }: Run) => position < Number(before);
      const page = pageOf(validations.runs.reverse(), query.limit, isBehind, ({ position }) => [position]);
      return { ...page, items: page.items.map((run) => currentRunOut(services, run)) };
    },
  );

  app.get(
    '/v1/validations/:runId',
    { config: { access: { auditor: 'all' } }, schema: getSchema },
    async ({ params: { runId }, query }, reply) => {
      const { validations } = await modelFor(services.projections, query, reply);
      const run = validations.run(runId) ?? (await runFromStore(services, runId));
      if (run === undefined) throw new Problem('not-found', `validation run ${runId} does not exist`);
      return runDetailOut(services, run, query);
    },
  );
}

/** Returns the details of a run, with one page of its verdicts. */
async function runDetailOut(
  services: HttpServices,
  run: Run,
  { cursor, limit }: z.output<typeof RunsQuery>,
): Promise<RunDetailOut> {
  const [after] = decodeCursor(cursor, 'number') ?? [0];
  const from = Number(after);
  const details = await detailsOf(services, run);
  const verdicts = details.verdicts.slice(from, from + limit);
  const isMore = from + limit < details.verdicts.length;
  return {
    ...currentRunOut(services, run),
    ...details,
    verdicts,
    ...(isMore && { next: encodeCursor([from + limit]) }),
  };
}
