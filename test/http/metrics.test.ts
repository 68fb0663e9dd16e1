import { expect, onTestFinished, test } from 'vitest';
import { metricsOf, metricsPage } from '../../src/http/metrics/metrics-page.ts';
import { registered, stopped } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { until } from '../support/until.ts';
import { Fleet, fleetForTest } from '../support/validated-fleet.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

/** Returns the samples of a ledger: lines such as `ledger_position 3`. */
async function samplesOf(ledger: TestLedger): Promise<string[]> {
  const { text } = await ledger.get('/metrics');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** Returns the value of a sample. @param series the name with its labels. */
async function sampleOf(ledger: TestLedger, series: string): Promise<number> {
  const line = (await samplesOf(ledger)).find((sample) => sample.startsWith(`${series} `));
  if (line === undefined) throw new Error(`there is no ${series}`);
  return Number(line.slice(series.length + 1));
}

test('docs/metrics.md lists all metrics, which have base units and a description', async () => {
  const ledger = await ledgerForTest();
  const { registry } = ledger.rooms.metrics;
  for (const { name, help, type } of metricsOf(registry)) {
    expect(name).toMatch(/^ledger_[a-z0-9_]+$/);
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|hours|kb|mb|percent)(_|$)/);
    // `collectDefaultMetrics` also offers counters as gauges.
    if (type === 'counter') expect(name).toMatch(/_total$/);
    if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/);
    expect(help.length, name).toBeGreaterThan(10);
  }
  await expect(metricsPage(registry)).toMatchFileSnapshot('../../docs/metrics.md');
});

test('each event of a batch is counted by its type and outcome', async () => {
  const ledger = await ledgerForTest();
  const [first, second] = [registered('c1', APRIL), registered('c2', APRIL)];
  const conflicting = registered('c1', APRIL, 'globex');
  await ledger.postBatch([first, second, first, stopped('c1', APRIL), stopped('c2', APRIL), conflicting]);
  const counts = (await samplesOf(ledger)).filter((sample) => sample.startsWith('ledger_events_total'));
  expect(counts.sort()).toEqual([
    'ledger_events_total{type="BillingStopped",outcome="appended"} 2',
    'ledger_events_total{type="ClusterRegistered",outcome="appended"} 2',
    'ledger_events_total{type="ClusterRegistered",outcome="duplicate"} 1',
    'ledger_events_total{type="ClusterRegistered",outcome="rejected"} 1',
  ]);
});

test('the labels are the same few, and no request, event, cluster or account adds a series', async () => {
  const ledger = await ledgerForTest();
  const labels = new Set(metricsOf(ledger.rooms.metrics.registry).flatMap(({ labelNames }) => labelNames));
  expect([...labels].sort()).toEqual(
    [
      'channel',
      'kind',
      'major',
      'method',
      'minor',
      'outcome',
      'patch',
      'route',
      'severity',
      'space',
      'state',
      'status',
    ].concat([...['store', 'type', 'verdict', 'version', 'webhook']]),
  );
  const load = async (from: number) => {
    for (let n = from; n < from + 20; n++) {
      await ledger.record(registered(`c${n}`, APRIL, `account-${n}`));
      await ledger.post({ ...registered(`c${n}`, APRIL), type: `io.example.type-${n}` });
      await ledger.get(`/no/such/page-${n}`);
      await ledger.get(`/v1/clusters/c${n}?nothing=${n}`);
      await ledger.get(`/v1/clusters/c${n}`);
      await ledger.fetch(`/v1/clusters/c${n}`, { method: 'PUT' });
    }
  };
  // Timers, sockets and the like are counted by `process`.
  const own = async () =>
    (await samplesOf(ledger))
      .map((line) => line.slice(0, line.lastIndexOf(' ')))
      .filter((line) => !/_nodejs_|_process_/.test(line));
  await load(0);
  await own();
  const before = await own();
  await load(20);
  expect(await own()).toEqual(before);
});

test('probes, verdicts and runs of the validator are measured', async () => {
  const fleet = await Fleet.start();
  onTestFinished(() => fleet.stop());
  const validated = await fleetForTest(fleet);
  const { ledger } = validated;
  expect(await sampleOf(ledger, 'ledger_validator_last_success_timestamp_seconds')).toBeNaN();
  await validated.register({ c1: 'healthy', c2: 'refused' });
  const { state } = await validated.run();
  expect(state).toBe('completed');
  await until(async () => (await sampleOf(ledger, 'ledger_validator_runs_total{state="completed"}')) === 1);
  expect(await sampleOf(ledger, 'ledger_validator_last_success_timestamp_seconds')).toBe(ledger.now / 1_000);
  expect(await sampleOf(ledger, 'ledger_validator_verdicts_total{verdict="alive"}')).toBe(1);
  expect(await sampleOf(ledger, 'ledger_validator_verdicts_total{verdict="unreachable"}')).toBe(1);
  expect(await sampleOf(ledger, 'ledger_probe_duration_seconds_count{verdict="alive"}')).toBe(1);
});

test('a period that should have been closed is overdue, and one that was closed has a time', async () => {
  const ledger = await ledgerForTest({ now: '2026-04-15T12:00:00.000Z' });
  expect(await sampleOf(ledger, 'ledger_period_close_overdue_seconds')).toBe(0);
  await ledger.record(registered('c1', '2026-03-10T00:00:00.000Z'));
  // March was due three days after its end.
  expect(await sampleOf(ledger, 'ledger_period_close_overdue_seconds')).toBe(11.5 * 86_400);
  await ledger.fetch('/v1/periods/2026-03/close', { method: 'POST' });
  expect(await sampleOf(ledger, 'ledger_period_close_overdue_seconds')).toBe(0);
  expect(await sampleOf(ledger, 'ledger_last_period_close_timestamp_seconds')).toBe(ledger.now / 1_000);
  await until(
    async () => (await sampleOf(ledger, 'ledger_append_duration_seconds_count{outcome="appended"}')) > 2,
  );
  expect(await sampleOf(ledger, 'ledger_projection_lag_seconds')).toBe(0);
});
