import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { buildProgram, commandsUnder, nameOf } from '../../src/cli/program.ts';
import { Output } from '../../src/cli/terminal/output.ts';
import { alertsPage } from '../../src/http/alerts-page.ts';
import { metricsOf } from '../../src/http/metrics/metrics-page.ts';
import { hasPromtool, NO_PROMETHEUS, queries, root, rules } from '../support/alert-rules.ts';
import { ledgerForTest } from '../support/ledger.ts';

const runbooks = join(root, 'docs/runbooks');
const environment = { url: undefined, token: undefined, context: undefined, configDir: '/nonexistent' };
const commands = commandsUnder(await buildProgram({ out: new Output(), environment }, '0.0.0'));

test('docs/alerts.md lists all alerts of the ledger and of Prometheus', async () => {
  await expect(alertsPage(rules)).toMatchFileSnapshot('../../docs/alerts.md');
});

test('each rule has a severity, texts and a runbook, and each runbook a rule', () => {
  for (const { alert, labels, annotations } of rules) {
    expect(['critical', 'warning']).toContain(labels['severity']);
    expect(annotations['summary'], alert).toMatch(/\w/);
    expect(annotations['description'], alert).toMatch(/\.$/);
    expect(annotations['runbook_url'], alert).toMatch(new RegExp(`^https://.*/docs/runbooks/${alert}\\.md$`));
  }
  expect(readdirSync(runbooks).sort()).toEqual(rules.map(({ alert }) => `${alert}.md`).sort());
});

test('the rules and the dashboard use metrics and labels that the ledger has', async () => {
  const ledger = await ledgerForTest();
  const metrics = metricsOf(ledger.rooms.metrics.registry);
  const known = new Map(
    metrics.flatMap(({ name, type, labelNames }) => {
      const names = type === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => name + end) : [name];
      return names.map((each) => [each, new Set([...labelNames, 'le', 'instance'])] as const);
    }),
  );
  const used = [...rules.map(({ expr }) => expr), ...queries.map(({ expr }) => expr)];
  for (const expr of used) {
    const names = [...expr.matchAll(/\b(ledger_\w+)(?:\{([^}]*)\})?/g)];
    if (!/^up\{/.test(expr)) expect(names.length, expr).toBeGreaterThan(0);
    for (const [, name, selectors = ''] of names) {
      expect([...known.keys()], expr).toContain(name);
      for (const [, label] of selectors.matchAll(/(\w+)\s*=~?"/g))
        expect([...(known.get(name as string) ?? [])], expr).toContain(label);
    }
  }
});

describe.skipIf(!hasPromtool)(`the rules${hasPromtool ? '' : ` (${NO_PROMETHEUS})`}`, () => {
  test('fire for their cause and not before, as promtool finds', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'rules.test.yml'], {
      cwd: join(root, 'deploy/prometheus'),
      encoding: 'utf8',
    });
    expect({ status, output: stdout + stderr }).toMatchObject({ status: 0 });
    const tests = readFileSync(join(root, 'deploy/prometheus/rules.test.yml'), 'utf8');
    expect(rules.filter(({ alert }) => !tests.includes(`alertname: ${alert}\n`))).toEqual([]);
  });
});

describe.each(rules.map(({ alert }) => alert))('the runbook of %s', (alert) => {
  const text = readFileSync(join(runbooks, `${alert}.md`), 'utf8');

  test('says what it means for the bill, how to find the cause and how to end it, by commands that exist', () => {
    for (const part of ['## Effect on the bill', '## Find the cause', '## End it', '\nThe alert ends when: '])
      expect(text).toContain(part);
    for (const [, line] of text.matchAll(/^ *\$ cluster-ledger (.+)$/gm)) requireCommand(line as string);
    for (const [, link] of text.matchAll(/\]\(([^)]+)\)/g))
      expect(() => readFileSync(join(runbooks, link as string)), link).not.toThrow();
  });
});

/** Checks that a command line names a command with its arguments and options. */
function requireCommand(line: string): void {
  const words = line.match(/"[^"]*"|\S+/g) ?? [];
  const command = commands
    .filter((candidate) => isCalledBy(candidate, words))
    .sort((a, b) => nameOf(b).length - nameOf(a).length)[0];
  expect(command, line).toBeDefined();
  const options = command?.options.map(({ long }) => long) ?? [];
  for (const word of words.filter((each) => each.startsWith('--'))) expect(options, line).toContain(word);
}

function isCalledBy(command: Command, words: readonly string[]): boolean {
  const name = nameOf(command).split(' ').slice(1);
  return name.length > 0 && name.every((word, i) => words[i] === word) && command.commands.length === 0;
}
