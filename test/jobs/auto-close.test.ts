import { describe, expect, test } from 'vitest';
import { AutoCloseSettings } from '../../src/config/auto-close-settings.ts';
import { DEFAULT_GRACE_MS } from '../../src/domain/billing/period.ts';
import type { EventStore } from '../../src/eventstore/event-store.ts';
import { AutoClose } from '../../src/jobs/auto-close.ts';
import { FirstPeriod } from '../../src/ledger/first-period.ts';
import { PeriodClosingStore } from '../../src/ledger/period-closing-store.ts';
import { ClosePeriod } from '../../src/usecases/close-period.ts';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { readLog } from '../support/store-events.ts';
import { until } from '../support/until.ts';

interface Line {
  readonly details: Record<string, unknown>;
  readonly message: string;
}

/** The job of a ledger, with its clock and its log. */
function jobOf(ledger: TestLedger, settings: Partial<AutoCloseSettings> = {}, store?: EventStore) {
  const { projections } = ledger.rooms;
  const used = store ?? ledger.rooms.store;
  const now = () => ledger.now;
  const closer = new ClosePeriod({
    graceMs: DEFAULT_GRACE_MS,
    store: used,
    projections,
    closes: new PeriodClosingStore(used, now),
    firstPeriod: new FirstPeriod(used, now),
    now,
    clockGuard: ledger.rooms.clockGuard,
  });
  const lines: Line[] = [];
  const errors: Line[] = [];
  const log = {
    info: (details: object, message: string) => void lines.push({ details: { ...details }, message }),
    warn: (details: object, message: string) => void errors.push({ details: { ...details }, message }),
    error: (details: object, message: string) => void errors.push({ details: { ...details }, message }),
  };
  const job = new AutoClose(
    { graceMs: DEFAULT_GRACE_MS, closer, projections, now, log },
    AutoCloseSettings.parse(settings),
  );
  return { job, lines, errors };
}

/** Registers an account since January, at an instant. */
async function platform(now: string): Promise<TestLedger> {
  const ledger = await ledgerForTest({ now });
  await ledger.record(registered('c1', '2026-01-10T00:00:00.000Z'));
  return ledger;
}

const closings = async (ledger: TestLedger) =>
  (await readLog(ledger.rooms.store)).flatMap(({ stream, metadata }) =>
    stream.startsWith('period-') ? [[stream, metadata['actor']]] : [],
  );

