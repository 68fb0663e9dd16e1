import { z } from 'zod';
import { dueAt, nextToClose } from '../domain/billing/period.ts';
import type { Instant, Period } from '../domain/time.ts';
import type { Projections } from '../projections/projections.ts';
import type { ClosePeriod } from '../usecases/close-period.ts';
import type { Logger } from '../util/logger.ts';
import { CronText, ScheduledJob } from './schedule.ts';

/** When periods are closed by themselves; they are not, unless it is said. */
export const AutoCloseSettings = z.strictObject({
  enabled: z.boolean().default(false),
  schedule: CronText.default('7 * * * *'),
});
export type AutoCloseSettings = z.output<typeof AutoCloseSettings>;

interface Dependencies {
  readonly closer: Pick<ClosePeriod, 'run'>;
  readonly projections: Pick<Projections, 'model' | 'isCaughtUp'>;
  readonly now: () => Instant;
  readonly log: Logger;
}

/** Who closed a period, where it was nobody. */
const ACTOR = 'auto-close';

/**
 * Closes every period that is due, in order, also several that were left: at each tick of its schedule, one tick at a time.
 * Nothing is closed early. What fails is logged, and tried again at the next tick.
 */
export class AutoClose {
  readonly #dependencies: Dependencies;
  readonly #settings: AutoCloseSettings;
  readonly #job: ScheduledJob;
  #isStopped = false;

  constructor(rooms: Dependencies, settings: AutoCloseSettings) {
    this.#dependencies = rooms;
    this.#settings = settings;
    this.#job = new ScheduledJob('auto-close', settings.schedule, () => this.#closeDue(), rooms.log);
  }

  /** Begins to keep the schedule, if it is enabled. */
  start(): void {
    const { enabled, schedule } = this.#settings;
    if (!enabled) return;
    this.#job.start();
    this.#dependencies.log.info({ schedule }, 'periods that are due are closed by themselves');
  }

  /** Closes what is due now; whoever calls while that goes on waits for the same. Never rejects. */
  tick(): Promise<void> {
    return this.#job.now();
  }

  async #closeDue(): Promise<void> {
    const { projections, log } = this.#dependencies;
    // What has not seen the whole log does not know what is due; the next tick will.
    if (!projections.isCaughtUp) return;
    for (let period = this.#due(); period !== undefined && !this.#isStopped; period = this.#due()) {
      try {
        if (!(await this.#close(period))) return;
      } catch (error) {
        if (!this.#isStopped) log.error({ err: error, period }, 'a period that is due could not be closed');
        return;
      }
    }
  }

  /** @returns whether there may be another to close. */
  async #close(period: Period): Promise<boolean> {
    const { closer, projections, log } = this.#dependencies;
    const outcome = await closer.run({ period, early: false, dryRun: false, actor: ACTOR });
    if (outcome.outcome !== 'closed') {
      log.error({ period, ...outcome }, 'a period that is due could not be closed');
      return false;
    }
    const { watermark, accounts, totals } = outcome.close;
    log.info({ period, watermark, accounts, totals }, 'a period was closed');
    // Until its closing is in the answers, it would be found due again.
    return projections.model.closingOf(period) !== undefined;
  }

  /** The period that is to be closed now. */
  #due(): Period | undefined {
    const { projections, now } = this.#dependencies;
    const period = nextToClose(projections.model.calendar);
    return period !== undefined && now() >= dueAt(period) ? period : undefined;
  }

  /** Begins no other close. One that is under way ends, or is given up where the answers are let go: that is safe. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#job.stop();
  }
}
