import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { ALERT_KINDS, ALERTS } from '../../domain/alert.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import { alertState } from '../../projections/alerts/raised-alert.ts';
import type { Projections } from '../../projections/projections.ts';
import { type AlertSources, liveAlerts, severityOf } from '../alert-view.ts';
import type { KubefirstServices } from '../kubefirst-services.ts';
import { addGauge } from './gauge.ts';

/** The metrics of the ledger. No label has unbounded values. */
export interface Metrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<'method' | 'route' | 'status'>;
  readonly events: Counter<'type' | 'outcome'>;
}

/** Sources of the metrics. */
export interface MetricSources extends AlertSources {
  readonly store: EventStore;
  readonly now: () => number;
  /** Returns the time that events are stamped with. Alerts are compared with it. */
  readonly recordingTime: () => number;
}

export function createMetrics(sources: MetricSources): Metrics {
  const { store, projections, now, recordingTime } = sources;
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'ledger_' });
  const gauge = (name: string, help: string, value: () => number) => addGauge(registry, name, help, value);
  gauge(
    'ledger_position',
    'Position of the last event that answers take into account',
    () => projections.model.position,
  );
  gauge('ledger_billable_clusters', 'Number of clusters that are billed now', () =>
    billedNow(projections, now()),
  );
  gauge('ledger_clusters', 'Number of clusters that have facts', () => projections.model.clusters.size);
  gauge(
    'ledger_halted_clusters',
    'Number of clusters whose facts cannot be read',
    () => projections.model.unreadableClusters.size,
  );
  gauge(
    'ledger_closed_periods',
    'Number of closed periods',
    () => projections.model.closedPeriods.all.length,
  );
  gauge(
    'ledger_statement_drift',
    'Number of closed periods whose statements changed',
    () => projections.statements.drifts.length,
  );
  gauge('ledger_store_reachable', '1 if the store can be reached', () => Number(store.health().reachable));
  new Gauge({
    name: 'ledger_alerts',
    help: 'Number of open alerts that are not acknowledged',
    labelNames: ['kind', 'severity'],
    registers,
    collect() {
      for (const kind of ALERT_KINDS) this.set({ kind, severity: ALERTS[kind].severity }, 0);
      for (const alert of projections.model.alerts.unresolved(recordingTime(), liveAlerts(sources)))
        if (alertState(alert) === 'open') this.inc({ kind: alert.kind, severity: severityOf(alert) });
    },
  });
  return {
    registry,
    requestSeconds: new Histogram({
      name: 'ledger_http_request_duration_seconds',
      help: 'Time from a request to the end of its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    events: new Counter({
      name: 'ledger_events_total',
      help: 'Number of posted events by type and outcome',
      labelNames: ['type', 'outcome'],
      registers,
    }),
  };
}

/** Adds the version of the release and the kind of its store. */
export function addBuildInfo(registry: Registry, version: string, store: string): void {
  new Gauge({
    name: 'ledger_build_info',
    help: 'Always 1; the labels have the version of the release and the kind of its store',
    labelNames: ['version', 'store'],
    registers: [registry],
  }).set({ version, store }, 1);
}

/** Adds the metrics of the Kubefirst source. */
export function observeKubefirst({ registry }: Metrics, { intake, records }: KubefirstServices): void {
  const registers = [registry];
  const events = new Counter({
    name: 'ledger_kubefirst_events_total',
    help: 'Number of Kubefirst telemetry events by outcome: recorded, duplicate, rejected, heartbeat or ignored',
    labelNames: ['outcome'],
    registers,
    collect() {
      events.reset();
      for (const [outcome, count] of intake.counts) events.inc({ outcome }, count);
    },
  });
  const gauge = (name: string, help: string, value: () => number) => addGauge(registry, name, help, value);
  gauge(
    'ledger_kubefirst_clusters_seen',
    'Number of clusters with a heartbeat since the process started',
    () => intake.lastSeen.size,
  );
  gauge('ledger_kubefirst_records_followed', '1 if the records of every management cluster can be read', () =>
    Number(records().every(({ state }) => state === 'following')),
  );
  gauge(
    'ledger_kubefirst_records_unusable',
    'Number of records that cannot be used',
    () => records().flatMap(({ unusable }) => unusable).length,
  );
  gauge(
    'ledger_kubefirst_records_missing',
    'Number of billed clusters whose record is gone',
    () => records().flatMap(({ missing }) => missing).length,
  );
}

function billedNow({ model }: Projections, now: number): number {
  let billed = 0;
  for (let cluster = 0; cluster < model.clusters.size; cluster++)
    if (model.isBilledAt(cluster, now)) billed++;
  return billed;
}
