import { z } from 'zod';
import { SimulatedUsageOut } from '../../api/what-if.ts';
import type { Caller } from '../../domain/access/caller.ts';
import { countedIntervals } from '../../domain/billing/explanation.ts';
import { clippedWindow } from '../../domain/billing/usage-meter.ts';
import { EventId } from '../../domain/facts/fact.ts';
import type { Rejection } from '../../domain/facts/rejection.ts';
import type { Instant, Window } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import type { SimulatedCluster } from '../../projections/queries/simulated-clusters.ts';
import {
  type AccountSimulation,
  compareUsage,
  type FactChanges,
  simulateAccount,
} from '../../usecases/simulate-account.ts';
import type { Position } from '../../util/log-numbers.ts';
import { isFactOfAccount, onlyAccountOf, ownerNow } from '../access/require-own.ts';
import { answer, onlyDescribed, problems } from '../contract.ts';
import { CloudEvent } from '../ingest/cloud-event-envelope.ts';
import { parseEvent } from '../ingest/parse-event.ts';
import { AccountPath, AsOf, fieldErrors, instantOut, Reading } from '../params/fields.ts';
import { clusterNumber, haltedProblem, knownAt, modelFor, requireAccount } from '../params/read-model.ts';
import { countedOf, headOf, WindowFields } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';
import { type FieldError, invalidRequest, Problem, problemOf } from '../server/problem.ts';

const MAX_ADDED = 100;
const MAX_REMOVED = 1_000;
const BODY_LIMIT = 1024 * 1024;

const Question = z.strictObject({
  ...WindowFields,
  asOf: AsOf.optional(),
  add: z
    .array(z.unknown())
    .max(MAX_ADDED, `must be at most ${MAX_ADDED} events`)
    .optional()
    .describe('Events in the form of POST /v1/events, in order. They may be in the future.'),
  remove: z
    .array(EventId)
    .max(MAX_REMOVED, `must be at most ${MAX_REMOVED} event ids`)
    .refine((ids) => new Set(ids).size === ids.length, 'must contain each event id only once')
    .meta({ uniqueItems: true })
    .optional()
    .describe('Event ids of facts to remove before the events are added.'),
});
type Question = z.output<typeof Question>;
const Documented = Question.extend({ add: z.array(CloudEvent).max(MAX_ADDED).optional() });

const supposeFactsSchema = {
  operationId: 'supposeFacts',
  tags: ['Audit'],
  summary: 'Simulate the usage of an account with facts added or removed; nothing is written',
  description: 'Added events are checked as if they were posted, except that they may have any time.',
  params: AccountPath,
  querystring: z.strictObject({ ...Reading }),
  body: onlyDescribed(Documented),
  response: {
    200: answer('The usage before and after the changes.', SimulatedUsageOut),
    ...problems('not-found', 'cluster-halted'),
  },
};

/** Adds the route that simulates changes to the facts of an account. */
export function whatIfRoutes(app: App, services: HttpServices): void {
  app.post(
    '/v1/accounts/:accountId/what-if',
    {
      bodyLimit: BODY_LIMIT,
      config: { access: { auditor: 'all', customer: 'own' }, isHeavy: true },
      schema: supposeFactsSchema,
    },
    async (request, reply) => {
      const { caller } = request;
      const { accountId } = request.params;
      const model = await modelFor(services.projections, request.query, reply);
      requireAccount(model, accountId);
      const question = questionOf(request.body);
      const counted = countedOf(question, services.now(), '');
      const asOf = knownAt(model, question.asOf, { pointer: '/asOf' });
      const changes = changesOf(model, { accountId, asOf, caller, now: services.now() }, question);
      const simulation = await simulateAccount(services.store, model, { accountId, asOf }, changes);
      const clusters = simulatedClusters(model, simulation, onlyAccountOf(caller));
      const window = clippedWindow(counted.window, counted.through);
      const head = headOf(model, question, { ...counted, asOf });
      return { accountId, ...head, ...comparisonOut(clusters, window) };
    },
  );
}

/** @throws Problem `invalid-request` */
function questionOf(body: unknown): Question {
  const parsed = Question.safeParse(body);
  if (!parsed.success) throw invalidRequest(fieldErrors(parsed.error, body));
  const { add = [], remove = [] } = parsed.data;
  if (add.length + remove.length > 0) return parsed.data;
  throw invalidRequest([{ pointer: '/add', detail: 'set events to add, or event ids to remove' }]);
}

