import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type EvidenceContents, evidencePieces } from '../../audit/evidence/build-evidence.ts';
import { EVIDENCE_FORMAT, type Figure } from '../../audit/evidence/format.ts';
import type { SignedCheckpoint } from '../../audit/signed-log.ts';
import { LeavesChanged } from '../../audit/tree.ts';
import { type Period, periodWindow } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { accountUsage } from '../../projections/queries/account-usage.ts';
import { closedQuestion, statementsInTurns } from '../../projections/queries/period-statements.ts';
import { problemResponses } from '../contract.ts';
import { AccountPath, instantOut, PeriodText, PositionText, Reading } from '../params/fields.ts';
import { modelFor, requireAccount } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';
import { statementOut } from './statements.ts';

const PATIENCE_MS = 2_000;
/** Facts of one account that a file may have: their proofs, some 700 bytes each, are held in memory. */
const MOST_FACTS = 100_000;

const Query = z.strictObject({
  period: PeriodText.describe('A UTC month, YYYY-MM, closed or not.'),
  since: PositionText.refine((size) => size > 0, 'must be from 1')
    .optional()
    .describe('Size of an older checkpoint, that the log is to be proved consistent with.'),
  ...Reading,
});

const Evidence = z
  .looseObject({ evidence: z.looseObject({ format: z.literal(EVIDENCE_FORMAT) }), seal: z.string() })
  .meta({ id: 'Evidence' });

/** What a statement was made from, for whoever wants to check it without believing the ledger. */
export function evidenceRoutes(app: App, rooms: HttpServices): void {
  app.get(
    '/v1/accounts/:accountId/evidence',
    {
      schema: {
        operationId: 'getEvidence',
        tags: ['Audit'],
        summary: 'Everything that a statement follows from, signed',
        description:
          'One file, canonical JSON: the statement of the period (or, where it is not closed yet, the usage), every fact of every ' +
          'cluster that was ever registered to the account, the closings, their proofs, a signed checkpoint, and a seal over all of ' +
          'it. `cluster-ledger verify` checks it offline.',
        params: AccountPath,
        querystring: Query,
        response: {
          200: { description: 'The file.', content: { 'application/json': { schema: Evidence } } },
          ...problemResponses,
        },
      },
    },
    async ({ params: { accountId }, query }, reply) => {
      requireAccount(await modelFor(rooms.projections, query, reply), accountId);
      const checkpoint = await checkpointOf(rooms);
      const model = await modelFor(rooms.projections, { minPosition: checkpoint.size }, reply);
      if (query.since !== undefined && query.since > checkpoint.size) {
        const detail = `must be the size of an older checkpoint; the log has ${checkpoint.size} events; given ${query.since}`;
        throw invalidRequest([{ pointer: '/query/since', detail }]);
      }
      const contents = await contentsOf(model, accountId, query.period, checkpoint, rooms.now());
      return send(reply, rooms, { ...contents, since: query.since });
    },
  );
}

/** A checkpoint of all that the answers know. @throws Problem `catching-up`; LogTampered */
async function checkpointOf({ signedLog, projections }: HttpServices): Promise<SignedCheckpoint> {
  const { position } = projections.model;
  if (!(await signedLog.ready(PATIENCE_MS, position)) && signedLog.tampered === undefined) {
    const detail = `the tree of the log is still being made, at position ${signedLog.tree.size}`;
    throw new Problem('catching-up', detail, { retryAfterSeconds: 1 });
  }
  return signedLog.checkpoint(position);
}

/** @throws Problem `cluster-halted`, `too-large` */
async function contentsOf(
  model: LedgerModel,
  accountId: string,
  period: Period,
  checkpoint: SignedCheckpoint,
  now: number,
): Promise<EvidenceContents> {
  for (const [cluster, { why }] of model.unreadableClusters) {
    const detail = `cluster ${model.clusters.text(cluster)} cannot be read, so that nothing can be vouched for: ${why}`;
    throw new Problem('cluster-halted', detail);
  }
  const clusters = clustersOf(model, accountId, checkpoint.size);
  const facts = clusters.reduce((sum, { positions }) => sum + positions.length, 0);
  if (facts > MOST_FACTS) {
    const detail = `the account has ${facts} facts; a file has at most ${MOST_FACTS}: verify the whole log instead`;
    throw new Problem('too-large', detail);
  }
  const closings = model.closedPeriods.filter(({ position }) => position <= checkpoint.size);
  const figure = closings.some((close) => close.period === period)
    ? { statement: await statementFor(model, accountId, period) }
    : { usage: usageFor(model, accountId, period, checkpoint.size, now) };
  return { accountId, period, figure: figure as Figure, checkpoint, clusters, closings };
}

/** The clusters that were registered to an account at any time up to a position, and where all of their facts stand. */
function clustersOf(model: LedgerModel, accountId: string, size: number): EvidenceContents['clusters'] {
  const account = model.accounts.find(accountId) as number;
  return model.clustersOf(account).flatMap((cluster) => {
    const positions = model.positionsOf(cluster).filter((position) => position <= size);
    const isTheirs = model.facts.registersTo(positions.at(-1) ?? 0, account);
    return isTheirs ? [{ clusterId: model.clusters.text(cluster), positions }] : [];
  });
}

async function statementFor(model: LedgerModel, accountId: string, period: Period) {
  const close = model.closingOf(period);
  const question = closedQuestion(model, period);
  if (close === undefined || question === undefined) return null;
  for await (const statement of statementsInTurns(model, question, { only: accountId }))
    return statementOut(statement, instantOut(close.closedAt));
  return null;
}

function usageFor(model: LedgerModel, accountId: string, period: Period, asOf: number, now: number) {
  const window = periodWindow(period);
  const { usage } = accountUsage(model, accountId, { window, through: now, asOf, byDay: false });
  return {
    accountId,
    period,
    window: { from: instantOut(window.from), to: instantOut(window.to) },
    through: instantOut(now),
    asOf: String(asOf),
    position: String(asOf),
    usage,
  };
}

/** @throws Problem `read-only` where the log is not what was signed. */
async function send(
  reply: FastifyReply,
  { signedLog, store }: HttpServices,
  contents: EvidenceContents,
): Promise<FastifyReply> {
  const pieces = evidencePieces(signedLog, store, contents);
  try {
    // All proofs are made before the first piece comes.
    const { value: first } = await pieces.next();
    return reply
      .type('application/json; charset=utf-8')
      .header('cache-control', 'no-store')
      .header(
        'content-disposition',
        `attachment; filename="evidence-${contents.accountId}-${contents.period}.json"`,
      )
      .send(Readable.from(withFirst(first as string, pieces)));
  } catch (cause) {
    if (!(cause instanceof LeavesChanged)) throw cause;
    throw new Problem('read-only', `${cause.message}: nothing is proved of such a log`, { cause });
  }
}

async function* withFirst(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}
