import { z } from 'zod';
import { SimulatedUsageOut } from '../../api/what-if.ts';
import type { ClusterBilling } from '../../domain/billing/billing.ts';
import { countedIntervals } from '../../domain/billing/explanation.ts';
import { AmountSum } from '../../domain/billing/quantity.ts';
import { clippedWindow, usageOf } from '../../domain/billing/usage.ts';
import { EventId } from '../../domain/facts/fact.ts';
import { LAST_INSTANT, type Window } from '../../domain/time.ts';
import type { Submission } from '../../ledger/ledger.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import {
  type SimulatedCluster,
  simulateClusters,
  wouldChange,
} from '../../projections/queries/simulated-clusters.ts';
import { simulateFacts } from '../../usecases/simulate-facts.ts';
import { onlyDescribed, problemResponses } from '../contract.ts';
import { CloudEvent } from '../ingest/cloud-event.ts';
import { parseEvent } from '../ingest/recorder.ts';
import { AccountPath, AsOf, fieldErrors, instantOut, Reading } from '../params/fields.ts';
import { clusterNumber, knownAt, modelFor, refuseUnreadable, requireAccount } from '../params/read-model.ts';
import { countedOf, headOf, WindowFields } from '../params/window-params.ts';
import type { App, HttpServices } from '../server/app.ts';
import { type FieldError, invalidRequest, Problem, problemOf } from '../server/problem.ts';

const MOST_ADDED = 100;
const MOST_REMOVED = 1_000;
const BODY_LIMIT = 1024 * 1024;

const Question = z.strictObject({
  ...WindowFields,
  asOf: AsOf.optional(),
  add: z
    .array(z.unknown())
    .max(MOST_ADDED, `must be at most ${MOST_ADDED} events`)
    .optional()
    .describe('Events as they would be posted, in order; they may be in the future.'),
  remove: z
    .array(EventId)
    .max(MOST_REMOVED, `must be at most ${MOST_REMOVED} event ids`)
    .refine((ids) => new Set(ids).size === ids.length, 'must name every event once')
    .optional()
    .describe('Event ids of facts that are taken out before the others are put in.'),
});
type Question = z.output<typeof Question>;
const Documented = Question.extend({ add: z.array(CloudEvent).max(MOST_ADDED).optional() });

/** What an account would be billed if the facts were others. */
export function whatIfRoutes(app: App, rooms: HttpServices): void {
  app.post(
    '/v1/accounts/:accountId/what-if',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: 'supposeFacts',
        tags: ['Audit'],
        summary: 'The usage of an account with facts added or removed; nothing is written',
        description: 'What is added is judged as if it were posted, but for its time: it may be at any.',
        params: AccountPath,
        querystring: z.strictObject({ ...Reading }),
        body: onlyDescribed(Documented),
        response: { 200: SimulatedUsageOut, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { accountId } = request.params;
      const model = await modelFor(rooms.projections, request.query, reply);
      requireAccount(model, accountId);
      const question = questionOf(request.body);
      const counted = countedOf(question, rooms.now(), '');
      const asOf = knownAt(model, question.asOf, '/asOf');
      const changes = changesOf(model, accountId, asOf, question);
      const supposed = await supposeAll(rooms, model, asOf, changes);
      const clusters = await simulateClusters(model, accountId, asOf, supposed);
      const window = clippedWindow(counted.window, counted.through);
      const head = headOf(question, { ...counted, asOf });
      return { accountId, ...head, ...comparison(clusters, window) };
    },
  );
}

/** @throws Problem `invalid-request` */
function questionOf(body: unknown): Question {
  const parsed = Question.safeParse(body);
  if (!parsed.success) throw invalidRequest(fieldErrors(parsed.error, body));
  const { add = [], remove = [] } = parsed.data;
  if (add.length + remove.length > 0) return parsed.data;
  throw invalidRequest([{ pointer: '/add', detail: 'give events to add, or event ids to remove' }]);
}

/** What is supposed of a cluster. */
interface Change {
  readonly removed: Set<string>;
  readonly added: Submission[];
  /** Of each that is added: its place in the question. */
  readonly places: number[];
}