describe('the closing job', () => {
  test('waits while the clock of the host cannot be trusted', async () => {
    const ledger = await platform('2026-02-03T12:00:00.000Z');
    const { job, errors } = jobOf(ledger);
    ledger.setClock('2026-02-05T12:00:00.000Z');
    await job.tick();
    expect(await closings(ledger)).toEqual([]);
    expect(errors).toMatchObject([{ details: { period: '2026-01', outcome: 'clock-untrusted' } }]);
    await ledger.rooms.clockGuard.trust({ by: 'operator', reason: 'the time is right' });
    await job.tick();
    expect(await closings(ledger)).toEqual([['period-2026-01', 'auto-close']]);
  });

  test('closes a period exactly when it is due', async () => {
    const ledger = await platform('2026-02-03T23:59:59.999Z');
    const { job } = jobOf(ledger);
    await job.tick();
    expect(await closings(ledger)).toEqual([]);
    ledger.pass(1);
    await job.tick();
    expect(await closings(ledger)).toEqual([['period-2026-01', 'auto-close']]);
    await job.tick();
    ledger.pass(86_400_000);
    await job.tick();
    expect(await closings(ledger)).toHaveLength(1);
  });

  test('closes several due periods in order, and stops before one that is not due', async () => {
    const ledger = await platform('2026-04-03T23:00:00.000Z');
    const { job, lines, errors } = jobOf(ledger);
    await job.tick();
    expect((await closings(ledger)).map(([stream]) => stream)).toEqual(['period-2026-01', 'period-2026-02']);
    expect(lines.map(({ details }) => details['period'])).toEqual(['2026-01', '2026-02']);
    expect(errors).toEqual([]);
    ledger.pass(3_600_000);
    await job.tick();
    expect((await closings(ledger)).at(-1)).toEqual(['period-2026-03', 'auto-close']);
  });

  test('does nothing in a ledger without facts', async () => {
    const ledger = await ledgerForTest();
    await ledger.get('/v1/periods');
    const { job, errors } = jobOf(ledger);
    await job.tick();
    expect([await ledger.head(), errors]).toEqual([0, []]);
  });

  test('logs an error and tries again at the next tick', async () => {
    const ledger = await platform('2026-03-10T00:00:00.000Z');
    const { store } = ledger.rooms;
    let fails = true;
    const failing = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name === 'append' && fails) throw new Error('cut off');
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { job, errors } = jobOf(ledger, {}, failing);
    await job.tick();
    expect(errors).toMatchObject([
      { details: { period: '2026-01', err: expect.objectContaining({ message: 'cut off' }) } },
    ]);
    expect(await closings(ledger)).toEqual([]);
    fails = false;
    await job.tick();
    expect(await closings(ledger)).toHaveLength(2);
    expect(errors).toHaveLength(1);
  });

  test('logs unreadable facts of a cluster and closes nothing', async () => {
    const ledger = await platform('2026-03-10T00:00:00.000Z');
    const event = { id: '00000000-0000-5000-8000-00000000abcd', type: 'Painted', data: {}, metadata: {} };
    await ledger.rooms.store.append('cluster-c1', [{ ...event, recordedAt: ledger.now }], 0);
    const { job, errors } = jobOf(ledger);
    await job.tick();
    expect(errors).toMatchObject([{ details: { period: '2026-01', outcome: 'halted', clusterId: 'c1' } }]);
    expect(await closings(ledger)).toEqual([]);
  });

  test('never overlaps itself, and several jobs never close a period twice', async () => {
    const ledger = await platform('2026-04-10T00:00:00.000Z');
    const { store } = ledger.rooms;
    let under = 0;
    let most = 0;
    const watched = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name !== 'append') return typeof value === 'function' ? value.bind(target) : value;
        return async (...given: Parameters<EventStore['append']>) => {
          most = Math.max(most, ++under);
          return target.append(...given).finally(() => under--);
        };
      },
    });
    const { job } = jobOf(ledger, {}, watched);
    const others = [jobOf(ledger), jobOf(ledger)];
    await Promise.all([job.tick(), job.tick(), job.tick(), ...others.map((other) => other.job.tick())]);
    expect(most).toBe(1);
    // Jobs that came second may have stopped at the first period; the next tick does the rest.
    await job.tick();
    expect((await closings(ledger)).map(([stream]) => stream)).toEqual([
      'period-2026-01',
      'period-2026-02',
      'period-2026-03',
    ]);
  });

  test('begins no other closing after stop, and waits for the active one', async () => {
    const ledger = await platform('2026-06-10T00:00:00.000Z');
    const { job, errors } = jobOf(ledger);
    const ticking = job.tick();
    await job.stop();
    const closed = await closings(ledger);
    expect(closed.length).toBeLessThanOrEqual(1);
    await ticking;
    await job.tick();
    expect(await closings(ledger)).toEqual(closed);
    expect(errors).toEqual([]);
  });

  test('runs on its schedule only if it is enabled', async () => {
    const ledger = await platform('2026-02-10T00:00:00.000Z');
    const off = jobOf(ledger, { schedule: '* * * * * *' });
    off.job.start();
    const on = jobOf(ledger, { enabled: true, schedule: '* * * * * *' });
    on.job.start();
    await until(() => ledger.rooms.projections.model.closedPeriods.all.length === 1);
    await on.job.stop();
    await off.job.stop();
    expect(off.lines).toEqual([]);
    expect(on.lines.map(({ message }) => message)).toEqual([
      'automatic period closing enabled',
      'period closed',
    ]);
  });
});

describe('the settings of the closing job', () => {
  test('are off by default, with an hourly schedule in UTC', () => {
    expect(AutoCloseSettings.parse({})).toEqual({ enabled: false, schedule: '7 * * * *' });
  });

  test.each([
    [{ schedule: 'hourly' }, 'schedule'],
    [{ schedule: '61 * * * *' }, 'schedule'],
    [{ schedule: '' }, 'schedule'],
    [{ schedule: '* * * *' }, 'schedule'],
    [{ enabled: 'yes' }, 'enabled'],
  ])('reject %j and name the field', (settings, field) => {
    expect(AutoCloseSettings.safeParse(settings).error?.issues[0]?.path).toEqual([field]);
  });
});