/** Reads the changes of a request. @throws Problem `invalid-request` that names all invalid fields. */
function changesOf(
  model: LedgerModel,
  {
    accountId,
    asOf,
    caller,
    now,
  }: { readonly accountId: string; readonly asOf: Position; readonly caller: Caller; readonly now: Instant },
  { add = [], remove = [] }: Question,
): FactChanges {
  const onlyAccount = onlyAccountOf(caller);
  const errors: FieldError[] = [];
  const removed = remove.flatMap((eventId, i) => {
    const clusterId = clusterOfFact(model, accountId, asOf, eventId);
    if (onlyAccount !== undefined && !isOwnFact(model, eventId, asOf, onlyAccount)) {
      const detail = `no fact of account ${accountId} recorded up to position ${asOf} has the event id ${eventId}`;
      errors.push({ pointer: `/remove/${i}`, detail });
      return [];
    }
    if (typeof clusterId === 'string') return [{ eventId, clusterId }];
    errors.push({ pointer: `/remove/${i}`, detail: clusterId.message });
    return [];
  });
  const added = add.flatMap((event, i) => {
    const submission = parseEvent(event, caller.actor);
    if (!(submission instanceof Problem)) {
      const { clusterId } = submission.fact;
      if (onlyAccount === undefined || isFreeOrOwn(model, clusterId, onlyAccount, now)) return [submission];
      const detail = `must be a cluster of account ${accountId}, or an id that is not in use; given ${clusterId}`;
      errors.push({ pointer: `/add/${i}/subject`, detail });
      return [];
    }
    errors.push(...under(`/add/${i}`, submission));
    return [];
  });
  if (errors.length > 0) throw invalidRequest(errors);
  return { removed, added };
}

function isOwnFact(model: LedgerModel, eventId: string, asOf: Position, accountId: string): boolean {
  const place = model.locate(eventId);
  return place !== undefined && place.position <= asOf && isFactOfAccount(model, place.position, accountId);
}

function isFreeOrOwn(model: LedgerModel, clusterId: string, accountId: string, now: Instant): boolean {
  const cluster = model.clusters.find(clusterId);
  return cluster === undefined || ownerNow(model, cluster, now) === accountId;
}

/** Returns the id of the cluster of a fact, or an error that says why the fact cannot be removed. */
function clusterOfFact(
  model: LedgerModel,
  accountId: string,
  asOf: Position,
  eventId: string,
): string | Error {
  const place = model.locate(eventId);
  if (place?.clusterId === undefined || place.position > asOf)
    return new Error(`no fact recorded up to position ${asOf} has the event id ${eventId}`);
  const account = model.accounts.find(accountId) ?? -1;
  if (model.owners.everOwned(clusterNumber(model, place.clusterId), account, asOf)) return place.clusterId;
  return new Error(`the cluster of event ${eventId} never belonged to account ${accountId}`);
}

/** Prefixes the pointers of the problem of one event with the pointer to that event. */
function under(pointer: string, { message, errors }: Problem): FieldError[] {
  if (errors === undefined) return [{ pointer, detail: message }];
  return errors.map((error) => ({ pointer: `${pointer}${error.pointer}`, detail: error.detail }));
}

/**
 * @param onlyAccount the account of the customer who asks; other accounts are not named.
 * @throws Problem as if the rejected event was posted, or `cluster-halted`
 */
function simulatedClusters(
  model: LedgerModel,
  simulation: AccountSimulation,
  onlyAccount: string | undefined,
): readonly SimulatedCluster[] {
  switch (simulation.outcome) {
    case 'simulated':
      return simulation.clusters;
    case 'halted':
      throw haltedProblem(model, simulation.cluster);
    case 'rejected': {
      const problem = refusalOf(simulation.rejection, onlyAccount);
      throw new Problem(problem.code, problem.message, {
        errors: under(`/add/${simulation.index}`, problem),
      });
    }
  }
}

/** Returns the problem of a rejection. It does not name another account to the customer of one. */
function refusalOf(rejection: Rejection, onlyAccount: string | undefined): Problem {
  const problem = problemOf(rejection);
  const owner = 'knownAccountId' in rejection ? rejection.knownAccountId : undefined;
  if (onlyAccount === undefined || owner === undefined || owner === onlyAccount) return problem;
  const detail = 'the cluster belonged to another account at that time';
  const errors = problem.errors?.map(({ pointer }) => ({ pointer, detail }));
  return new Problem(problem.code, detail, errors === undefined ? {} : { errors });
}

function comparisonOut(clusters: readonly SimulatedCluster[], counted: Window) {
  const { changed, ...usage } = compareUsage(clusters, counted);
  return {
    ...usage,
    clusters: changed.map(({ clusterId, before, after }) => ({
      clusterId,
      before: intervalsOut(before, counted),
      after: intervalsOut(after, counted),
    })),
  };
}

function intervalsOut(intervals: SimulatedCluster['before'], counted: Window) {
  return countedIntervals(intervals, counted).map(({ from, to }) => ({
    from: instantOut(from),
    to: instantOut(to),
  }));
}
