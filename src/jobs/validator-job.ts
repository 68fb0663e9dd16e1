import { MINUTE_MS } from '../domain/time.ts';
import type { BeginOutcome, RunPlan, RunProgress, RunValidation } from '../usecases/run-validation.ts';
import type { Logger } from '../util/logger.ts';
import { ScheduledJob } from './schedule.ts';

/** When the validator runs: at its times, and when somebody asks. */
export class ValidatorJob {
  readonly #validator: RunValidation;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #scheduled: ScheduledJob | undefined;
  #finishing: Promise<unknown> = Promise.resolve();

  /** @param schedule as `CronText` takes it; `undefined` where it runs on request alone. */
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

  /** The run of this minute, unless another replica has it. */
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

  /** A run now; it goes on after this has resolved. @throws what `Validator.begin` does */
  async request(actor: string): Promise<BeginOutcome> {
    const begun = await this.#validator.begin({ trigger: 'request', actor, tick: this.#now() });
    if (begun.outcome === 'begun') {
      this.#finishing = begun.finished.catch((error: unknown) => {
        this.#log.error(
          { err: error, run: begun.run },
          'a validation has failed; the next one asks everybody again',
        );
      });
    }
    return begun;
  }

  /** @throws what `Validator.plan` does */
  plan(): Promise<RunPlan> {
    return this.#validator.plan();
  }

  /** Gives up the run under way. */
  async stop(): Promise<void> {
    this.#validator.stop();
    await this.#scheduled?.stop();
    await this.#finishing;
  }
}
