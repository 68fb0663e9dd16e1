import type { AlertOut } from '../api/alerts.ts';
import type { SignedLog } from '../audit/signed-log.ts';
import type { Webhooks } from '../delivery/webhooks/webhook-groups.ts';
import { expiringKeys } from '../domain/access/access-key.ts';
import { ALERTS, type AlertKind, alertText, type Severity } from '../domain/alert.ts';
import { usageOf } from '../domain/billing/usage-meter.ts';
import { type Instant, readInstant } from '../domain/time.ts';
import type { AccessKeys } from '../ledger/access-keys.ts';
import type { ClockGuard } from '../ledger/clock-guard.ts';
import type { KubefirstIngest } from '../ledger/kubefirst-ingest.ts';
import type { ReadOnlyLatch } from '../ledger/read-only-latch.ts';
import {
  type Acknowledgement,
  type Alert,
  alertState,
  type LiveAlert,
} from '../projections/alerts/raised-alert.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { Projections } from '../projections/projections.ts';
import { type SourceHealth, UNREADABLE_AFTER_MS } from '../usecases/source-health.ts';
import { instantOut } from './params/fields.ts';

/** Kinds of alerts about a billed cluster that may not exist. */
const AT_STAKE: ReadonlySet<AlertKind> = new Set([
  'cluster-unreachable',
  'stop-unconfirmed',
  'never-verified',
  'billed-but-missing',
]);

export function severityOf({ kind }: Pick<Alert, 'kind'>): Severity {
  return ALERTS[kind].severity;
}

export function alertOut(alert: Alert, model: LedgerModel, now: Instant): AlertOut {
  const { id, kind, subject, clusterId, accountId, raisedAt, updatedAt, resolvedAt, acknowledged, data } =
    alert;
  const atStake = resolvedAt === undefined ? stakeOf(alert, model, now) : undefined;
  return {
    id,
    kind,
    severity: severityOf(alert),
    state: alertState(alert),
    subject,
    ...(clusterId !== undefined && { clusterId }),
    ...(accountId !== undefined && { accountId }),
    raisedAt: instantOut(raisedAt),
    updatedAt: instantOut(updatedAt),
    ...(resolvedAt !== undefined && { resolvedAt: instantOut(resolvedAt) }),
    ...(acknowledged && { acknowledged: acknowledgedOut(acknowledged) }),
    ...alertText(kind, subject, data),
    ...(atStake && { atStake }),
    data,
  };
}

function acknowledgedOut({ at, by, note, until }: Acknowledgement) {
  return {
    at: instantOut(at),
    by,
    ...(note !== undefined && { note }),
    ...(until !== undefined && { until: instantOut(until) }),
  };
}

function stakeOf({ kind, clusterId, data, raisedAt }: Alert, model: LedgerModel, now: Instant) {
  const cluster = clusterId === undefined ? undefined : model.clusters.find(clusterId);
  if (cluster === undefined || !AT_STAKE.has(kind)) return undefined;
  const reported = readInstant(String(data['since']));
  const since = Number.isNaN(reported) ? raisedAt : reported;
  const intervals = model.intervals(cluster, model.position);
  const { usage } = usageOf([intervals], { from: since, to: Math.max(since, now) });
  return { since: instantOut(since), clusterSeconds: usage.clusterSeconds };
}

/** Sources of alerts that are not in the log. */
export interface AlertSources {
  readonly projections: Projections;
  readonly signedLog: SignedLog;
  readonly clockGuard: ClockGuard;
  readonly webhooks: Pick<Webhooks, 'alerts'>;
  readonly keys: Pick<AccessKeys, 'known'>;
  readonly health: SourceHealth;
  readonly latch: Pick<ReadOnlyLatch, 'loss'>;
  readonly kubefirst: { readonly intake: Pick<KubefirstIngest, 'strangers'> };
  readonly now: () => Instant;
}

/**
 * Returns the alerts that hold now and are not derived from the log: drifted statements, a log that was tampered with or lacks
 * events, an untrusted clock, unreadable sources, those of webhooks, keys
 * that expire, and accounts whose number of billed clusters has jumped.
 */
export function liveAlerts(sources: AlertSources): LiveAlert[] {
  const { projections, signedLog, clockGuard, webhooks, keys, health, latch, kubefirst, now } = sources;
  const { statements, model } = projections;
  const alerts = statements.drifts.map(({ period, why }): LiveAlert => {
    const since = model.closedPeriods.of(period)?.closedAt ?? 0;
    return { kind: 'statement-drift', subject: period, since, data: { why } };
  });
  alerts.push(...webhooks.alerts());
  for (const { key, since } of expiringKeys(keys.known, now())) {
    const { id: subject, name, role, expiresAt } = key;
    alerts.push({
      kind: 'key-expiring',
      subject,
      since,
      data: { name, role, expiresAt: instantOut(expiresAt) },
    });
  }
  for (const { account, since, before, after } of model.countJumps(now())) {
    const accountId = model.accounts.text(account);
    alerts.push({ kind: 'count-jump', subject: accountId, accountId, since, data: { before, after } });
  }
  for (const { source, since, why } of health.overdue(now()))
    alerts.push({
      kind: 'source-unreadable',
      subject: source,
      since: since + UNREADABLE_AFTER_MS,
      data: { why, since: instantOut(since) },
    });
  for (const {
    kubefirstId,
    since,
    clusterType = 'unknown',
    domain = 'unknown',
  } of kubefirst.intake.strangers(now()))
    alerts.push({
      kind: 'running-but-unregistered',
      subject: `kubefirst:${kubefirstId}`,
      since,
      data: { source: 'telemetry', clusterType, domain, since: instantOut(since) },
    });
  const { doubt } = clockGuard;
  if (doubt !== undefined) {
    const { why, since } = doubt;
    alerts.push({ kind: 'clock-untrusted', subject: 'clock', since, data: { why } });
  }
  const { loss } = latch;
  if (loss !== undefined) {
    const { why, since } = loss;
    alerts.push({ kind: 'log-behind', subject: 'log', since, data: { why } });
  }
  const { tampered } = signedLog;
  if (tampered === undefined) return alerts;
  const { why, at: since } = tampered;
  return [...alerts, { kind: 'log-tampered', subject: signedLog.origin, since, data: { why } }];
}
