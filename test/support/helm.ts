import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { isInstalled } from './page.ts';

export const CHART = join(import.meta.dirname, '../../deploy/helm/cluster-ledger');

/** Whether helm is installed. */
export const hasHelm = isInstalled('helm', 'version');
/** Title of tests that need helm and are not run. */
export const NO_HELM = 'NOT RUN: helm is not installed';

// biome-ignore lint/suspicious/noExplicitAny: objects of the API have every shape.
export type Manifest = any;

/** Values of the chart that differ from the defaults. */
export type Values = Readonly<Record<string, unknown>>;

/** Values for a ledger on EventStoreDB. */
export const ON_EVENTSTOREDB = {
  replicaCount: 3,
  store: { type: 'eventstoredb' },
  secret: {
    keys: {
      store: 'store',
      logKey: 'log-key',
      webhookKey: 'webhook-key',
      sessionKey: 'session-key',
      storeCa: 'ca.crt',
    },
  },
};

/** Values with every source of credentials in the cluster of the ledger. */
export const WITH_SOURCES = {
  config: {
    audit: { origin: 'ledger.example.com/log' },
    validator: {
      credentials: {
        managementCluster: { inCluster: true },
        argocd: { namespaces: ['argocd'] },
        clusterApi: { namespaces: ['team-a'] },
        secrets: { namespaces: ['kubeconfigs', 'team-a'] },
      },
    },
    kubefirst: { records: { namespace: 'kubefirst' } },
  },
};

/** Values with everything that is off by default. */
export const WITH_EVERYTHING = {
  ...ON_EVENTSTOREDB,
  ...WITH_SOURCES,
  image: {
    repository: 'registry.example.com:5000/platform/cluster-ledger',
    digest: `sha256:${'a'.repeat(64)}`,
  },
  imagePullSecrets: [{ name: 'registry' }],
  ingress: { enabled: true, className: 'nginx', host: 'ledger.example.com', tlsSecret: 'ledger-tls' },
  service: { type: 'LoadBalancer', port: 80, annotations: { a: 'b' } },
  monitoring: {
    serviceMonitor: { enabled: true, labels: { release: 'p' }, credentials: { secretName: 'scrape' } },
    prometheusRule: { enabled: true, labels: { release: 'p' } },
    dashboard: { enabled: true },
  },
  extraEnv: [{ name: 'LEDGER_LOG_LEVEL', value: 'debug' }],
  extraVolumes: [{ name: 'kubeconfigs', secret: { secretName: 'kubeconfigs' } }],
  extraVolumeMounts: [{ name: 'kubeconfigs', mountPath: '/etc/kubeconfigs', readOnly: true }],
  serviceAccount: { annotations: { a: 'b' } },
  podAnnotations: { a: 'b' },
  podLabels: { team: 'billing' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'dedicated', operator: 'Exists' }],
  affinity: { podAntiAffinity: {} },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
  ],
  priorityClassName: 'system-cluster-critical',
  networkPolicy: { extraEgress: [{ to: [{ podSelector: {} }] }] },
};

/** The sets of values for which every check of the chart is made. */
export const MATRIX: Readonly<Record<string, Values>> = {
  'the defaults': {},
  EventStoreDB: ON_EVENTSTOREDB,
  'sources of credentials': WITH_SOURCES,
  everything: WITH_EVERYTHING,
};

/** Runs helm. @param input its standard input. @throws Error with its output if it fails. */
export async function helm(args: readonly string[], input = ''): Promise<string> {
  const running = promisify(execFile)('helm', args, { maxBuffer: 32_000_000 });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Renders the chart for a release with the name `billing` in the namespace `ledger`. @throws Error if the values are refused. */
export async function render(values: Values, ...args: readonly string[]): Promise<Manifest[]> {
  const rendered = await helm(
    ['template', 'billing', CHART, '--namespace', 'ledger', '--values', '-', ...args],
    stringify(values),
  );
  return parseAllDocuments(rendered).flatMap((document) => document.toJS() ?? []);
}

/** Returns the specification of the pods of a workload, and of the pod itself. */
export function podOf({ kind, spec }: Manifest): Manifest | undefined {
  if (kind === 'Pod') return spec;
  if (kind === 'CronJob') return spec.jobTemplate.spec.template.spec;
  return spec?.template?.spec;
}
