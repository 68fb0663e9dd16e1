import { createTask, type ScheduledTask } from 'node-cron';
import type { Logger } from '../util/logger.ts';

/**
 * Runs a job on a schedule, never twice at once: a scheduled time during a run is skipped. Errors are logged, and
 * the job runs again at its next time.
 */
export class ScheduledJob {
  readonly #task: ScheduledTask;
  readonly #run: () => Promise<void>;
  readonly #name: string;
  readonly #log: Logger;
  #running: Promise<void> | undefined;

  /** @param schedule a cron expression of five fields, or six with seconds first, in UTC. */
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

  /** Time between the next two scheduled runs, in ms. */
  get everyMs(): number {
    const [first, second] = this.#task.getNextRuns(2);
    return first === undefined || second === undefined ? 0 : second.getTime() - first.getTime();
  }

  /** Runs the job now, or joins the active run. Never rejects. */
  now(): Promise<void> {
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        this.#log.error(
          { err: error, job: this.#name },
          'a job failed; it runs again at its next scheduled time',
        );
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** Ends the schedule and waits for the active run. */
  async stop(): Promise<void> {
    await this.#task.destroy();
    await this.#running;
  }
}
