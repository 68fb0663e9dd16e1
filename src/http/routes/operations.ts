import type { FastifyRequest } from 'fastify';
import { CallerOut, type CheckOut, LivenessOut, ReadinessOut } from '../../api/operations.ts';
import type { SignedLog } from '../../audit/signed-log.ts';
import type { ClockGuard } from '../../ledger/clock-guard.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import type { Projections } from '../../projections/projections.ts';
import type { SourceHealth } from '../../usecases/source-health.ts';
import { withDeadline } from '../../util/with-deadline.ts';
import { EVERY_ROLE } from '../access/route-access.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import type { App, HttpServices } from '../server/app.ts';

/** Maximum time that the store may be unreachable while the ledger stays ready. */
const STORE_GRACE_MS = 10_000;

const tags = ['Operations'];

const livezSchema = {
  operationId: 'livez',
  tags,
  summary: 'Report that the process answers',
  description: 'Does not look at the store or the log. Use it to decide whether to restart the process.',
  response: { 200: answer('The process answers.', LivenessOut), ...problemResponses },
};

const readyzSchema = {
  operationId: 'readyz',
  tags,
  summary: 'Report whether the ledger can answer reads and writes',
  description:
    'Each check is reported by name. Use it to decide whether to send requests. Details are for auditors and operators.',
  response: {
    200: answer('The ledger is ready.', ReadinessOut),
    503: answer('The ledger is not ready: the checks say why.', ReadinessOut),
    ...problems(),
  },
};

const getMeSchema = {
  operationId: 'getMe',
  tags,
  summary: 'Get the actor and role of the caller',
  description: 'Without API keys every caller is the operator of the loopback address.',
  response: { 200: answer('The caller.', CallerOut), ...problemResponses },
};

/** Adds the routes for operators: health, metrics and the OpenAPI document. */
export function operationsRoutes(app: App, services: HttpServices): void {
  app.get(
    '/livez',
    {
      config: { access: 'public', alwaysAnswers: true },
      schema: livezSchema,
    },
    async () => ({ status: 'alive' as const }),
  );

  app.get(
    '/readyz',
    {
      config: { access: 'public', alwaysAnswers: true },
      schema: readyzSchema,
    },
    async (request, reply) => {
      const readiness = readinessOf(services);
      if (!(await mayReadDetails(services, request))) hideDetails(readiness);
      return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
    },
  );

  app.get(
    '/metrics',
    { config: { access: { auditor: 'all' }, alwaysAnswers: true }, schema: { hide: true } },
    async (_, reply) => {
      const { registry } = services.metrics;
      reply.type(registry.contentType);
      return registry.metrics();
    },
  );

  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () =>
    app.swagger(),
  );

  app.get(
    '/v1/me',
    {
      config: { access: EVERY_ROLE },
      schema: getMeSchema,
    },
    async ({ caller: { actor, role, accountId } }) => ({
      actor,
      role,
      ...(accountId !== undefined && { accountId }),
    }),
  );
}

/** Returns whether a caller may read the details of the checks, which name clusters and periods. */
async function mayReadDetails({ access }: HttpServices, request: FastifyRequest): Promise<boolean> {
  if (!access.isKnownToBeClosed) return true;
  const { authorization, cookie } = request.headers;
  if (authorization === undefined && cookie === undefined) return false;
  try {
    // The answer must not wait for a store that cannot be reached.
    const caller = access.callerOf(request);
    const { role } = await withDeadline(caller, 250, () => new Error('the key cannot be checked in time'));
    return role === 'operator' || role === 'auditor';
  } catch {
    return false;
  }
}

function hideDetails({ checks }: ReadinessOut): void {
  for (const check of Object.values(checks))
    check.detail = check.ok ? 'ok' : 'failed; ask with a key of an auditor';
}

