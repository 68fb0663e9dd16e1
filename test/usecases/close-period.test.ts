import { describe, expect, test } from 'vitest';
import { DEFAULT_GRACE_MS } from '../../src/domain/billing/period.ts';
import { BILLING_STREAM, periodStream } from '../../src/domain/stream-table.ts';
import type { EventStore, Expected, NewEvent } from '../../src/eventstore/event-store.ts';
import { WrappedStore } from '../../src/eventstore/wrapped-store.ts';
import { FirstPeriod } from '../../src/ledger/first-period.ts';
import { PeriodClosingStore } from '../../src/ledger/period-closing-store.ts';
import { beginBilling } from '../../src/usecases/begin-billing.ts';
import { ClosePeriod } from '../../src/usecases/close-period.ts';
import { deleted, registered, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { collect, readLog } from '../support/store-events.ts';
import { stores } from '../support/stores.ts';
import { until } from '../support/until.ts';

const close = (ledger: TestLedger, period: string, command: object = {}) =>
  ledger.fetch(`/v1/periods/${period}/close`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(command),
  });

/** Three accounts since January, on 15 April. */
async function platform(connection: string): Promise<TestLedger> {
  const ledger = await ledgerForTest({ store: connection });
  for (const [i, account] of ['acme', 'globex', 'initech'].entries())
    await ledger.record(registered(`c${i}`, `2026-01-1${i}T00:00:00.000Z`, account));
  return ledger;
}

async function statements(ledger: TestLedger, period: string) {
  const { status, text } = await ledger.get(`/v1/periods/${period}/statements`);
  expect(status, text).toBe(200);
  return text;
}

const closings = async (ledger: TestLedger) =>
  (await readLog(ledger.rooms.store)).filter(({ stream }) => stream.startsWith('period-'));

const checked = (ledger: TestLedger, periods: number) =>
  until(() => ledger.rooms.projections.statements.checked === periods);

/** A store that fails at one of its calls, before or after it has done what it was asked. */
function cutOff(
  store: EventStore,
  call: 'head' | 'append' | 'readStream',
  when: 'before' | 'after',
): EventStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== call) return value.bind(target);
      return (...given: unknown[]) => {
        if (when === 'before') throw new Error('cut off');
        return (value.apply(target, given) as Promise<unknown>).then(() => {
          throw new Error('cut off');
        });
      };
    },
  });
}

/** A store that holds appends to a stream back until it is released. */
class HoldsBack extends WrappedStore {
  readonly #stream: string;
  readonly #reached = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();
  readonly reached = this.#reached.promise;
  readonly release = this.#released.resolve;

  constructor(store: EventStore, stream: string) {
    super(store);
    this.#stream = stream;
  }

  override async append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    if (stream === this.#stream) {
      this.#reached.resolve();
      await this.#released.promise;
    }
    return super.append(stream, events, expected);
  }
}

/** A process that closes periods and begins statements on a store of its own. */
function processOn(store: EventStore, ledger: TestLedger, now = () => ledger.now) {
  const { projections } = ledger.rooms;
  const closes = new PeriodClosingStore(store, now);
  const parts = { store, projections, firstPeriod: new FirstPeriod(store, now) };
  const closer = new ClosePeriod({ ...parts, closes, graceMs: DEFAULT_GRACE_MS, now });
  const asked = { dryRun: false, actor: 'test' };
  return {
    close: (period: string, { dryRun }: { dryRun: boolean } = asked) =>
      closer.run({ ...asked, period, early: false, dryRun }),
    begin: (period: string) => beginBilling(parts, { ...asked, period, reason: 'billed before' }),
  };
}

