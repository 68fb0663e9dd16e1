import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AlertRule } from '../../src/http/alerts-page.ts';

export const root = join(import.meta.dirname, '../..');
export const RULES_FILE = join(root, 'deploy/prometheus/rules.yml');

/** The alerting rules of deploy/prometheus/rules.yml. */
export const rules: readonly AlertRule[] = parse(readFileSync(RULES_FILE, 'utf8')).groups.flatMap(
  ({ rules: group }: { rules: AlertRule[] }) => group,
);

/** An expression of a panel of the dashboard. */
export interface Query {
  readonly panel: string;
  readonly expr: string;
}

/** The queries of deploy/grafana/dashboard.json. */
export const queries: readonly Query[] = JSON.parse(
  readFileSync(join(root, 'deploy/grafana/dashboard.json'), 'utf8'),
).panels.flatMap(({ title, targets = [] }: { title: string; targets?: { expr: string }[] }) =>
  targets.map(({ expr }) => ({ panel: title, expr })),
);

export const hasPromtool = spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0;
export const hasPrometheus = spawnSync('prometheus', ['--version'], { stdio: 'ignore' }).status === 0;
export const NO_PROMETHEUS = 'NOT RUN: no prometheus and promtool on the PATH (package prometheus of Debian)';
