import type { Registry } from 'prom-client';

/** A metric of a registry, as `prom-client` has it. */
interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly labelNames?: readonly string[];
}

/** Returns the metrics of a registry, sorted by name. */
export function metricsOf(registry: Registry): (Described & { readonly labelNames: readonly string[] })[] {
  return (registry.getMetricsAsArray() as unknown as Described[])
    .map(({ name, help, type, labelNames = [] }) => ({ name, help, type, labelNames }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Returns the reference page of the metrics, in Markdown. */
export function metricsPage(registry: Registry): string {
  const rows = metricsOf(registry).map(({ name, help, type, labelNames }) => {
    const labels = labelNames.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${labels === '' ? 'none' : labels} | ${help.replace(/\.$/, '')}. |`;
  });
  return `# Metrics

\`GET /metrics\` has them in the format of Prometheus. Durations are in seconds and sizes in bytes. No label has unbounded values:
ids of clusters and accounts are in [alerts](alerts.md), logs and traces. \`webhook\` is the id of a webhook, of which there are
at most 100, and \`channel\` the name of a notification channel of the settings. Each replica has its own metrics; the figures of the log are the same on all of them.

\`deploy/prometheus/rules.yml\` has alerts on them, and \`deploy/grafana/dashboard.json\` a dashboard.

| metric | type | labels | meaning |
| ------ | ---- | ------ | ------- |
${rows.join('\n')}
`;
}
