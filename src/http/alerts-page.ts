import { ALERTS } from '../domain/alert.ts';

/** An alerting rule of Prometheus. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const DEPENDS = 'See the text of the alert: it depends on what was seen.';

/** Returns the reference page of the alerts of the ledger and of Prometheus, in Markdown. */
export function alertsPage(rules: readonly AlertRule[]): string {
  const textOf = (text: unknown) => (typeof text === 'string' ? text : DEPENDS);
  const own = Object.entries(ALERTS).map(
    ([kind, { severity, about, bill, next }]) =>
      `| \`${kind}\` | ${severity} | ${about} | ${textOf(bill)} | ${textOf(next)} |`,
  );
  const prometheus = rules.map(
    ({ alert, expr, for: duration, labels }) =>
      `| [${alert}](runbooks/${alert}.md) | ${labels['severity']} | ${duration} | \`${expr.replaceAll('|', '\\|')}\` |`,
  );
  return `# Alerts

The ledger knows what is wrong with the bill, and says so in alerts of its own. Prometheus knows whether a ledger runs and how
well. Set up both.

## Alerts of the ledger

\`GET /v1/alerts\` and \`cluster-ledger alerts list\` have them. [How to receive alerts](how-to/receive-alerts.md) sends them to a
chat or a program. Each alert says what happened, what it does to the bill, and what to do next. \`ledger_alerts\` of the
[metrics](metrics.md) has their number by kind.

| kind | severity | about | effect on the bill | what to do next |
| ---- | -------- | ----- | ------------------ | --------------- |
${own.join('\n')}

## Alerts of Prometheus

\`deploy/prometheus/rules.yml\` has them. Each name leads to its runbook. An alert fires once its condition has held for the time
in the third column.

| alert | severity | after | condition |
| ----- | -------- | ----- | --------- |
${prometheus.join('\n')}
`;
}
