import { Counter, Gauge, type Registry } from 'prom-client';
import { runOfStream } from '../../domain/stream-table.ts';
import type { Projections } from '../../projections/projections.ts';

/**
 * Adds the metrics of the validator. They come from the records of the runs, so every replica shows the runs of all of them.
 * Counters begin at 0 with the process.
 */
export function measureValidator(registry: Registry, projections: Projections): void {
  const registers = [registry];
  const runs = new Counter({
    name: 'ledger_validator_runs_total',
    help: 'Number of runs of the validator since the process started, by state: started or completed',
    labelNames: ['state'],
    registers,
  });
  const verdicts = new Counter({
    name: 'ledger_validator_verdicts_total',
    help: 'Number of verdicts of completed runs since the process started',
    labelNames: ['verdict'],
    registers,
  });
  for (const state of ['started', 'completed']) runs.inc({ state }, 0);
  for (const verdict of ['alive', 'unreachable', 'unknown', 'unverifiable']) verdicts.inc({ verdict }, 0);
  projections.subscribe((events) => {
    // Runs from before the start were counted by the process that ran then.
    if (!projections.isCaughtUp) return;
    for (const event of events) {
      const { stream, type } = event;
      if (runOfStream(stream) === undefined) continue;
      if (type === 'ValidationStarted') runs.inc({ state: 'started' });
      if (type !== 'ValidationCompleted') continue;
      runs.inc({ state: 'completed' });
      // Reading the data of an event parses its JSON.
      const counts = Object.entries((event.data['counts'] ?? {}) as Record<string, number>);
      for (const [verdict, count] of counts) verdicts.inc({ verdict }, count);
    }
  });
  const lastOf = (value: (run: { completedAt: number; durationMs: number }) => number) => {
    const ends = Array.from(projections.model.validations.shards)
      .map(({ run }) => projections.model.validations.run(run)?.result)
      .filter((result) => result !== undefined);
    return ends.length === 0
      ? Number.NaN
      : value(ends.reduce((a, b) => (a.completedAt > b.completedAt ? a : b)));
  };
  new Gauge({
    name: 'ledger_validator_last_success_timestamp_seconds',
    help: 'When the newest run of the validator was completed; not a number if there was none',
    registers,
    collect() {
      this.set(lastOf(({ completedAt }) => completedAt / 1_000));
    },
  });
  new Gauge({
    name: 'ledger_validator_last_run_duration_seconds',
    help: 'How long the newest completed run of the validator took; not a number if there was none',
    registers,
    collect() {
      this.set(lastOf(({ durationMs }) => durationMs / 1_000));
    },
  });
}