/** What is supposed, by cluster. @throws Problem `invalid-request` that names every field at fault. */
function changesOf(
  model: LedgerModel,
  accountId: string,
  asOf: number,
  { add = [], remove = [] }: Question,
): Map<string, Change> {
  const changes = new Map<string, Change>();
  const errors: FieldError[] = [];
  const changeOf = (clusterId: string): Change => {
    const change = changes.get(clusterId) ?? { removed: new Set(), added: [], places: [] };
    changes.set(clusterId, change);
    return change;
  };
  for (const [i, eventId] of remove.entries()) {
    const place = ownFact(model, accountId, asOf, eventId);
    if (place instanceof Error) errors.push({ pointer: `/remove/${i}`, detail: place.message });
    else changeOf(place).removed.add(eventId);
  }
  for (const [i, event] of add.entries()) {
    const submission = parseEvent(event, Number.POSITIVE_INFINITY);
    if (submission instanceof Problem) {
      errors.push(...under(`/add/${i}`, submission));
      continue;
    }
    const change = changeOf(submission.fact.clusterId);
    change.added.push(submission);
    change.places.push(i);
  }
  if (errors.length > 0) throw invalidRequest(errors);
  return changes;
}

/** The id of the cluster that a fact is of, or why there is none to take out. */
function ownFact(model: LedgerModel, accountId: string, asOf: number, eventId: string): string | Error {
  const place = model.locate(eventId);
  if (place?.clusterId === undefined || place.position > asOf)
    return new Error(`no fact known at position ${asOf} has the event id ${eventId}`);
  const last = model.lastPositionOf(clusterNumber(model, place.clusterId));
  const account = model.accounts.find(accountId) ?? -1;
  if (model.facts.registersTo(last, account, asOf)) return place.clusterId;
  return new Error(`event ${eventId} is of a cluster that was never registered to account ${accountId}`);
}

/** The fields that a problem of one event names, as the question has them. */
function under(pointer: string, { message, errors }: Problem): FieldError[] {
  if (errors === undefined) return [{ pointer, detail: message }];
  return errors.map((error) => ({ pointer: `${pointer}${error.pointer}`, detail: error.detail }));
}

/** How each cluster would be billed. @throws Problem as an event that is refused would be answered. */
async function supposeAll(
  { store }: HttpServices,
  model: LedgerModel,
  asOf: number,
  changes: ReadonlyMap<string, Change>,
): Promise<Map<string, ClusterBilling>> {
  const supposed = new Map<string, ClusterBilling>();
  for (const [clusterId, { removed, added, places }] of changes) {
    const cluster = model.clusters.find(clusterId);
    const known = cluster === undefined ? 0 : model.positionsOf(cluster, asOf).length;
    if (cluster !== undefined && added.length > 0) refuseUnreadable(model, cluster);
    const posting = { now: LAST_INSTANT, mayBackdate: true };
    const { billing, outcomes } = await simulateFacts(store, { clusterId, known, removed, added }, posting);
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.outcome !== 'rejected') continue;
      const problem = problemOf(outcome.rejection);
      throw new Problem(problem.code, problem.message, { errors: under(`/add/${places[i]}`, problem) });
    }
    supposed.set(clusterId, billing);
  }
  return supposed;
}

function comparison(clusters: readonly SimulatedCluster[], counted: Window) {
  const before = usageOf(
    clusters.values().map((cluster) => cluster.before),
    counted,
  );
  const after = usageOf(
    clusters.values().map((cluster) => cluster.after),
    counted,
  );
  const changed = clusters.filter((cluster) => wouldChange(cluster, counted));
  return {
    before,
    after,
    delta: new AmountSum().add(after).subtract(before).total,
    clusters: changed.map((cluster) => ({
      clusterId: cluster.clusterId,
      before: intervalsOut(cluster.before, counted),
      after: intervalsOut(cluster.after, counted),
    })),
  };
}

function intervalsOut(intervals: SimulatedCluster['before'], counted: Window) {
  return countedIntervals(intervals, counted).map(({ from, to }) => ({
    from: instantOut(from),
    to: instantOut(to),
  }));
}
