import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { StatementOut } from '../../api/statements.ts';
import { AccountUsageOut } from '../../api/usage.ts';
import { InstantOut } from '../../api/values.ts';
import { type EvidenceContents, evidencePieces } from '../../audit/evidence/build-evidence.ts';
import { EVIDENCE_FORMAT, type Figure } from '../../audit/evidence/format.ts';
import type { SignedCheckpoint } from '../../audit/signed-log.ts';
import { LeavesChanged } from '../../audit/tree.ts';
import type { UsageBreakdown } from '../../domain/billing/usage-meter.ts';
import { type Instant, type Period, periodWindow } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { type EvidenceFigure, selectEvidence } from '../../usecases/select-evidence.ts';
import { onlyAccountOf } from '../access/require-own.ts';
import { answer, problems } from '../contract.ts';
import { requireReady } from '../log-access.ts';
import { AccountPath, instantOut, PeriodText, PositionText, Reading } from '../params/fields.ts';
import { modelFor, requireAccount } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';
import { STREAMED, sendPieces } from '../server/streamed-answer.ts';
import { statementOut } from './statements.ts';

const Query = z.strictObject({
  period: PeriodText.describe('A UTC month, YYYY-MM, closed or not.'),
  since: PositionText.refine((size) => size > 0, 'must be from 1')
    .meta({ type: 'integer', minimum: 1 })
    .optional()
    .describe('Size of an older checkpoint. The file then proves that the log is consistent with it.'),
  ...Reading,
});

const Base64 = z.string().meta({ contentEncoding: 'base64' });

const ProvedLeaf = z
  .strictObject({
    index: z.int().nonnegative().describe('Index of the leaf: the position minus one.'),
    leaf: z
      .strictObject({
        data: z.record(z.string(), z.unknown()),
        id: z.string(),
        metadata: z.record(z.string(), z.unknown()),
        recordedAt: InstantOut,
        revision: z.int().nonnegative(),
        stream: z.string(),
        type: z.string(),
      })
      .describe('The event as the log has it. Its canonical JSON (RFC 8785) is what is hashed.'),
    proof: Base64.describe('The inclusion proof of RFC 9162, section 2.1.3: hashes of 32 bytes each.'),
  })
  .meta({ id: 'ProvedLeaf' });

/** An evidence file, which docs/evidence.md describes. */
const Evidence = z
  .strictObject({
    evidence: z.strictObject({
      accountId: z.string(),
      beginning: ProvedLeaf.optional().describe('Absent if no beginning of statements is recorded.'),
      checkpoint: z.string().describe('The signed checkpoint that covers all events in the file.'),
      closings: z.array(ProvedLeaf).describe('Every closing up to the checkpoint.'),
      clusters: z
        .array(z.strictObject({ clusterId: z.string(), facts: z.array(ProvedLeaf) }))
        .describe('Every cluster that any fact gives to the account, with all of its facts.'),
      consistency: z
        .array(
          z.strictObject({
            checkpoint: z.string().optional(),
            proof: Base64.describe('The consistency proof of RFC 9162, section 2.1.4.'),
            root: Base64,
            size: z.int().nonnegative(),
          }),
        )
        .describe('Proofs that the log continues the logs that were signed before.'),
      format: z.literal(EVIDENCE_FORMAT),
      keys: z.array(z.string()).describe('The keys that seal the file. Never trust a key from here.'),
      origin: z.string(),
      period: z.string(),
      statement: StatementOut.nullable()
        .optional()
        .describe('For a closed period; null if the account has no statement.'),
      usage: AccountUsageOut.optional().describe('For a period that is not closed.'),
    }),
    seal: z.string().describe('A signed note over the digest of `evidence`.'),
  })
  .meta({ id: 'Evidence' });

const getEvidenceSchema = {
  operationId: 'getEvidence',
  tags: ['Audit'],
  summary: 'Export the signed evidence of a statement',
  description:
    'One file in canonical JSON: the statement of the period (or the usage, if the period is not closed), every fact of every ' +
    'cluster that any fact gives to the account, the closings, the beginning of statements if one is recorded, their proofs, ' +
    'a signed checkpoint, and a seal over the whole file. `cluster-ledger verify` checks it offline.',
  params: AccountPath,
  querystring: Query,
  response: {
    200: answer('The file, streamed.', Evidence, {
      headers: ['Content-Disposition'],
      isStreamed: true,
    }),
    ...problems('not-found', 'cluster-halted', 'too-large', 'read-only', 'catching-up'),
  },
};