function readinessOf({
  store,
  projections,
  signedLog,
  clockGuard,
  health,
  latch,
  now,
}: HttpServices): ReadinessOut {
  const { reachable, unreachableSince, detail, needsOperator = false, unchecked } = store.health();
  const outageMs = unreachableSince === undefined ? 0 : now() - unreachableSince;
  const isShort = unreachableSince !== undefined && outageMs <= STORE_GRACE_MS;
  const storeIsOk = reachable || (isShort && !needsOperator);
  const { model, isCaughtUp, failure } = projections;
  const halted = model.unreadableClusters.size;
  const checks = {
    store: {
      ok: storeIsOk,
      detail: reachable ? storeDetail(unchecked) : `unreachable for ${outageMs} ms: ${detail ?? ''}`,
    },
    projections: {
      ok: isCaughtUp && failure === undefined,
      detail:
        failure === undefined
          ? `${isCaughtUp ? 'at' : 'replaying, at'} position ${model.position}`
          : String(failure),
    },
    // Reported, but the ledger stays ready: an unreadable cluster must not affect the others.
    clusters: {
      ok: halted === 0,
      detail: halted === 0 ? 'all readable' : `${halted} halted, the first ${firstHalted(model)}`,
    },
    statements: statementsCheck(projections),
    log: logCheck(signedLog, latch),
    clock: clockCheck(clockGuard),
    sources: sourcesCheck(health),
  };
  return { status: checks.store.ok && checks.projections.ok ? 'ready' : 'not-ready', checks };
}

/** @param unchecked number of events that are being checked since the start. The ledger is ready meanwhile, because it answers reads. */
function storeDetail(unchecked: number | undefined): string {
  return unchecked === undefined
    ? 'reachable'
    : `reachable; the order of its ${unchecked} events is being checked, and writes wait until then`;
}

/** Reports drifted statements. The ledger stays ready, because it can still record facts. */
function statementsCheck({ model, statements }: Projections): CheckOut {
  const { drifts, checked } = statements;
  const [drift] = drifts;
  if (drift !== undefined) {
    const detail = `statement-drift in ${drifts.length} of ${checked} closed periods, the first ${drift.period}: ${drift.why}`;
    return { ok: false, detail };
  }
  const [unreadable] = model.closedPeriods.unreadable;
  if (unreadable !== undefined)
    return { ok: false, detail: `a closing at position ${unreadable.position}: ${unreadable.why}` };
  const { length } = model.closedPeriods.all;
  return {
    ok: true,
    detail: `${Math.min(checked, length)} of ${length} closed periods compared, none changed`,
  };
}

/** Reports a log that was tampered with or lacks events. The ledger stays ready, because it still answers reads. */
function logCheck(signedLog: SignedLog, { loss }: HttpServices['latch']): CheckOut {
  if (loss !== undefined) return { ok: false, detail: `log-behind: ${loss.why}; the ledger is read-only` };
  const { tampered, isReady, tree } = signedLog;
  if (tampered !== undefined)
    return { ok: false, detail: `log-tampered: ${tampered.why}; the ledger is read-only` };
  const detail = isReady
    ? `${tree.size} events, signed up to ${signedLog.newest()?.size ?? 0}`
    : `its tree is being built, at position ${tree.size}`;
  return { ok: true, detail };
}

/** Reports an untrusted clock. The ledger stays ready: only closings and the validator wait. */
function clockCheck({ doubt }: ClockGuard): CheckOut {
  if (doubt === undefined) return { ok: true, detail: 'agrees with the log and the monotonic clock' };
  return { ok: false, detail: `clock-untrusted: ${doubt.why}; no period is closed` };
}

/** Reports sources that cannot be read. The ledger stays ready: deletions that they report are found later. */
function sourcesCheck({ allUnreadable, size }: SourceHealth): CheckOut {
  if (allUnreadable.length > 0)
    return { ok: false, detail: allUnreadable.map(({ source, why }) => `${source}: ${why}`).join('; ') };
  return { ok: true, detail: size === 0 ? 'none was read yet' : `${size} can be read` };
}

function firstHalted({ unreadableClusters: halted, clusters }: LedgerModel): string {
  for (const [cluster, { position, why }] of halted)
    return `${clusters.text(cluster)} at position ${position}: ${why}`;
  return '';
}
