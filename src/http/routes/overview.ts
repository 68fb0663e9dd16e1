import { OverviewOut } from '../../api/overview.ts';
import type { Caller } from '../../domain/access/caller.ts';
import { periodState, periodsUpTo } from '../../domain/billing/period.ts';
import { clippedWindow } from '../../domain/billing/usage-meter.ts';
import { DAY_MS, type Instant, periodOf, periodWindow } from '../../domain/time.ts';
import { alertState } from '../../projections/alerts/raised-alert.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { type PlatformOverview, platformOverview } from '../../projections/queries/platform-overview.ts';
import { runYielding } from '../../util/event-loop-yielder.ts';
import { onlyAccountOf } from '../access/require-own.ts';
import { mayReadAlert } from '../alert-access.ts';
import { liveAlerts, severityOf } from '../alert-view.ts';
import { answer, problemResponses } from '../contract.ts';
import { instantOut } from '../params/fields.ts';
import { modelFor } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';

const DAYS = 30;
/** How long an overview is served again, at least. */
const KEPT_MS = 2_000;
/** Part of the time that overviews may compute, however many people look at them. */
const MAX_SHARE = 0.05;
/** Number of customers whose overviews are kept. */
const MAX_KEPT = 256;

interface Computed {
  readonly at: Instant;
  readonly position: number;
  readonly overview: PlatformOverview;
}

/** Computes overviews, and serves each again for some seconds: people who look at a page all ask for the same. */
class Overviews {
  readonly #services: HttpServices;
  readonly #kept = new Map<string | undefined, { until: number; readonly computed: Promise<Computed> }>();

  constructor(services: HttpServices) {
    this.#services = services;
  }

  /** @param only the only account to look at; by default all */
  of(model: LedgerModel, only: string | undefined): Promise<Computed> {
    const kept = this.#kept.get(only);
    if (kept !== undefined && performance.now() < kept.until) return kept.computed;
    const began = performance.now();
    const computed = this.#compute(model, only);
    const entry = { until: Number.POSITIVE_INFINITY, computed };
    this.#kept.delete(only);
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(only, entry);
    const end = () => {
      const now = performance.now();
      entry.until = now + Math.max(KEPT_MS, (now - began) / MAX_SHARE);
    };
    computed.then(end, () => this.#kept.delete(only));
    return computed;
  }

  async #compute(model: LedgerModel, only: string | undefined): Promise<Computed> {
    const at = this.#services.now();
    const { position } = model;
    const today = Math.floor(at / DAY_MS) * DAY_MS;
    const question = {
      now: at,
      only,
      month: clippedWindow(periodWindow(periodOf(at)), at),
      days: clippedWindow({ from: today - DAYS * DAY_MS, to: today + DAY_MS }, at),
    };
    return { at, position, overview: await runYielding(platformOverview(model, question)) };
  }
}

const getOverviewSchema = {
  operationId: 'getOverview',
  tags: ['Operations'],
  summary: 'Get what is billed now, what is wrong, and how far the month is',
  description:
    'Everything that the first page of the console shows. The figures are computed at most every two seconds. A customer gets those of its account.',
  response: { 200: answer('The overview.', OverviewOut), ...problemResponses },
};

/** Adds the route that answers how everything is now. */
export function overviewRoutes(app: App, services: HttpServices): void {
  const overviews = new Overviews(services);
  app.get(
    '/v1/overview',
    {
      config: { access: { billing: 'all', auditor: 'all', customer: 'filtered' } },
      schema: getOverviewSchema,
    },
    async ({ caller }, reply) => {
      const model = await modelFor(services.projections, {}, reply);
      const computed = await overviews.of(model, onlyAccountOf(caller));
      const head = await services.store.head().catch(() => undefined);
      return overviewOut(services, model, caller, { ...computed, head });
    },
  );
}

function overviewOut(
  services: HttpServices,
  model: LedgerModel,
  caller: Caller,
  {
    at,
    position,
    head,
    overview: { statuses, month, days, ...counts },
  }: Computed & { readonly head: number | undefined },
): OverviewOut {
  const { role } = caller;
  const period = periodOf(at);
  const { from, to } = periodWindow(period);
  const mayReadAlerts = role !== 'billing';
  const mayReadValidator = role === 'operator' || role === 'auditor';
  return {
    at: instantOut(at),
    position: String(position),
    clusters: statuses,
    ...counts,
    billedByType: [...counts.billedByType],
    month: { period, window: { from: instantOut(from), to: instantOut(to) }, ...month },
    days: [...days],
    ...(mayReadAlerts && { alerts: openAlerts(services, model, caller) }),
    ...(mayReadValidator && { validator: validatorOut(services, model) }),
    ...(role !== 'customer' && {
      periods: periodsOut(services, model),
      lag: {
        events: head === undefined ? null : Math.max(0, head - model.position),
        unsigned: Math.max(0, model.position - (services.signedLog.newest()?.size ?? 0)),
      },
    }),
  };
}

function openAlerts(services: HttpServices, model: LedgerModel, caller: Caller): OverviewOut['alerts'] {
  const counts = { critical: 0, warning: 0, info: 0 };
  for (const alert of model.alerts.unresolved(services.recordingTime(), liveAlerts(services))) {
    const isCounted = alertState(alert) === 'open' && mayReadAlert(caller, alert, model, services.now());
    if (isCounted) counts[severityOf(alert)]++;
  }
  return counts;
}

function validatorOut(services: HttpServices, model: LedgerModel): OverviewOut['validator'] {
  const { validations } = model;
  const shards = [...validations.shards];
  return {
    lastRunAt:
      shards.length === 0 ? null : instantOut(Math.min(...shards.map(({ completedAt }) => completedAt))),
    breakerOpen: shards.some(({ breaker }) => breaker.open),
    running: validations.activeRuns(services.recordingTime()).length > 0,
  };
}

function periodsOut({ now, graceMs }: HttpServices, model: LedgerModel): OverviewOut['periods'] {
  const { last } = model.closedPeriods;
  const due = periodsUpTo(now(), model.calendar).filter(
    (period) => periodState(period, model.closedPeriods.of(period) !== undefined, now(), graceMs) === 'due',
  );
  return {
    lastClosed: last === undefined ? null : { period: last.period, closedAt: instantOut(last.closedAt) },
    due,
    begun: model.beginning?.period ?? null,
  };
}
