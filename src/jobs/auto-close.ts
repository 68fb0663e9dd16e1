import { dueAt, nextToClose } from '../domain/billing/period.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { Projections } from '../projections/projections.ts';
import type { ClosePeriod } from '../usecases/close-period.ts';
import type { Logger } from '../util/logger.ts';
import { ScheduledJob } from './schedule.ts';

/** Whether periods are closed automatically, and the cron schedule in UTC. */
export interface AutoCloseOptions {
  readonly enabled: boolean;
  readonly schedule: string;
}

interface Dependencies {
  readonly closer: Pick<ClosePeriod, 'run'>;
  readonly projections: Pick<Projections, 'model' | 'isCaughtUp'>;
  readonly now: () => Instant;
  /** How long after its end a period waits for late facts, in milliseconds. */
  readonly graceMs: number;
  readonly log: Logger;
}

/** Actor of an automatic closing. */
const ACTOR = 'auto-close';

/**
 * Closes all due periods in order, on a schedule and one run at a time. No period is closed early. Failures are
 * logged and tried again at the next run.
 */
export class AutoClose {
  readonly #dependencies: Dependencies;
  readonly #options: AutoCloseOptions;
  readonly #job: ScheduledJob;
  #isStopped = false;

  constructor(dependencies: Dependencies, options: AutoCloseOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
    this.#job = new ScheduledJob('auto-close', options.schedule, () => this.#closeDue(), dependencies.log);
  }

  /** Starts the schedule if automatic closing is enabled. */
  start(): void {
    const { enabled, schedule } = this.#options;
    if (!enabled) return;
    this.#job.start();
    this.#dependencies.log.info({ schedule }, 'automatic period closing enabled');
  }

  /** Closes due periods now. A call during a run waits for that run. Never rejects. */
  tick(): Promise<void> {
    return this.#job.now();
  }

  async #closeDue(): Promise<void> {
    const { projections, log } = this.#dependencies;
    // A projection that has not read the whole log cannot know which period is due.
    if (!projections.isCaughtUp) return;
    for (let period = this.#due(); period !== undefined && !this.#isStopped; period = this.#due()) {
      try {
        if (!(await this.#close(period))) return;
      } catch (error) {
        if (!this.#isStopped) log.error({ err: error, period }, 'a due period could not be closed');
        return;
      }
    }
  }

  /** @returns whether another period may be due. */
  async #close(period: Period): Promise<boolean> {
    const { closer, projections, log } = this.#dependencies;
    const outcome = await closer.run({ period, early: false, dryRun: false, actor: ACTOR });
    if (outcome.outcome !== 'closed') {
      log.error({ period, ...outcome }, 'a due period could not be closed');
      return false;
    }
    const { watermark, accounts, totals } = outcome.close;
    log.info({ period, watermark, accounts, totals }, 'period closed');
    // Without its closing in the model, the period would be due again.
    return projections.model.closedPeriods.of(period) !== undefined;
  }

  /** Returns the period to close now. */
  #due(): Period | undefined {
    const { projections, now, graceMs } = this.#dependencies;
    const period = nextToClose(projections.model.calendar);
    return period !== undefined && now() >= dueAt(period, graceMs) ? period : undefined;
  }

  /**
   * Stops the schedule and waits for the active run. A closing that is interrupted by the shutdown of the
   * projections is safe.
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#job.stop();
  }
}
