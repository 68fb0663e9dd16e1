import { refusedClose } from '../domain/billing/period.ts';
import type { Statement } from '../domain/billing/statement.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type {
  ClosePeriodCommand,
  ClosePeriodResult,
  PeriodClosingStore,
} from '../ledger/period-closing-store.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { Projections } from '../projections/projections.ts';
import { statementsInTurns, tally } from '../projections/queries/period-statements.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import { modelAtHead } from './model-at-head.ts';

/** How long a close waits for its own place in the log. */
const PLACE_WAIT_MS = 2_000;

interface Dependencies {
  readonly store: EventStore;
  readonly projections: Projections;
  readonly closes: PeriodClosingStore;
  readonly now: () => Instant;
  /** Told of each closing: its position, `undefined` while it is not known. */
  readonly closed?: (position: number | undefined) => void;
}

/**
 * Closes periods: all facts up to the end of the log, their statements, one `PeriodClosed`. Nothing is kept on the way, so
 * whoever is interrupted begins again; whoever comes second gets the first one's result.
 */
export class ClosePeriod {
  readonly #rooms: Dependencies;
  readonly #queue = new SerialQueue();

  constructor(rooms: Dependencies) {
    this.#rooms = rooms;
  }

  /**
   * One at a time: who waits mostly finds it done.
   * @throws NotCaughtUp, and what `PeriodCloses.close` throws.
   */
  run(command: ClosePeriodCommand): Promise<ClosePeriodResult> {
    return this.#queue.run(() => this.#close(command));
  }

  async #close(command: ClosePeriodCommand): Promise<ClosePeriodResult> {
    const { period, early, dryRun, actor } = command;
    const { now, closes } = this.#rooms;
    const model = await modelAtHead(this.#rooms.store, this.#rooms.projections);
    const closed = closedIn(model, period);
    if (closed !== undefined) return closed;
    const rejection = refusedClose(period, model.calendar, { now: now(), early: early || dryRun });
    if (rejection !== undefined) return { outcome: 'rejected', rejection };
    for (const [cluster, { why }] of model.unreadableClusters)
      return { outcome: 'halted', clusterId: model.clusters.text(cluster), why };

    // What the model has seen by now, without an await since: so an earlier period is never closed behind it.
    const watermark = model.position;
    const statements: Statement[] = [];
    const asked = { period, watermark, earlier: [...model.closedPeriods] };
    const keep = dryRun ? (statement: Statement) => void statements.push(statement) : undefined;
    const close = { period, watermark, ...(await tally(statementsInTurns(model, asked), keep)) };
    if (dryRun) return { outcome: 'would-close', close, statements };

    const { eventId, ...recorded } = await closes.record(close, actor);
    const place = await this.#rooms.projections.waitForEvent(eventId, PLACE_WAIT_MS);
    this.#rooms.closed?.(place?.position);
    return { outcome: 'closed', close: { ...recorded, position: place?.position } };
  }
}

function closedIn(model: LedgerModel, period: Period): ClosePeriodResult | undefined {
  const close = model.closingOf(period);
  return close === undefined ? undefined : { outcome: 'closed', close };
}
