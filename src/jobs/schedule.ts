import { createTask, type ScheduledTask, validate } from 'node-cron';
import { z } from 'zod';
import type { Logger } from '../util/logger.ts';

/** When something happens, as cron has it: minute, hour, day of the month, month, day of the week; seconds may stand first. UTC. */
export const CronText = z
  .string()
  .refine(
    (text) => /^\S+( \S+){4,5}$/.test(text) && validate(text),
    'must be a cron expression of five fields, or six with seconds first, such as */5 * * * *',
  );

/**
 * Does something at its times, never twice at once: a time that comes while it is still busy is passed over. What it throws
 * is logged, and it is tried again at the next time.
 */
export class ScheduledJob {
  readonly #task: ScheduledTask;
  readonly #run: () => Promise<void>;
  readonly #name: string;
  readonly #log: Logger;
  #running: Promise<void> | undefined;

  /** @param schedule as `CronText` takes it. */
  constructor(name: string, schedule: string, run: () => Promise<void>, log: Logger) {
    this.#name = name;
    this.#run = run;
    this.#log = log;
    const options = { name, timezone: 'Etc/UTC', noOverlap: true, suppressMissedWarning: true } as const;
    this.#task = createTask(schedule, () => this.now(), options);
  }

  start(): void {
    void this.#task.start();
  }

  /** Time from the next turn to the one after it, in ms. */
  get everyMs(): number {
    const [first, second] = this.#task.getNextRuns(2);
    return first === undefined || second === undefined ? 0 : second.getTime() - first.getTime();
  }

  /** Does it now, unless it is being done. Never rejects. */
  now(): Promise<void> {
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        this.#log.error(
          { err: error, job: this.#name },
          'a job has failed; it is tried again at its next time',
        );
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** No further turns; waits for the one under way. */
  async stop(): Promise<void> {
    await this.#task.destroy();
    await this.#running;
  }
}
