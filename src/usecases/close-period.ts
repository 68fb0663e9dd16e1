import { type PeriodClosing, rejectionOfClose } from '../domain/billing/period.ts';
import type { Statement } from '../domain/billing/statement.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { ClockDoubt, ClockGuard } from '../ledger/clock-guard.ts';
import type { FirstPeriod, FirstPeriodChoice } from '../ledger/first-period.ts';
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
  readonly firstPeriod: FirstPeriod;
  readonly now: () => Instant;
  /** How long after its end a period becomes due, in milliseconds. */
  readonly graceMs: number;
  /** Checks the clock that decides whether a period has ended. */
  readonly clockGuard?: Pick<ClockGuard, 'verified'>;
  /** Called after each closing with its position; `undefined` if the position is not known yet. */
  readonly closed?: (position: Position | undefined) => void;
}

/**
 * Closes periods: computes the statements from all facts up to the end of the log and records one `PeriodClosed`. Nothing but the
 * choice of the first period is stored before that, so an interrupted closing starts again. A period closes once: later commands
 * get the first result.
 */
export class ClosePeriod {
  readonly #dependencies: Dependencies;
  readonly #queue = new SerialQueue();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Closes a period. Commands run one after the other.
   * @throws NotCaughtUp, and the errors of `PeriodClosingStore.record` and `FirstPeriod`
   */
  run(command: ClosePeriodCommand): Promise<ClosePeriodResult> {
    return this.#queue.run(() => this.#close(command));
  }

  async #close(command: ClosePeriodCommand): Promise<ClosePeriodResult> {
    const { store, projections, clockGuard, firstPeriod } = this.#dependencies;
    const { period, dryRun, actor } = command;
    for (let isChosen = false; ; isChosen = true) {
      const doubt = dryRun ? undefined : await clockGuard?.verified();
      const model = await modelAtHead(store, projections);
      // The checks are made, and the work begins, without an await: no fact and no closing comes in between.
      const answer = closedIn(model, period) ?? untrusted(doubt) ?? this.#refusal(model, command);
      if (answer !== undefined) return answer;
      if (dryRun) return this.#preview(model, period);
      if (isChosen || hasFirstPeriod(model)) return this.#record(model, period, actor);
      const choice = await firstPeriod.choose({ by: 'closing', period, actor });
      await this.#carryOut(choice);
    }
  }

  /** Returns why a period cannot be closed as known now; `undefined` if it can. */
  #refusal(model: LedgerModel, { period, early, dryRun }: ClosePeriodCommand): ClosePeriodResult | undefined {
    const { now, graceMs } = this.#dependencies;
    const rejection = rejectionOfClose(period, model.calendar, {
      now: now(),
      early: early || dryRun,
      graceMs,
    });
    if (rejection !== undefined) return { outcome: 'rejected', rejection };
    for (const [cluster, { why }] of model.unreadableClusters)
      return { outcome: 'halted', clusterId: model.clusters.text(cluster), why };
    return undefined;
  }

  /** Carries out the choice of the first period, which another process may have made, unless that was done before. */
  async #carryOut(choice: FirstPeriodChoice): Promise<void> {
    const { store, projections, firstPeriod } = this.#dependencies;
    if (choice.by === 'beginning') {
      await firstPeriod.recordBeginning(choice);
      return;
    }
    const model = await modelAtHead(store, projections);
    if (!hasFirstPeriod(model) && model.unreadableClusters.size === 0)
      await this.#record(model, choice.period, choice.actor);
  }

  async #preview(model: LedgerModel, period: Period): Promise<ClosePeriodResult> {
    const statements: Statement[] = [];
    const close = await closingOf(model, period, (statement) => void statements.push(statement));
    return { outcome: 'would-close', close, statements };
  }

  async #record(model: LedgerModel, period: Period, actor: string): Promise<ClosePeriodResult> {
    const { closes, projections, closed } = this.#dependencies;
    const { eventId, ...recorded } = await closes.record(await closingOf(model, period), actor);
    const place = await projections.waitForEvent(eventId, VISIBLE_TIMEOUT_MS);
    closed?.(place?.position);
    return { outcome: 'closed', close: { ...recorded, position: place?.position } };
  }
}

/** Computes the closing of a period from everything that the model knows when it is called. */
async function closingOf(
  model: LedgerModel,
  period: Period,
  each?: (statement: Statement) => void,
): Promise<PeriodClosing> {
  const watermark = model.position;
  const asked = { period, watermark, earlier: [...model.closedPeriods.all] };
  return { period, watermark, ...(await tally(statementsInTurns(model, asked), each)) };
}

/** Returns whether the log says which period is the first. */
function hasFirstPeriod({ beginning, closedPeriods }: LedgerModel): boolean {
  return beginning !== undefined || closedPeriods.last !== undefined;
}

function untrusted(doubt: ClockDoubt | undefined): ClosePeriodResult | undefined {
  return doubt && { outcome: 'clock-untrusted', why: doubt.why };
}

function closedIn(model: LedgerModel, period: Period): ClosePeriodResult | undefined {
  const close = model.closedPeriods.of(period);
  return close === undefined ? undefined : { outcome: 'closed', close };
}
