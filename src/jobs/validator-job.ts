import { MINUTE_MS } from '../domain/time.ts';
import type { BeginOutcome, RunPlan, RunProgress, RunValidation } from '../usecases/run-validation.ts';
import type { Logger } from '../util/logger.ts';
import { ScheduledJob } from './schedule.ts';

/** Runs the validator on a schedule and on request. */
export class ValidatorJob {
  readonly #validator: RunValidation;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #scheduled: ScheduledJob | undefined;
  #finishing: Promise<unknown> = Promise.resolve();

  /** @param schedule a cron expression; `undefined` to run on request only. */
  constructor(validator: RunValidation, schedule: string | undefined, now: () => number, log: Logger) {
    this.#validator = validator;
    this.#now = now;
    this.#log = log;
    if (schedule !== undefined)
      this.#scheduled = new ScheduledJob('validation', schedule, () => this.tick(), log);
  }

  start(): void {
    this.#scheduled?.start();
  }

  get progress(): Readonly<RunProgress> | undefined {
    return this.#validator.progress;
  }

  /** Runs the validation of the current minute, unless another replica has it. */
  async tick(): Promise<void> {
    const tick = Math.floor(this.#now() / MINUTE_MS) * MINUTE_MS;
    const everyMs = this.#scheduled?.everyMs;
    const begun = await this.#validator.begin({
      trigger: 'schedule',
      actor: 'validator',
      tick,
      ...(everyMs !== undefined && { everyMs }),
    });
    if (begun.outcome === 'begun') await begun.finished;
  }

  /** Starts a run now and resolves once it has begun. @throws the errors of `RunValidation.begin` */
  async request(actor: string): Promise<BeginOutcome> {
    const begun = await this.#validator.begin({ trigger: 'request', actor, tick: this.#now() });
    if (begun.outcome === 'begun') {
      this.#finishing = begun.finished.catch((error: unknown) => {
        this.#log.error(
          { err: error, run: begun.run },
          'a validation failed; the next one probes all clusters again',
        );
      });
    }
    return begun;
  }

  /** Returns what a run would do. @throws the errors of `RunValidation.plan` */
  plan(): Promise<RunPlan> {
    return this.#validator.plan();
  }

  /** Aborts the active run and ends the schedule. */
  async stop(): Promise<void> {
    this.#validator.stop();
    await this.#scheduled?.stop();
    await this.#finishing;
  }
}
