import { join } from 'node:path';
import { pino } from 'pino';
import type { ComposeOptions } from '../../../src/app/compose-options.ts';
import { type OpenLog, openLog } from '../../../src/app/open-log.ts';
import { readConfig } from '../../../src/config/config.ts';
import { FirstPeriod } from '../../../src/ledger/first-period.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { PeriodClosingStore } from '../../../src/ledger/period-closing-store.ts';
import { ClosePeriod } from '../../../src/usecases/close-period.ts';

/** The parts of a ledger that read and write its log: no HTTP, no webhooks and no validator. */
export interface LogAlone extends OpenLog {
  readonly ledger: Ledger;
  readonly closePeriod: ClosePeriod;
  close(): Promise<void>;
}

/** The settings of a ledger whose files are all in one folder. */
export function placeOf(folder: string): Record<string, string> {
  return {
    LEDGER_DATA_DIR: folder,
    LEDGER_STORE: `sqlite:${join(folder, 'ledger.db')}`,
    LEDGER_HTTP_PORT: '0',
  };
}

/** Whether a ledger checks its log before it reads it, or reads it before it is checked, as ledgers do with long logs. */
export type Checks = 'before-reads' | 'after-reads';

export function optionsOf(checks: Checks): Pick<ComposeOptions, 'readableUncheckedFrom'> {
  return checks === 'after-reads' ? { readableUncheckedFrom: 1 } : {};
}

/** Opens what reads and writes the log on the files in a folder: many times faster than a whole ledger. */
export async function openLogOn(
  folder: string,
  environment: Readonly<Record<string, string>>,
  onFailed: (error: unknown) => void,
  checks: Checks = 'before-reads',
): Promise<LogAlone> {
  const now = Date.now;
  const config = readConfig({ ...environment, ...placeOf(folder) });
  await using opening = new AsyncDisposableStack();
  const opened = await openLog(
    config,
    { log: pino({ level: 'silent' }), now, onFailed, ...optionsOf(checks) },
    opening,
  );
  const resources = opening.move();
  const { store, projections, clock, clockGuard } = opened;
  const { backdatingMs, graceMs } = config;
  return {
    ...opened,
    ledger: new Ledger(store, { now, recordingTime: clock.now, backdatingMs }),
    closePeriod: new ClosePeriod({
      store,
      projections,
      closes: new PeriodClosingStore(store, clock.now),
      firstPeriod: new FirstPeriod(store, clock.now),
      now,
      graceMs,
      clockGuard,
    }),
    close: () => resources.disposeAsync(),
  };
}
