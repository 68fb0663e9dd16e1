import { Counter, Gauge, type Registry } from 'prom-client';
import { dueAt, nextToClose } from '../../domain/billing/period.ts';
import type { Instant } from '../../domain/time.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import type { Projections } from '../../projections/projections.ts';
import { addGauge } from './gauge.ts';

interface Sources {
  readonly projections: Projections;
  readonly store: EventStore;
  readonly now: () => Instant;
  /** How long after its end a period waits for late facts, in milliseconds. */
  readonly graceMs: number;
}

/** How long the lag of the newest event is shown. */
const RECENT_MS = 60_000;

/** Adds the metrics of how far the answers, the snapshots and the closings are behind. */
export function measureProgress(registry: Registry, { projections, store, now, graceMs }: Sources): void {
  const registers = [registry];
  let lagMs = 0;
  let laggedAt = 0;
  projections.subscribe((events) => {
    const newest = events.at(-1);
    if (newest === undefined) return;
    laggedAt = now();
    lagMs = Math.max(0, laggedAt - newest.recordedAt);
  });
  // Without new events, nothing lags.
  const recentLagMs = () => (now() - laggedAt > RECENT_MS ? 0 : lagMs);
  addGauge(
    registry,
    'ledger_projection_lag_seconds',
    'Time from the recording of the newest event to when answers took it into account; its age during a start',
    () =>
      (projections.isCaughtUp
        ? recentLagMs()
        : Math.max(0, now() - projections.model.facts.newestRecordedAt)) / 1_000,
  );
  addGauge(
    registry,
    'ledger_projection_caught_up',
    '1 if answers have all events that the log had at the start',
    () => Number(projections.isCaughtUp),
  );
  addGauge(
    registry,
    'ledger_snapshot_position',
    'Position of the newest snapshot of this process; 0 if there is none',
    () => projections.snapshots.position,
  );
  const snapshots = new Counter({
    name: 'ledger_snapshots_total',
    help: 'Number of snapshots that were written or could not be written, by outcome',
    labelNames: ['outcome'],
    registers,
    collect() {
      snapshots.reset();
      const { written, failed } = projections.snapshots;
      snapshots.inc({ outcome: 'written' }, written);
      snapshots.inc({ outcome: 'failed' }, failed);
    },
  });
  const reconnects = new Counter({
    name: 'ledger_store_reconnects_total',
    help: 'Number of times that a reader of the log had to subscribe again on EventStoreDB',
    registers,
    collect() {
      reconnects.reset();
      reconnects.inc(store.health().reconnects ?? 0);
    },
  });
  new Gauge({
    name: 'ledger_last_period_close_timestamp_seconds',
    help: 'When the newest closed period was closed; not a number if there is none',
    registers,
    collect() {
      const last = projections.model.closedPeriods.all.at(-1);
      this.set(last === undefined ? Number.NaN : last.closedAt / 1_000);
    },
  });
  addGauge(
    registry,
    'ledger_period_close_overdue_seconds',
    'Time since the oldest period that is not closed was due to be closed; 0 if none is due',
    () => {
      const period = nextToClose(projections.model.calendar);
      return period === undefined ? 0 : Math.max(0, now() - dueAt(period, graceMs)) / 1_000;
    },
  );
}
