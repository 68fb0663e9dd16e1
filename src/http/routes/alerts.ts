import { z } from 'zod';
import { AlertOut } from '../../api/alerts.ts';
import { Next } from '../../api/values.ts';
import { ALERT_KINDS, ALERT_STATES, SEVERITIES } from '../../domain/alert.ts';
import { line } from '../../domain/facts/fact.ts';
import { type Alert, alertState } from '../../projections/alerts/raised-alert.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { VISIBLE_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import { mayReadAlert } from '../alert-access.ts';
import { alertOut, liveAlerts, severityOf } from '../alert-view.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import { InstantText, instantOut, Paging, Reading } from '../params/fields.ts';
import { openPage, pageOf } from '../params/paging.ts';
import { modelFor, modelForPage } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

const AlertPath = z.strictObject({
  alertId: line(400).describe('The kind and the subject, separated by a colon.'),
});

const tags = ['Alerts'];

const listAlertsSchema = {
  operationId: 'listAlerts',
  tags,
  summary: 'List the alerts, latest first',
  description: 'Lists resolved alerts too. Acknowledged alerts are silent.',
  querystring: z.strictObject({
    state: z.enum(ALERT_STATES).optional().describe('Only alerts in this state.'),
    kind: z.enum(ALERT_KINDS).optional().describe('Only alerts of this kind.'),
    severity: z.enum(SEVERITIES).optional().describe('Only alerts of this severity.'),
    ...Paging,
    ...Reading,
  }),
  response: {
    200: answer('A page of the alerts.', z.strictObject({ items: z.array(AlertOut), ...Next })),
    ...problemResponses,
  },
};

const getAlertSchema = {
  operationId: 'getAlert',
  tags,
  summary: 'Get an alert: what happened, the effect on the bill, and what to do next',
  description: 'Alerts say what happened in words, and carry the same facts as data.',
  params: AlertPath,
  querystring: z.strictObject({ ...Reading }),
  response: { 200: answer('The alert.', AlertOut), ...problems('not-found') },
};

const acknowledgeAlertSchema = {
  operationId: 'acknowledgeAlert',
  tags,
  summary: 'Acknowledge an alert: it is silent from then on',
  description:
    'An acknowledged alert stays until its cause is resolved. An alert of kind event-rejected or alive-after-delete is resolved by the acknowledgement. With `until` the alert is only silent for a time. Repeating it changes nothing.',
  params: AlertPath,
  body: z
    .strictObject({
      note: line(1_000).optional(),
      until: InstantText.optional().describe(
        'The alert is open again from then on, if it is not resolved. By default it stays silent until it is resolved.',
      ),
    })
    .nullish(),
  response: {
    200: answer('The acknowledged alert.', AlertOut),
    ...problems('not-found'),
  },
};

/** Adds the routes that list and acknowledge alerts. */
export function alertRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/alerts',
    {
      config: { access: { auditor: 'all', customer: 'filtered' } },
      schema: listAlertsSchema,
    },
    async (request, reply) => {
      const { caller } = request;
      const { limit, state, kind, severity, ...query } = request.query;
      const page = openPage(request, 'number', 'text');
      const { model, position } = await modelForPage(services, page, query, reply);
      const now = services.recordingTime();
      const isSelected = (alert: Alert) =>
        mayReadAlert(caller, alert, model, services.now()) &&
        (state === undefined || alertState(alert) === state) &&
        (kind === undefined || alert.kind === kind) &&
        (severity === undefined || severityOf(alert) === severity);
      const alerts = model.alerts.all(now, liveAlerts(services)).filter(isSelected);
      const [raisedAt, id] = page.after ?? [Number.POSITIVE_INFINITY, ''];
      const isBehind = (alert: Alert) =>
        alert.raisedAt < Number(raisedAt) || (alert.raisedAt === raisedAt && alert.id > String(id));
      const { items, last } = pageOf(alerts, limit, isBehind, (alert) => [alert.raisedAt, alert.id]);
      return {
        items: items.map((alert) => alertOut(alert, model, now)),
        ...page.next(last, { position }),
      };
    },
  );

  app.get(
    '/v1/alerts/:alertId',
    {
      config: { access: { auditor: 'all', customer: 'filtered' } },
      schema: getAlertSchema,
    },
    async ({ params, query, caller }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const alert = requireAlert(model, params.alertId, services);
      if (!mayReadAlert(caller, alert, model, services.now())) throw unknownAlert(params.alertId);
      return alertOut(alert, model, services.recordingTime());
    },
  );

  app.post(
    '/v1/alerts/:alertId/acknowledge',
    {
      config: { access: {} },
      schema: acknowledgeAlertSchema,
    },
    async ({ params: { alertId }, body, caller }, reply) => {
      const model = await modelFor(services.projections, {}, reply);
      const alert = requireAlert(model, alertId, services);
      const { note, until } = body ?? {};
      if (until !== undefined && until <= services.now())
        throw invalidRequest([
          { pointer: '/until', detail: `must be in the future; given ${instantOut(until)}` },
        ]);
      const isNews = until !== undefined && alert.acknowledged?.until !== until;
      if (alertState(alert) === 'open' || (alertState(alert) === 'acknowledged' && isNews)) {
        const eventId = await services.decisions.acknowledge(alertId, caller.actor, { note, until });
        await services.projections.waitForEvent(eventId, VISIBLE_TIMEOUT_MS);
      }
      const now = services.projections.model;
      reply.header('ledger-position', String(now.position));
      return alertOut(
        now.alerts.find(alertId, services.recordingTime(), liveAlerts(services)) ?? alert,
        now,
        services.recordingTime(),
      );
    },
  );
}

/** @throws Problem `not-found` */
function requireAlert(model: LedgerModel, alertId: string, services: HttpServices): Alert {
  const alert = model.alerts.find(alertId, services.recordingTime(), liveAlerts(services));
  if (alert === undefined) throw unknownAlert(alertId);
  return alert;
}

function unknownAlert(alertId: string): Problem {
  return new Problem('not-found', `alert ${alertId} does not exist`);
}
