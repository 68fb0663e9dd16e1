import { spawn } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { resolveConnection } from '../../src/kubernetes/credentials/credential-source.ts';
import { openSources } from '../../src/kubernetes/credentials/open-sources.ts';
import { PROGRAM } from '../cli/program.ts';
import { freePorts } from '../support/eventstored.ts';
import {
  CHART,
  hasHelm,
  helm,
  MATRIX,
  type Manifest,
  NO_HELM,
  render,
  WITH_SOURCES,
} from '../support/helm.ts';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../support/kube-apiserver.ts';
import { KubernetesApi } from '../support/kubernetes-api.ts';
import { isInstalled, runPage } from '../support/page.ts';
import { eventually } from '../support/until.ts';

const hasKubectl = isInstalled('kubectl', 'version', '--client');
const why = !hasHelm
  ? NO_HELM
  : hasKubectl
    ? hasKubeApiserver()
      ? undefined
      : NO_KUBE_APISERVER
    : 'NOT RUN: kubectl is not installed';
const root = join(import.meta.dirname, '../..');
/** The kinds of Kubernetes that the chart creates. */
const KINDS = [
  'deployments',
  'statefulsets',
  'services',
  'configmaps',
  'serviceaccounts',
  'poddisruptionbudgets',
  'networkpolicies',
  'ingresses',
  'roles',
  'rolebindings',
];
/** The version of the API server of the tests, for which the chart chooses its API versions. */
const FOR_SERVER = ['--kube-version', '1.20.15'];