/** Adds the route that exports evidence: everything that is needed to check a statement without trusting the ledger. */
export function evidenceRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/accounts/:accountId/evidence',
    {
      config: { access: { auditor: 'all', customer: 'own' }, isHeavy: true },
      schema: getEvidenceSchema,
    },
    async (request, reply) => {
      const { query, caller } = request;
      const { accountId } = request.params;
      requireAccount(await modelFor(services.projections, query, reply), accountId);
      const checkpoint = await checkpointOf(services);
      const model = await modelFor(services.projections, { minPosition: checkpoint.size }, reply);
      if (query.since !== undefined && query.since > checkpoint.size) {
        const detail = `must be the size of an older checkpoint; the log has ${checkpoint.size} events; given ${query.since}`;
        throw invalidRequest([{ pointer: '/query/since', detail }]);
      }
      const contents = await contentsOf(model, accountId, query.period, checkpoint, {
        now: services.now(),
        isMinimal: onlyAccountOf(caller) !== undefined,
      });
      return send(request, reply, services, { ...contents, since: query.since });
    },
  );
}

/** Returns a checkpoint that covers the position of the projections. @throws Problem `catching-up`, `read-only`; LogTampered */
async function checkpointOf(services: HttpServices): Promise<SignedCheckpoint> {
  const { signedLog, witnesses, projections } = services;
  const { position } = projections.model;
  await requireReady(services, position);
  const checkpoint = await signedLog.checkpoint(position);
  return { ...checkpoint, note: witnesses.cosigned(checkpoint) };
}

/** @throws Problem `cluster-halted`, `too-large` */
async function contentsOf(
  model: LedgerModel,
  accountId: string,
  period: Period,
  checkpoint: SignedCheckpoint,
  { now, isMinimal }: { readonly now: Instant; readonly isMinimal: boolean },
): Promise<EvidenceContents> {
  const { size } = checkpoint;
  const selection = await selectEvidence(model, accountId, period, { size, now, isMinimal });
  switch (selection.outcome) {
    case 'halted': {
      const { clusterId, why } = selection;
      throw new Problem(
        'cluster-halted',
        `cluster ${clusterId} cannot be read, so no figure can be proved: ${why}`,
      );
    }
    case 'too-many-facts': {
      const detail = `the account has ${selection.facts} facts; a file has at most ${selection.limit}: verify the whole log instead`;
      throw new Problem('too-large', detail);
    }
    case 'selected': {
      const { figure, clusters, closings } = selection;
      const question = { accountId, period, size, now };
      const begun = model.beginning?.position;
      const beginning = begun !== undefined && begun <= size ? begun : undefined;
      const proved = { accountId, period, figure: figureOut(figure, question) };
      return { ...proved, checkpoint, beginning, clusters, closings };
    }
  }
}

function figureOut(
  figure: EvidenceFigure,
  question: { accountId: string; period: Period; size: number; now: Instant },
): Figure {
  switch (figure.kind) {
    case 'no-statement':
      return { statement: null };
    case 'statement':
      return { statement: statementOut(figure.statement, instantOut(figure.closedAt)) } as Figure;
    case 'usage':
      return { usage: usageOut(figure.usage, question) } as unknown as Figure;
  }
}

function usageOut(
  { usage, byType }: UsageBreakdown,
  { accountId, period, size, now }: { accountId: string; period: Period; size: number; now: Instant },
) {
  const window = periodWindow(period);
  return {
    accountId,
    period,
    window: { from: instantOut(window.from), to: instantOut(window.to) },
    through: instantOut(now),
    asOf: String(size),
    position: String(size),
    usage,
    byType,
  };
}

/** Streams the file. */
async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { signedLog, store }: HttpServices,
  contents: EvidenceContents,
): Promise<FastifyReply> {
  const { accountId, period } = contents;
  reply
    .type('application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename="evidence-${accountId}-${period}.json"`);
  const pieces = evidencePieces(signedLog, store, contents, request.turn?.signal);
  return sendPieces(request, reply, unlessChanged(pieces, reply), STREAMED);
}

/** Yields the pieces of a file. @throws Problem `read-only` if the log differs from what was signed */
async function* unlessChanged(pieces: AsyncIterable<string>, reply: FastifyReply): AsyncGenerator<string> {
  try {
    yield* pieces;
  } catch (cause) {
    // If nothing of the file is sent yet, the answer is a problem.
    if (!reply.raw.headersSent) reply.removeHeader('content-disposition');
    if (!(cause instanceof LeavesChanged)) throw cause;
    throw new Problem('read-only', `${cause.message}; the ledger proves nothing from a changed log`, {
      cause,
    });
  }
}
