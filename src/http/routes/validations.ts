import { z } from 'zod';
import { RunDetailOut, RunOut } from '../../api/validations.ts';
import { ValidatorOut } from '../../api/validator.ts';
import { Next } from '../../api/values.ts';
import { line } from '../../domain/facts/fact.ts';
import { HOUR_MS } from '../../domain/time.ts';
import {
  parseRunId,
  parseRunRecord,
  type RunRecord,
  runStream,
} from '../../domain/validation/records/run-record.ts';
import { completedRun, type Run, startedRun } from '../../domain/validation/records/run-summary.ts';
import { problemResponses } from '../contract.ts';
import { instantOut, Paging, Reading } from '../params/fields.ts';
import { decodeCursor, encodeCursor, pageOf } from '../params/paging.ts';
import { modelFor } from '../params/read-model.ts';
import { breakerOut, runOut } from '../run-view.ts';
import { type App, type HttpServices, LOOPBACK_CALLER } from '../server/app.ts';
import { Problem } from '../server/problem.ts';

const PLACE_WAIT_MS = 2_000;
/** Conclusions and conditions of one run that are shown; the counts are in its result. */
const MOST_SHOWN = 1_000;

/** What the validator has seen, run by run, and what it would have done. */
export function validationRoutes(app: App, services: HttpServices): void {
  const tags = ['Validator'];

  app.get(
    '/v1/validations',
    {
      schema: {
        operationId: 'listValidations',
        tags,
        summary: 'Runs of the validator, latest first',
        querystring: z.strictObject({ ...Paging, ...Reading }),
        response: { 200: z.strictObject({ items: z.array(RunOut), ...Next }), ...problemResponses },
      },
    },
    async ({ query: { limit, cursor, ...query } }, reply) => {
      const { validations } = await modelFor(services.projections, query, reply);
      const [before] = decodeCursor(cursor, 'place') ?? [Number.POSITIVE_INFINITY];
      const isBehind = ({ position }: Run) => position < Number(before);
      const page = pageOf(validations.runs.reverse(), limit, isBehind, ({ position }) => [position]);
      return { ...page, items: page.items.map((run) => runShown(services, run)) };
    },
  );

  app.get(
    '/v1/validations/:runId',
    {
      schema: {
        operationId: 'getValidation',
        tags,
        summary: 'One run: what changed, what was concluded, and what the mode kept back',
        params: z.strictObject({ runId: line(64) }),
        querystring: z.strictObject({ ...Paging, ...Reading }),
        response: { 200: RunDetailOut, ...problemResponses },
      },
    },
    async ({ params: { runId }, query: { limit, cursor, ...query } }, reply) => {
      const { validations } = await modelFor(services.projections, query, reply);
      const run = validations.run(runId) ?? (await runFromStore(services, runId));
      if (run === undefined) throw new Problem('not-found', `no run of the validator has the id ${runId}`);
      const [after] = decodeCursor(cursor, 'place') ?? [0];
      const from = Number(after);
      const found = await detailsOf(services, run);
      const verdicts = found.verdicts.slice(from, from + limit);
      const isMore = from + limit < found.verdicts.length;
      return {
        ...runShown(services, run),
        ...found,
        verdicts,
        ...(isMore && { next: encodeCursor([from + limit]) }),
      };
    },
  );

  app.get(
    '/v1/validator',
    {
      schema: {
        operationId: 'getValidator',
        tags,
        summary:
          'How the validator stands: its last runs, those under way, and whether an outage keeps facts back',
        querystring: z.strictObject({ ...Reading }),
        response: { 200: ValidatorOut, ...problemResponses },
      },
    },
    async ({ query }, reply) => {
      await modelFor(services.projections, query, reply);
      return validatorOut(services);
    },
  );

  app.post(
    '/v1/validator/decisions',
    {
      schema: {
        operationId: 'decideOutage',
        tags,
        summary: 'Have runs go on for some hours although the breaker is open; 0 takes it back',
        body: z.strictObject({ proceedForHours: z.int().min(0).max(168), note: line(1_000).optional() }),
        response: { 200: ValidatorOut, ...problemResponses },
      },
    },
    async ({ body: { proceedForHours, note } }, reply) => {
      await modelFor(services.projections, {}, reply);
      const until = services.now() + proceedForHours * HOUR_MS;
      const eventId = await services.decisions.proceedUntil(until, LOOPBACK_CALLER.actor, note);
      await services.projections.waitForEvent(eventId, PLACE_WAIT_MS);
      reply.header('ledger-position', String(services.projections.model.position));
      return validatorOut(services);
    },
  );
}

/** A run; how far it is this process knows to the moment of its own, and by the log of another's. */
function runShown({ projections, validator, now }: HttpServices, run: Run): RunOut {
  const shown = runOut(run, projections.model.validations.activeRun(run.run), now());
  const own = validator?.progress;
  if (shown.progress === undefined || own?.run !== run.run) return shown;
  const { done, total, counts } = own;
  return { ...shown, progress: { done, total, counts } };
}

function validatorOut(services: HttpServices): ValidatorOut {
  const { projections, now } = services;
  const { validations } = projections.model;
  const { decision } = validations;
  const running = validations.activeRuns(now()).flatMap((underWay) => {
    const run = validations.run(underWay.run);
    return run === undefined ? [] : [runShown(services, run)];
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

/** The records of a run, in order; none where there is no such run. */
async function* recordsOf(
  { store }: HttpServices,
  run: string,
): AsyncGenerator<[record: RunRecord, recordedAt: number, eventId: string]> {
  for await (const { id, type, data, recordedAt } of store.readStream(runStream(run)))
    yield [parseRunRecord(type, data), recordedAt, id];
}

/** A run that is too old to be kept in memory. */
async function runFromStore(services: HttpServices, id: string): Promise<Run | undefined> {
  if (parseRunId(id) === undefined) return undefined;
  let run: Run | undefined;
  for await (const [record, at, eventId] of recordsOf(services, id)) {
    if (record.type === 'ValidationStarted') {
      const position = services.projections.model.locate(eventId)?.position ?? 0;
      run = startedRun(id, record.data, { position, recordedAt: at });
    }
    if (record.type !== 'ValidationCompleted' || run === undefined || at > run.deadline) continue;
    run = completedRun(run, record.data, at);
  }
  return run;
}

async function detailsOf(services: HttpServices, { run, tick }: Run) {
  const verdicts: RunDetailOut['verdicts'] = [];
  const facts: { clusterId: string; type: string }[] = [];
  const wouldHave: RunDetailOut['wouldHave'] = [];
  const raised: RunDetailOut['raised'] = [];
  const resolved: string[] = [];
  for await (const [{ type, data }] of recordsOf(services, run)) {
    if (type === 'ValidationRecorded') {
      for (const { state, code, clusters } of data.verdicts) {
        for (const [clusterId, offset, uid, detail] of clusters) {
          if (offset === undefined || offset === null) continue;
          const more = { ...(uid && { uid }), ...(detail && { detail }) };
          verdicts.push({ clusterId, state, code, at: instantOut(tick + offset), ...more });
        }
      }
    }
    if (type !== 'ValidationJudged') continue;
    facts.push(...data.facts.map(([clusterId, factType]) => ({ clusterId, type: factType })));
    wouldHave.push(...data.wouldHave);
    raised.push(...data.raised);
    resolved.push(...data.resolved);
  }
  const shown = <T>(items: readonly T[]) => items.slice(0, MOST_SHOWN);
  return {
    verdicts,
    facts: shown(facts),
    wouldHave: shown(wouldHave),
    raised: shown(raised),
    resolved: shown(resolved),
  };
}
