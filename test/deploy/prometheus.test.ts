import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Producers } from '../fault/producers.ts';
import { hasPrometheus, NO_PROMETHEUS, queries, RULES_FILE, rules } from '../support/alert-rules.ts';
import { freePorts } from '../support/eventstored.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { eventually, until } from '../support/until.ts';

/** Panels that are empty without a validator, webhooks, closings or failures. */
const MAY_BE_EMPTY = /webhook|probe|verdict|validator|period_close_timestamp|5\.\.|> 0$/;

/** Starts a Prometheus that scrapes a ledger every two seconds, with the rules of deploy/. @returns its URL. */
async function prometheusFor(port: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-prometheus-'));
  const [own] = (await freePorts(1)) as [number];
  const targets = `[{targets: ['127.0.0.1:${port}']}]`;
  const scrape = `scrape_configs: [{job_name: cluster-ledger, static_configs: ${targets}}]`;
  const config = join(folder, 'prometheus.yml');
  await writeFile(
    config,
    // A scrape may take as long as the time between two.
    `global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}\nrule_files: ['${RULES_FILE}']\n${scrape}\n`,
  );
  const running: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${own}`,
    ],
    { stdio: 'ignore' },
  );
  onTestFinished(async () => {
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${own}`;
  await until(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.status === 200);
  return url;
}

// biome-ignore lint/suspicious/noExplicitAny: the answers of Prometheus have many shapes.
const api = async (url: string): Promise<any> => (await (await fetch(url)).json()) as any;

describe.skipIf(!hasPrometheus)(`a Prometheus${hasPrometheus ? '' : ` (${NO_PROMETHEUS})`}`, () => {
  test('answers, while it scrapes a ledger under load, every query of the dashboard, and its rules see what is wrong', async () => {
    // Months are due at once: the facts of the producers are of the first months of 2026.
    const ledger = await ledgerForTest({ now: '2026-11-26T12:00:00.000Z' });
    const url = await prometheusFor(ledger.port);
    const producers = new Producers(() => `http://127.0.0.1:${ledger.port}`);
    producers.start(8, 'p');
    const value = async (expr: string) => {
      const filled = expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
      const answer = await api(`${url}/api/v1/query?query=${encodeURIComponent(filled)}`);
      expect(answer, expr).toMatchObject({ status: 'success' });
      return answer.data.result as unknown[];
    };
    await until(async () => (await value('rate(ledger_append_duration_seconds_count[1m]) > 0')).length > 0);
    await until(async () => (await value('ALERTS{alertname="LedgerPeriodCloseOverdue"}')).length > 0);
    for (const { panel, expr } of queries) {
      // On a slow machine, a scrape may fail.
      await eventually(async () => {
        const result = await value(expr);
        if (!MAY_BE_EMPTY.test(expr)) expect(result.length, `${panel}: ${expr}`).toBeGreaterThan(0);
      });
    }
    await producers.stop();
    // A rule is unknown until it was evaluated for the first time.
    await eventually(async () => {
      const { data } = await api(`${url}/api/v1/rules`);
      const loaded = data.groups[0].rules as { name: string; health: string; lastError?: string }[];
      expect(loaded.map(({ name }) => name)).toEqual(rules.map(({ alert }) => alert));
      expect(loaded.filter(({ health }) => health !== 'ok')).toEqual([]);
    });
  });
});