describe.each(stores)('on $name', ({ connection }) => {
  test('64 concurrent commands for one period write one PeriodClosed and get the same result', async () => {
    const ledger = await platform(connection);
    const answers = await Promise.all(Array.from({ length: 64 }, () => close(ledger, '2026-01')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({
      outcome: 'closed',
      period: '2026-01',
      watermark: '3',
      accounts: 3,
    });
    expect(await closings(ledger)).toHaveLength(1);
  });

  test('commands in several processes with different watermarks write one PeriodClosed', async () => {
    const ledger = await platform(connection);
    const { store, projections } = ledger.rooms;
    const processes = Array.from({ length: 16 }, (_, i) => processOn(store, ledger, () => ledger.now + i));
    const outcomes = await Promise.all(
      processes.map(async ({ close }, i) => {
        const [outcome] = await Promise.all([
          close('2026-01'),
          ledger.post(stopped('c0', `2026-02-0${1 + (i % 9)}T00:00:00.000Z`)),
        ]);
        return outcome;
      }),
    );
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    expect(outcomes[0]?.outcome).toBe('closed');
    expect(await closings(ledger)).toHaveLength(1);
    await checked(ledger, 1);
    expect(projections.statements.drifts).toEqual([]);
  });

  test('a closing that is interrupted at any call to the store ends in the same closing when it is repeated', async () => {
    const digests = new Set<string>();
    for (const [call, when] of [
      ['head', 'before'],
      ['append', 'before'],
      ['append', 'after'],
      ['readStream', 'before'],
    ] as const) {
      const ledger = await platform(connection);
      const failing = cutOff(ledger.rooms.store, call, when);
      await expect(processOn(failing, ledger).close('2026-01')).rejects.toThrow('cut off');
      ledger.pass(60_000);
      const { body } = await close(ledger, '2026-01');
      digests.add(body.statementsDigest);
      expect(await closings(ledger)).toHaveLength(1);
    }
    expect(digests.size).toBe(1);
  });

  test('a closing at another watermark is never taken for a retry of the first', async () => {
    const ledger = await platform(connection);
    const closes = new PeriodClosingStore(ledger.rooms.store, () => ledger.now);
    const totals = { billableClusters: 1, clusterSeconds: '1.000' };
    const first = { period: '2026-01', watermark: 2, accounts: 1, totals, statementsDigest: 'a', rules: 2 };
    const recorded = await closes.record(first, 'one');
    ledger.pass(1_000);
    expect(await closes.record({ ...first, watermark: 3, statementsDigest: 'b', rules: 2 }, 'two')).toEqual(
      recorded,
    );
    expect(await closes.record(first, 'three')).toEqual(recorded);
    const events = await collect(ledger.rooms.store.readStream(periodStream('2026-01')));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ metadata: { actor: 'one' }, data: { watermark: '2' } });
  });

  test('the statements of a closed period keep the same bytes after late facts, a later closing, a restart and a replay', async () => {
    const ledger = await platform(connection);
    await close(ledger, '2026-01');
    const january = await statements(ledger, '2026-01');
    await ledger.record(deleted('c0', '2026-01-20T00:00:00.000Z'));
    expect(await statements(ledger, '2026-01')).toBe(january);
    await close(ledger, '2026-02');
    const february = await statements(ledger, '2026-02');
    expect(JSON.parse(february).items[0]).toMatchObject({
      accountId: 'acme',
      usage: { billableClusters: 0 },
      adjustments: [{ period: '2026-01', delta: { billableClusters: 0, clusterSeconds: '-1036800.000' } }],
      total: { billableClusters: 0, clusterSeconds: '-1036800.000' },
    });
    const periods = (await ledger.get('/v1/periods')).text;
    await ledger.reopen();
    await checked(ledger, 2);
    await ledger.rooms.projections.rebuild();
    await checked(ledger, 2);
    expect(await statements(ledger, '2026-01')).toBe(january);
    expect(await statements(ledger, '2026-02')).toBe(february);
    expect((await ledger.get('/v1/periods')).text).toBe(periods);
    expect((await ledger.get('/readyz')).body.checks.statements).toEqual({
      ok: true,
      detail: '2 of 2 closed periods compared, none changed',
    });
  });

  test('a closing whose digest differs from its statements is reported as statement-drift', async () => {
    const ledger = await platform(connection);
    const closes = new PeriodClosingStore(ledger.rooms.store, () => ledger.now);
    const totals = { billableClusters: 3, clusterSeconds: '5443200.000' };
    const wrong = {
      period: '2026-01',
      watermark: 3,
      accounts: 3,
      totals,
      statementsDigest: 'f'.repeat(64),
      rules: 2,
    };
    await closes.record(wrong, 'a hand in the till');
    const drift = { ok: false, detail: expect.stringMatching(/^statement-drift .* the first 2026-01: /) };
    await checked(ledger, 1);
    expect((await ledger.get('/readyz')).body.checks.statements).toEqual(drift);
    await ledger.reopen();
    await ledger.get('/v1/periods');
    await checked(ledger, 1);
    const ready = await ledger.get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.body.checks.statements).toEqual(drift);
    expect((await ledger.get('/metrics')).text).toContain('\nledger_statement_drift 1\n');
  });

  test('a closing whose totals differ from its statements is reported as statement-drift', async () => {
    const ledger = await platform(connection);
    const { close: would } = await processOn(ledger.rooms.store, ledger)
      .close('2026-01', { dryRun: true })
      .then((outcome) => outcome as Extract<typeof outcome, { outcome: 'would-close' }>);
    const closes = new PeriodClosingStore(ledger.rooms.store, () => ledger.now);
    await closes.record({ ...would, accounts: 4 }, 'test');
    await checked(ledger, 1);
    expect(ledger.rooms.projections.statements.drifts).toMatchObject([{ period: '2026-01', position: 4 }]);
  });

  // The simulator has found this: the month of the second process was closed without the adjustments of the first one.
  test('if two processes close different months as the first one, that of the first process is closed first', async () => {
    const ledger = await ledgerForTest({ store: connection });
    const [registration] = await ledger.record(registered('c0', '2026-01-10T00:00:00.000Z', 'acme'));
    const held = new HoldsBack(ledger.rooms.store, periodStream('2026-01'));
    const first = processOn(held, ledger).close('2026-01');
    await held.reached;
    await ledger.record(voided('c0', '2026-01-10T00:00:00.000Z', String(registration?.eventId)));
    await ledger.record(registered('c1', '2026-02-10T00:00:00.000Z', 'globex'));
    const second = await processOn(ledger.rooms.store, ledger).close('2026-02');
    expect(second).toMatchObject({ outcome: 'closed', close: { period: '2026-02', accounts: 1 } });
    held.release();
    // The first process gets the closing that the second one has recorded for it.
    expect(await first).toMatchObject({ outcome: 'closed', close: { period: '2026-01', watermark: 3 } });
    expect((await closings(ledger)).map(({ stream }) => stream)).toEqual([
      periodStream('2026-01'),
      periodStream('2026-02'),
    ]);
    await checked(ledger, 2);
    expect(ledger.rooms.projections.statements.drifts).toEqual([]);
  });

  test('a beginning that is recorded while the first month is closed is rejected', async () => {
    const ledger = await platform(connection);
    const held = new HoldsBack(ledger.rooms.store, periodStream('2026-01'));
    const first = processOn(held, ledger).close('2026-01');
    await held.reached;
    expect(await processOn(ledger.rooms.store, ledger).begin('2026-03')).toEqual({
      outcome: 'rejected',
      rejection: { code: 'billing-already-closed', period: '2026-03', firstClosed: '2026-01' },
    });
    held.release();
    expect(await first).toMatchObject({ outcome: 'closed', close: { period: '2026-01' } });
    expect(ledger.rooms.projections.model.beginning).toBeUndefined();
  });

  test('a closing while a beginning is recorded takes it into account, even if that process has ended', async () => {
    const ledger = await platform(connection);
    const held = new HoldsBack(ledger.rooms.store, BILLING_STREAM);
    const begun = processOn(held, ledger).begin('2026-03');
    await held.reached;
    const { close } = processOn(ledger.rooms.store, ledger);
    expect(await close('2026-01')).toMatchObject({
      outcome: 'rejected',
      rejection: { code: 'period-not-next', next: '2026-03' },
    });
    expect(await close('2026-03')).toMatchObject({ outcome: 'closed', close: { period: '2026-03' } });
    held.release();
    expect(await begun).toMatchObject({ outcome: 'begun', beginning: { period: '2026-03', position: 4 } });
  });

  test('an unreadable closing event is reported and closes nothing', async () => {
    const ledger = await platform(connection);
    const closes = new PeriodClosingStore(ledger.rooms.store, () => ledger.now);
    const totals = { billableClusters: 0, clusterSeconds: '0.000' };
    const none = { accounts: 0, totals, statementsDigest: '', rules: 2 };
    await closes.record({ ...none, period: '2025-11', watermark: 99 }, 'from the future');
    await until(() => ledger.rooms.projections.model.position === 4);
    expect(ledger.rooms.projections.model.closedPeriods.all).toEqual([]);
    expect((await ledger.get('/readyz')).body.checks.statements).toMatchObject({
      ok: false,
      detail: 'a closing at position 4: 2025-11 cannot have been closed at watermark 99',
    });
    await ledger.reopen();
    await ledger.get('/v1/periods');
    expect(ledger.rooms.projections.model.closedPeriods.unreadable).toHaveLength(1);
  });

  test('no period closes while the facts of a cluster cannot be read', async () => {
    const ledger = await platform(connection);
    const event = { id: '00000000-0000-5000-8000-00000000abcd', type: 'Painted', data: {}, metadata: {} };
    await ledger.rooms.store.append('cluster-c1', [{ ...event, recordedAt: ledger.now }], 0);
    const { status, body } = await close(ledger, '2026-01');
    expect(status).toBe(503);
    expect(body.type).toBe('urn:cluster-ledger:problem:cluster-halted');
    expect(await closings(ledger)).toEqual([]);
  });
});
