import { pino } from 'pino';
import { DEFAULT_BACKDATING_MS } from '../../../src/domain/facts/decide-fact.ts';
import type { Period } from '../../../src/domain/time.ts';
import type { EventStore } from '../../../src/eventstore/event-store.ts';
import { Recorder } from '../../../src/http/ingest/recorder.ts';
import type { HttpServices } from '../../../src/http/server/app.ts';
import { FirstPeriod } from '../../../src/ledger/first-period.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { PeriodClosingStore } from '../../../src/ledger/period-closing-store.ts';
import { RecordingClock } from '../../../src/ledger/recording-clock.ts';
import { Projections } from '../../../src/projections/projections.ts';
import { outlineCluster } from '../../../src/projections/queries/outline-cluster.ts';
import { type BeginBillingResult, beginBilling } from '../../../src/usecases/begin-billing.ts';
import { ClosePeriod } from '../../../src/usecases/close-period.ts';

const log = pino({ level: 'silent' });

/** The write path, the projections and the closing of a ledger, wired as `src/app` does, on a given store and clock. */
export class Replica {
  readonly recorder: Recorder;
  readonly projections: Projections;
  readonly closePeriod: ClosePeriod;
  readonly #store: EventStore;
  readonly #firstPeriod: FirstPeriod;
  /** Why the process would have ended. */
  failure: unknown;

  constructor(store: EventStore, now: () => number) {
    const onFailed = (error: unknown) => {
      this.failure = error;
    };
    const projections = new Projections(store, { log, onFailed });
    const clock = new RecordingClock(now, () => projections.model.facts.newestRecordedAt);
    const isNew = (clusterId: string) =>
      projections.isCaughtUp && projections.model.clusters.find(clusterId) === undefined;
    const times = { now, recordingTime: clock.now, backdatingMs: DEFAULT_BACKDATING_MS };
    // Clusters of a simulated life have few facts: some are read, and others are outlined.
    const outlines = {
      outlineOf: (clusterId: string) => outlineCluster(projections.model, clusterId),
      outlinedFrom: 5,
    };
    const ledger = new Ledger(store, { ...times, isNew, ...outlines });
    // The recorder uses no more of the services than these.
    const metrics = { events: { labels: () => ({ inc: () => undefined }) } };
    this.recorder = new Recorder({ ledger, projections, metrics } as unknown as HttpServices);
    const closes = new PeriodClosingStore(store, clock.now);
    const firstPeriod = new FirstPeriod(store, clock.now);
    this.#store = store;
    this.#firstPeriod = firstPeriod;
    this.closePeriod = new ClosePeriod({ store, projections, closes, firstPeriod, now, graceMs: 0 });
    this.projections = projections;
    projections.start();
  }

  /** Begins statements with a period, as the route does. */
  begin(period: Period): Promise<BeginBillingResult> {
    const parts = { store: this.#store, projections: this.projections, firstPeriod: this.#firstPeriod };
    return beginBilling(parts, { period, reason: 'billed before', dryRun: false, actor: 'simulated' });
  }
}