describe.skipIf(why !== undefined)(`the chart in ${why ?? 'a real kube-apiserver'}`, () => {
  let server: KubeApiserver;
  let api: KubernetesApi;
  let folder: string;
  let kubeconfig: string;
  /** If not, test/deploy/chart.test.ts alone checks the custom resources, by the schema of their definition. */
  let takesCustomResources: boolean;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chart-'));
    server = await KubeApiserver.start();
    api = await KubernetesApi.open(server);
    kubeconfig = await api.kubeconfigFile();
    for (const namespace of ['ledger', 'argocd', 'kubefirst', 'team-a', 'kubeconfigs'])
      await api.namespace(namespace);
    // Kubernetes below 1.24, built with Go 1.18 or later, ends with a fault at the first custom resource.
    takesCustomResources = Number.parseInt((await api.send('GET', '/version')).minor, 10) >= 24;
    if (!takesCustomResources) return;
    await kubectl(['apply', '--filename', join(import.meta.dirname, 'monitoring-crds.yaml')]);
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=240s']);
  });
  afterAll(async () => {
    await api?.close();
    await server?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs kubectl as the administrator, or with a token. @throws Error with what it printed if it fails. */
  async function kubectl(args: readonly string[], { input = '', token = '' } = {}): Promise<string> {
    const file = token === '' ? kubeconfig : await api.kubeconfigFile(token);
    const child = spawn('kubectl', ['--kubeconfig', file, ...args], { stdio: 'pipe' });
    const { promise, resolve } = Promise.withResolvers<number | null>();
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (errors += String(chunk)));
    child.on('close', resolve);
    child.stdin.end(input);
    if ((await promise) !== 0) throw new Error(`kubectl ${args.join(' ')}: ${errors}`);
    return output;
  }

  const install = (command: 'install' | 'upgrade', name: string, values: object) =>
    helm(
      [command, name, CHART, '--namespace', 'ledger', '--kubeconfig', kubeconfig, '--values', '-'],
      stringify(values),
    );
  const objectsOf = async (release: string): Promise<Manifest[]> => {
    const custom = takesCustomResources ? ['servicemonitors', 'prometheusrules'] : [];
    const kinds = [...KINDS, ...custom].join(',');
    const selector = ['--all-namespaces', '--selector', `app.kubernetes.io/instance=${release}`];
    const found = await kubectl(['get', kinds, ...selector, '--output', 'json']);
    return JSON.parse(found).items;
  };

  describe.each(Object.entries(MATRIX))('installed with %s', (_, values) => {
    test('has only manifests that the server accepts, without unknown fields', async () => {
      const objects = (await render(values, ...FOR_SERVER)).filter(
        ({ apiVersion }) => takesCustomResources || !apiVersion.startsWith('monitoring.'),
      );
      const input = objects.map((object) => stringify(object)).join('---\n');
      const applied = await kubectl(
        ['apply', '--dry-run=server', '--validate=true', '--filename', '-', '--output', 'name'],
        { input },
      );
      expect(applied.trim().split('\n')).toHaveLength(objects.length);
    });
  });

  test('installs, upgrades, rolls back and uninstalls a release, and leaves nothing but the volume', async () => {
    await install('install', 'first', { persistence: { size: '1Gi' } });
    const generation = async () => {
      const set = (await objectsOf('first')).find(({ kind }) => kind === 'StatefulSet');
      return { generation: set.metadata.generation, image: set.spec.template.spec.containers[0].image };
    };
    expect(await generation()).toEqual({ generation: 1, image: 'cluster-ledger:0.1.0' });
    const notes = await helm(['get', 'notes', 'first', '--namespace', 'ledger', '--kubeconfig', kubeconfig]);
    expect(notes).toContain('kubectl rollout status statefulset/first-cluster-ledger --namespace ledger');

    await install('upgrade', 'first', {
      persistence: { size: '1Gi' },
      image: { tag: 'next' },
      ...WITH_SOURCES,
    });
    expect(await generation()).toEqual({ generation: 2, image: 'cluster-ledger:next' });
    const kinds = (await objectsOf('first')).map(({ kind, metadata }) => `${kind} ${metadata.namespace}`);
    expect(kinds).toEqual(expect.arrayContaining(['Role argocd', 'Role kubefirst', 'Role team-a']));

    const more = ['--namespace', 'ledger', '--kubeconfig', kubeconfig];
    await helm(['rollback', 'first', '1', ...more]);
    expect((await generation()).image).toBe('cluster-ledger:0.1.0');
    expect((await objectsOf('first')).map(({ kind }) => kind)).not.toContain('Role');
    await helm(['uninstall', 'first', ...more, '--cascade', 'background']);
    expect(await objectsOf('first')).toEqual([]);
  });

  describe('lets its service account', () => {
    let token: string;

    beforeAll(async () => {
      await install('install', 'sources', WITH_SOURCES);
      token = await api.tokenOf('ledger', 'sources-cluster-ledger');
    });

    test('do exactly what the sources need in each namespace, and nothing else', async () => {
      const allowed = async (namespace: string) => {
        const review = await kubectl(
          ['create', '--raw', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', '--filename', '-'],
          {
            token,
            input: JSON.stringify({
              apiVersion: 'authorization.k8s.io/v1',
              kind: 'SelfSubjectRulesReview',
              spec: { namespace },
            }),
          },
        );
        const { resourceRules } = JSON.parse(review).status;
        // Every account may ask what it may do.
        return resourceRules
          .filter(({ apiGroups }: Manifest) => !apiGroups.includes('authorization.k8s.io'))
          .map(({ resources, verbs }: Manifest) => `${verbs} ${resources}`);
      };
      const expected = {
        argocd: ['list secrets'],
        'team-a': ['get,list secrets'],
        kubeconfigs: ['get secrets'],
        kubefirst: ['list,watch secrets'],
      };
      // The API server learns of a role and of its binding only some time after it has stored them.
      for (const [namespace, rules] of Object.entries(expected))
        await eventually(async () => expect(await allowed(namespace), namespace).toEqual(rules));
      for (const namespace of ['ledger', 'kube-system', 'default'])
        expect(await allowed(namespace), namespace).toEqual([]);
    });

    test('read the Secrets of its sources, and neither write them nor read another Secret, a pod or a node', async () => {
      await api.createSecret(
        'argocd',
        'prod',
        {
          name: 'prod',
          server: 'https://prod.example',
          config: JSON.stringify({ bearerToken: 't', tlsClientConfig: { insecure: false } }),
        },
        { labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
      );
      await api.createSecret('kubeconfigs', 'prod', { kubeconfig: server.kubeconfig({ token: 't' }) });
      await api.createSecret('ledger', 'other', { a: 'b' });
      const { validator } = WITH_SOURCES.config;
      const open = await openSources({
        ...validator.credentials,
        managementCluster: { kubeconfig: await api.kubeconfigFile(token) },
      });
      onTestFinished(() => open.close());
      const signal = AbortSignal.timeout(240_000);
      for (const reference of ['argocd:argocd/prod', 'secret:kubeconfigs/prod'])
        expect(
          await eventually(() => resolveConnection(reference, open.sources, signal)),
          reference,
        ).toBeDefined();

      const ledger = await KubernetesApi.open(server, token);
      onTestFinished(() => ledger.close());
      const secrets = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets`;
      const forbidden: readonly (readonly ['GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', string, object?])[] =
        [
          ['GET', `${secrets('argocd')}/prod`],
          ['GET', secrets('kubeconfigs')],
          ['GET', secrets('ledger')],
          ['GET', `${secrets('ledger')}/other`],
          ['GET', '/api/v1/secrets'],
          ['GET', '/api/v1/pods'],
          ['GET', '/api/v1/nodes'],
          ['GET', '/api/v1/namespaces'],
          ['GET', '/api/v1/namespaces/argocd/configmaps'],
          ['POST', secrets('argocd'), { metadata: { name: 'mine' } }],
          ['PUT', `${secrets('kubeconfigs')}/prod`, { metadata: { name: 'prod' } }],
          ['PATCH', `${secrets('team-a')}/prod`, {}],
          ['DELETE', `${secrets('kubeconfigs')}/prod`],
        ];
      for (const [method, path, body] of forbidden)
        await expect(ledger.send(method, path, body as never), `${method} ${path}`).rejects.toThrow(': 403 ');
    });
  });

  test('has its kustomize twin, which docs/how-to/run-on-kubernetes.md applies with an overlay', async () => {
    const work = await mkdtemp(join(folder, 'kustomize-'));
    await symlink(join(root, 'deploy'), join(work, 'deploy'));
    const builds = (name: string) => kubectl(['kustomize', join(root, 'deploy/kustomize', name)]);
    // The API server of the tests is older than policy/v1.
    const forServer = (manifests: string) => manifests.replaceAll('policy/v1\n', 'policy/v1beta1\n');
    for (const name of ['base', 'embedded']) {
      const input = forServer(await builds(name));
      const applied = await kubectl(
        ['apply', '--dry-run=server', '--filename', '-', '--namespace', 'ledger'],
        { input },
      );
      expect(applied.match(/server dry run/g)?.length).toBe(input.match(/^kind: /gm)?.length);
    }
    await runPage('docs/how-to/run-on-kubernetes.md', work, {
      prelude: `export KUBECONFIG='${kubeconfig}'`,
      replacements: {
        'kubectl apply --kustomize my-ledger':
          "kubectl kustomize my-ledger | sed 's#policy/v1$#policy/v1beta1#' | kubectl apply --filename -",
      },
    });
    const [set] = (await objectsOf('cluster-ledger')).filter(
      ({ kind, metadata }) => kind === 'StatefulSet' && metadata.namespace === 'billing',
    );
    const pod = set.spec.template.spec;
    expect(pod.containers[0].image).toBe('registry.example.com/platform/cluster-ledger:0.1.0');
    const { configMap } = pod.volumes.find(({ name }: Manifest) => name === 'config');
    const config = JSON.parse(
      await kubectl(['get', 'configmap', configMap.name, '--namespace', 'billing', '--output', 'json']),
    );
    expect(config.data['ledger.yaml']).toBe('periods:\n  autoClose: true\n');
  });

  test('has the hook of deploy/examples beside it, which installs as its page says and whose Job the server accepts', async () => {
    const work = await mkdtemp(join(folder, 'examples-'));
    await symlink(join(root, 'deploy'), join(work, 'deploy'));
    await writeFile(join(work, 'producer-key'), 'clk_of_a_producer');
    await runPage('deploy/examples/README.md', work, { prelude: `export KUBECONFIG='${kubeconfig}'` });
    const job = await helm(['get', 'hooks', 'goodbye', '--namespace', 'goodbye', '--kubeconfig', kubeconfig]);
    const applied = await kubectl(['apply', '--dry-run=server', '--filename', '-'], { input: job });
    expect(applied).toContain('job.batch/goodbye-goodbye created (server dry run)');
  });

  test('has a README whose commands work in order, from nothing to a bill', {
    timeout: 600_000,
  }, async () => {
    const [port] = (await freePorts(1)) as [number];
    // The API server has no nodes. In place of the pod, the forwarded port leads to a ledger that gets the key of the Secret.
    const prelude = `
      export KUBECONFIG='${kubeconfig}' LEDGER_URL=http://127.0.0.1:${port} XDG_CONFIG_HOME="$PWD"
      npx() { shift; '${process.execPath}' '${PROGRAM}' "$@"; }
      kubectl() {
        case "$1" in
          rollout) command kubectl get "$3" "$4" "$5" ;;
          port-forward)
            command kubectl get "$2" "$4" "$5" &&
              LEDGER_BOOTSTRAP_KEY="$(command kubectl get secret cluster-ledger "$4" "$5" -o go-template='{{index .data "bootstrap-key" | base64decode}}')" \\
              LEDGER_HTTP_PORT=${port} LEDGER_DATA_DIR="$PWD/data" exec '${process.execPath}' '${PROGRAM}' serve ;;
          *) command kubectl "$@" ;;
        esac
      }
      trap 'kill $(jobs -p) || true' EXIT
      ln -s '${join(root, 'deploy')}' deploy`;
    const output = await runPage('deploy/helm/cluster-ledger/README.md', folder, {
      prelude,
      replacements: {
        'http://127.0.0.1:8400': `http://127.0.0.1:${port}`,
        ...(!takesCustomResources && {
          'serviceMonitor.enabled=true': 'serviceMonitor.enabled=false',
          'prometheusRule.enabled=true': 'prometheusRule.enabled=false',
        }),
      },
    });
    expect(output).toContain('"outcome":"appended"');
    expect(output).toMatch(/acme +1 /);
    const kinds = (await objectsOf('cluster-ledger')).map(
      ({ kind, metadata }) => `${kind} ${metadata.namespace}`,
    );
    expect(kinds).toContain('StatefulSet cluster-ledger');
    expect(kinds).toContain('Role argocd');
    const dashboard = await kubectl([
      'get',
      'configmaps',
      '--all-namespaces',
      '--selector',
      'grafana_dashboard=1',
      '--output',
      'json',
    ]);
    expect(
      JSON.parse(JSON.parse(dashboard).items[0].data['cluster-ledger.json']).panels.length,
    ).toBeGreaterThan(0);
    if (takesCustomResources) expect(kinds).toContain('ServiceMonitor cluster-ledger');
    expect(kinds.filter((kind) => kind.endsWith(' replicas'))).toEqual([]);
  });
});
