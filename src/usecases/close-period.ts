import { rejectionOfClose } from '../domain/billing/period.ts';
import type { Statement } from '../domain/billing/statement.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { ClockGuard } from '../ledger/clock-guard.ts';
import type {
  ClosePeriodCommand,
  ClosePeriodResult,
  PeriodClosingStore,
} from '../ledger/period-closing-store.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { Projections } from '../projections/projections.ts';
import { statementsInTurns, tally } from '../projections/queries/period-statements.ts';
import { VISIBLE_TIMEOUT_MS } from '../projections/wait-limits.ts';
import type { Position } from '../util/log-numbers.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import { modelAtHead } from './model-at-head.ts';

interface Dependencies {
  readonly store: EventStore;
  readonly projections: Projections;
  readonly closes: PeriodClosingStore;
  readonly now: () => Instant;
  /** How long after its end a period becomes due, in milliseconds. */
  readonly graceMs: number;
  /** Checks the clock that decides whether a period has ended. */
  readonly clockGuard?: Pick<ClockGuard, 'verified'>;
  /** Called after each closing with its position; `undefined` if the position is not known yet. */
  readonly closed?: (position: Position | undefined) => void;
}

/**
 * Closes periods: computes the statements from all facts up to the end of the log and records one `PeriodClosed`. Nothing is
 * stored before that, so an interrupted closing starts again. A period closes once: later commands get the first result.
 */
export class ClosePeriod {
  readonly #dependencies: Dependencies;
  readonly #queue = new SerialQueue();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Closes a period. Commands run one after the other.
   * @throws NotCaughtUp, and the errors of `PeriodClosingStore.record`
   */
  run(command: ClosePeriodCommand): Promise<ClosePeriodResult> {
    return this.#queue.run(() => this.#close(command));
  }

  async #close(command: ClosePeriodCommand): Promise<ClosePeriodResult> {
    const { period, early, dryRun, actor } = command;
    const { now, closes, graceMs, clockGuard } = this.#dependencies;
    const model = await modelAtHead(this.#dependencies.store, this.#dependencies.projections);
    const closed = closedIn(model, period);
    if (closed !== undefined) return closed;
    const doubt = dryRun ? undefined : await clockGuard?.verified();
    if (doubt !== undefined) return { outcome: 'clock-untrusted', why: doubt.why };
    const rejection = rejectionOfClose(period, model.calendar, {
      now: now(),
      early: early || dryRun,
      graceMs,
    });
    if (rejection !== undefined) return { outcome: 'rejected', rejection };
    for (const [cluster, { why }] of model.unreadableClusters)
      return { outcome: 'halted', clusterId: model.clusters.text(cluster), why };

    // Read without an await after the checks above: no earlier period can be closed in between.
    const watermark = model.position;
    const statements: Statement[] = [];
    const asked = { period, watermark, earlier: [...model.closedPeriods.all] };
    const keep = dryRun ? (statement: Statement) => void statements.push(statement) : undefined;
    const close = { period, watermark, ...(await tally(statementsInTurns(model, asked), keep)) };
    if (dryRun) return { outcome: 'would-close', close, statements };

    const { eventId, ...recorded } = await closes.record(close, actor);
    const place = await this.#dependencies.projections.waitForEvent(eventId, VISIBLE_TIMEOUT_MS);
    this.#dependencies.closed?.(place?.position);
    return { outcome: 'closed', close: { ...recorded, position: place?.position } };
  }
}

function closedIn(model: LedgerModel, period: Period): ClosePeriodResult | undefined {
  const close = model.closedPeriods.of(period);
  return close === undefined ? undefined : { outcome: 'closed', close };
}
