import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { effectiveSettings } from '../../src/config/config.ts';
import { SETTING_PATHS, variableOf } from '../../src/config/settings.ts';
import {
  CHART,
  hasHelm,
  helm,
  MATRIX,
  type Manifest,
  NO_HELM,
  ON_EVENTSTOREDB,
  podOf,
  render,
  WITH_EVERYTHING,
  WITH_SOURCES,
} from '../support/helm.ts';
import { violationsOfRestricted } from '../support/pod-security.ts';

const root = join(import.meta.dirname, '../..');
const where = hasHelm ? 'rendered by helm' : NO_HELM;

const ofKind = (objects: readonly Manifest[], kind: string): Manifest[] =>
  objects.filter((object) => object.kind === kind);
const workloadOf = (objects: readonly Manifest[]): Manifest =>
  objects.find(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
const containerOf = (objects: readonly Manifest[]): Manifest => podOf(workloadOf(objects)).containers[0];
const environmentOf = (objects: readonly Manifest[]): Record<string, string> =>
  Object.fromEntries(containerOf(objects).env.map(({ name, value }: Manifest) => [name, value]));

describe.skipIf(!hasHelm)(`the chart ${where}`, () => {
  test('passes helm lint, with warnings as errors', async () => {
    for (const values of [
      '',
      'store.type=eventstoredb,secret.keys.store=a,secret.keys.logKey=b,secret.keys.webhookKey=c,secret.keys.sessionKey=d',
    ])
      expect(await helm(['lint', '--strict', CHART, '--set', values])).toContain('0 chart(s) failed');
  });

  test('has the version of the ledger, and documents every value', async () => {
    const { appVersion } = parse(await readFile(join(CHART, 'Chart.yaml'), 'utf8'));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(appVersion).toBe(version);
    const page = await readFile(join(CHART, 'README.md'), 'utf8');
    const values = parse(await readFile(join(CHART, 'values.yaml'), 'utf8'));
    for (const name of Object.keys(values)) expect(page, name).toMatch(new RegExp(`^\\| \`${name}\\b`, 'm'));
  });

  describe.each(Object.entries(MATRIX))('rendered with %s', (_, values) => {
    test('fulfills the Pod Security Standard restricted in every pod', async () => {
      const pods = (await render(values)).map(podOf).filter((pod) => pod !== undefined);
      expect(pods.length).toBe(2);
      for (const pod of pods) expect(violationsOfRestricted(pod)).toEqual([]);
    });

    test('gives every object the labels of the release, and selects exactly the pods of the ledger', async () => {
      const objects = await render(values);
      const workload = workloadOf(objects);
      const labels = workload.spec.template.metadata.labels;
      const selected = {
        'app.kubernetes.io/name': 'cluster-ledger',
        'app.kubernetes.io/instance': 'billing',
        'app.kubernetes.io/component': 'ledger',
      };
      for (const { kind, metadata } of objects)
        expect(metadata.labels, kind).toMatchObject({
          'app.kubernetes.io/instance': 'billing',
          'app.kubernetes.io/managed-by': 'Helm',
        });
      expect(labels).toMatchObject(selected);
      expect(workload.spec.selector.matchLabels).toEqual(selected);
      for (const service of ofKind(objects, 'Service')) expect(service.spec.selector).toEqual(selected);
      const [policy] = ofKind(objects, 'NetworkPolicy');
      expect(policy.spec.podSelector.matchLabels).toEqual(selected);
      const [budget] = ofKind(objects, 'PodDisruptionBudget');
      expect(budget.spec.selector.matchLabels).toEqual(selected);
      expect(budget.spec.maxUnavailable).toBe(1);
    });

    test('probes start, life and readiness, and stops within its time', async () => {
      const objects = await render(values);
      const { startupProbe, livenessProbe, readinessProbe, lifecycle } = containerOf(objects);
      const paths = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet);
      expect(paths).toEqual(['/livez', '/livez', '/readyz'].map((path) => ({ path, port: 'http' })));
      const [command, seconds] = lifecycle.preStop.exec.command;
      expect({ command, seconds: Number(seconds) }).toEqual({ command: 'sleep', seconds: 5 });
      // A shutdown takes up to 20 seconds.
      expect(podOf(workloadOf(objects)).terminationGracePeriodSeconds).toBeGreaterThanOrEqual(5 + 20 + 5);
    });

    test('sets only variables that are settings, and keeps variables of services out', async () => {
      const objects = await render(values);
      const known = [
        'LEDGER_CONFIG',
        ...SETTING_PATHS.flatMap((path) => [variableOf(path), `${variableOf(path)}_FILE`]),
      ];
      expect(known).toEqual(expect.arrayContaining(Object.keys(environmentOf(objects))));
      expect(podOf(workloadOf(objects)).enableServiceLinks).toBe(false);
    });

    test('mounts each secret that it names, readable by root and the group of the ledger only', async () => {
      const objects = await render(values);
      const secrets = podOf(workloadOf(objects)).volumes.find(({ name }: Manifest) => name === 'secrets');
      expect(secrets.secret.defaultMode).toBe(0o440);
      const files = secrets.secret.items.map(({ path }: Manifest) => `/run/secrets/cluster-ledger/${path}`);
      const named = Object.entries(environmentOf(objects)).filter(([name]) => name.endsWith('_FILE'));
      expect(files).toEqual(expect.arrayContaining(named.map(([, file]) => file)));
      expect(named.length).toBeGreaterThan(0);
    });
  });

  test('runs one ledger with a volume on the embedded store, and replicas that roll over one by one on EventStoreDB', async () => {
    const embedded = await render({ persistence: { size: '50Gi', storageClassName: 'fast' } });
    const set = workloadOf(embedded);
    expect(set).toMatchObject({ kind: 'StatefulSet', spec: { replicas: 1 } });
    expect(set.spec.volumeClaimTemplates[0].spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '50Gi' } },
    });
    const headless = ofKind(embedded, 'Service').find(({ spec }) => spec.clusterIP === 'None');
    expect(headless.metadata.name).toBe(set.spec.serviceName);
    expect(environmentOf(embedded)).not.toHaveProperty('LEDGER_STORE_FILE');

    const replicas = await render(ON_EVENTSTOREDB);
    expect(workloadOf(replicas)).toMatchObject({
      kind: 'Deployment',
      spec: { replicas: 3, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } },
    });
    expect(environmentOf(replicas)).toMatchObject({
      LEDGER_STORE_FILE: '/run/secrets/cluster-ledger/store',
      LEDGER_AUDIT_KEY_FILE: '/run/secrets/cluster-ledger/logKey',
      LEDGER_WEBHOOKS_KEY_FILE: '/run/secrets/cluster-ledger/webhookKey',
      LEDGER_SESSIONS_KEY_FILE: '/run/secrets/cluster-ledger/sessionKey',
    });
    expect(podOf(workloadOf(replicas)).volumes).toContainEqual({ name: 'data', emptyDir: {} });
  });

  test('passes config to the ledger unchanged, and new settings start new pods', async () => {
    const [one, other] = [
      await render({ config: { periods: { autoClose: true } } }),
      await render({ config: { periods: { autoClose: false } } }),
    ];
    const [{ data }] = ofKind(one, 'ConfigMap');
    expect(parse(data['ledger.yaml'])).toEqual({ periods: { autoClose: true } });
    const checksum = (objects: Manifest[]) =>
      workloadOf(objects).spec.template.metadata.annotations['checksum/config'];
    expect(checksum(one)).not.toBe(checksum(other));
    expect(
      effectiveSettings({
        ...environmentOf(await render({})),
        LEDGER_CONFIG: undefined,
        LEDGER_BOOTSTRAP_KEY_FILE: undefined,
      }).values['http.port'],
    ).toBe(8_400);
  });

  test('grants exactly what the sources in config need, and mounts a token only then', async () => {
    const objects = await render(WITH_SOURCES);
    const granted = ofKind(objects, 'Role').map(({ metadata, rules }) => [metadata.namespace, rules]);
    const secrets = (...verbs: string[]) => [{ apiGroups: [''], resources: ['secrets'], verbs }];
    expect(Object.fromEntries(granted)).toEqual({
      argocd: secrets('list'),
      kubeconfigs: secrets('get'),
      kubefirst: secrets('list', 'watch'),
      'team-a': secrets('get', 'list'),
    });
    expect(ofKind(objects, 'ClusterRole')).toEqual([]);
    expect(podOf(workloadOf(objects)).automountServiceAccountToken).toBe(true);

    const without = await render({});
    expect(without.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
    expect(podOf(workloadOf(without)).automountServiceAccountToken).toBe(false);
    const elsewhere = await render({
      config: {
        validator: { credentials: { managementCluster: { kubeconfig: '/k' }, argocd: {} } },
        kubefirst: { records: [{ name: 'eu', managementCluster: { kubeconfig: '/k' } }] },
      },
    });
    expect(elsewhere.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
  });

  test('grants the namespaces of named management clusters, and all namespaces only if Cluster API names none', async () => {
    const objects = await render({
      config: {
        validator: {
          credentials: {
            managementClusters: {
              here: { inCluster: true, clusterApi: {} },
              eu: { kubeconfig: '/k', argocd: {} },
            },
          },
        },
        kubefirst: { records: [{ name: 'here' }, { name: 'eu', namespace: 'elsewhere' }] },
      },
    });
    expect(ofKind(objects, 'ClusterRole').map(({ rules }) => rules)).toEqual([
      [{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }],
    ]);
    expect(ofKind(objects, 'Role').map(({ metadata }) => metadata.namespace)).toEqual(['kubefirst']);
  });

  test.each([
    ['several ledgers on the embedded store', { replicaCount: 2 }, /replicaCount.*maximum/],
    ['EventStoreDB without its secrets', { store: { type: 'eventstoredb' } }, /\/secret\/keys\/store/],
    ['an unknown store', { store: { type: 'postgres' } }, /\/store\/type/],
    ['an unknown value', { replicas: 2 }, /additional properties 'replicas' not allowed/],
    ['a secret in config', { config: { bootstrapKey: 'x' } }, /\/config\/bootstrapKey/],
    ['a key of the log in config', { config: { audit: { key: 'x' } } }, /\/config\/audit\/key/],
    ['another port in config', { config: { http: { port: 1 } } }, /\/config\/http\/port/],
    [
      'a ServiceMonitor without a credential',
      { monitoring: { serviceMonitor: { enabled: true } } },
      /secretName/,
    ],
    ['an ingress without a host', { ingress: { enabled: true } }, /\/ingress\/host/],
    ['a size without a unit', { persistence: { size: 'ten' } }, /\/persistence\/size/],
    ['too little time to stop', { terminationGracePeriodSeconds: 10 }, /terminationGracePeriodSeconds/],
    ['a tag in the name of the image', { image: { repository: 'ledger:1' } }, /\/image\/repository/],
  ])('refuses %s and names the value', async (_, values, message) => {
    await expect(render(values)).rejects.toThrow(message);
  });

  test('has custom resources that fit the schemas of the Prometheus operator, and refer to what the chart creates', async () => {
    const objects = await render(WITH_EVERYTHING);
    const definitions = parseAllDocuments(
      await readFile(join(import.meta.dirname, 'monitoring-crds.yaml'), 'utf8'),
    );
    const kinds = definitions
      .map((document) => document.toJS())
      .map(({ spec }) => ({
        kind: spec.names.kind,
        schema: strict(spec.versions[0].schema.openAPIV3Schema.properties.spec),
      }));
    const found = kinds.flatMap(({ kind, schema }) =>
      ofKind(objects, kind).map(({ spec }) => ({ kind, spec, schema })),
    );
    expect(found.length).toBeGreaterThan(0);
    for (const { kind, spec, schema } of found) {
      const validate = new Ajv({ strict: false }).compile(schema);
      expect({ kind, isValid: validate(spec), errors: validate.errors }).toEqual({
        kind,
        isValid: true,
        errors: null,
      });
    }
    const [monitor] = ofKind(objects, 'ServiceMonitor');
    const scraped = ofKind(objects, 'Service').filter(({ metadata }) =>
      Object.entries(monitor.spec.selector.matchLabels).every(
        ([label, value]) => metadata.labels[label] === value,
      ),
    );
    expect(scraped).toHaveLength(1);
    expect(scraped[0].spec.ports.map(({ name }: Manifest) => name)).toContain(monitor.spec.endpoints[0].port);
    expect(monitor.spec.endpoints[0].authorization.credentials).toEqual({ name: 'scrape', key: 'key' });
    expect(monitor.metadata.labels.release).toBe('p');
    const [rule] = ofKind(objects, 'PrometheusRule');
    expect(rule.spec).toEqual(parse(await readFile(join(root, 'deploy/prometheus/rules.yml'), 'utf8')));
    const dashboard = objects.find(({ metadata }) => metadata.labels['grafana_dashboard'] === '1');
    expect(JSON.parse(dashboard.data['cluster-ledger.json'])).toEqual(
      JSON.parse(await readFile(join(root, 'deploy/grafana/dashboard.json'), 'utf8')),
    );
  });

  test('names the image by its digest if there is one, and by the version otherwise', async () => {
    const imageOf = async (values: object) => containerOf(await render({ ...values })).image;
    expect(await imageOf({})).toBe('cluster-ledger:0.1.0');
    expect(await imageOf({ image: { tag: 'edge' } })).toBe('cluster-ledger:edge');
    expect(await imageOf(WITH_EVERYTHING)).toBe(
      `registry.example.com:5000/platform/cluster-ledger@sha256:${'a'.repeat(64)}`,
    );
  });

  test('lets every pod of the cluster reach the API, and the ledger only names, API servers, webhooks and the store', async () => {
    const [{ spec }] = ofKind(await render({}), 'NetworkPolicy');
    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(spec.ingress).toEqual([
      { from: [{ namespaceSelector: {} }], ports: [{ port: 'http', protocol: 'TCP' }] },
    ]);
    const [names, others] = spec.egress;
    expect(names.ports.map(({ port }: Manifest) => port)).toEqual([53, 53]);
    expect(others.ports.map(({ port }: Manifest) => port)).toEqual([443, 6_443, 2_113]);
    expect(others.to[0].ipBlock).toEqual({ cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] });
  });
});

/** Returns a schema that refuses fields that it does not name. */
function strict(schema: Manifest): Manifest {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(strict);
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const isClosed = 'properties' in schema && schema.type === 'object';
  return { ...inner, ...(isClosed && { additionalProperties: false }) };
}
