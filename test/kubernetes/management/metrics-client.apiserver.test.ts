import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../../support/kube-apiserver.ts';
import { managementRecord, recordData, workloadRecord } from '../../support/kubefirst.ts';
import { KubernetesApi } from '../../support/kubernetes-api.ts';
import { openLedger, type TestLedger } from '../../support/ledger.ts';
import { Authority } from '../../support/pki.ts';
import { eventually } from '../../support/until.ts';

/** The values that the metrics-client reads from its surroundings in a platform whose zone is delegated. */
const PLATFORM = {
  KUBEFIRST_VERSION: 'v2.10.5',
  CLOUD_PROVIDER: 'civo',
  CLUSTER_ID: 'm1m1m1',
  CLUSTER_TYPE: 'mgmt',
  DOMAIN_NAME: 'kube.dev.acme.example',
  GIT_PROVIDER: 'github',
  INSTALL_METHOD: 'helm',
  KUBEFIRST_CLIENT: 'cli',
  KUBEFIRST_TEAM: 'false',
};

/** The two requests that the public metrics-client (f7586f5) sent to api.segment.io in these surroundings, as they were recorded. */
const RECORDED = [
  `{"messageId":"0ef5c78b-ab2c-4398-81dc-496e774577e3","sentAt":"NOW","batch":[{"type":"track","messageId":"f90913fb-de1d-41b3-8a97-20339eb6145e","userId":"m1m1m1","event":"kubefirst.cluster_install.completed","timestamp":"NOW","properties":{"cli_version":"v2.10.5","client":"cli","cloud_provider":"civo","cluster_id":"m1m1m1","cluster_type":"mgmt","domain":"acme.example","error":"","git_provider":"github","install_method":"helm","kubefirst_team":"false","kubefirst_team_info":"","machine_id":"m1m1m1","parent_cluster_id":""}}],"context":{"library":{"name":"analytics-go","version":"3.0.0"}}}`,
  `{"messageId":"a3c43c30-4985-485c-af95-3944364a955a","sentAt":"NOW","batch":[{"type":"identify","messageId":"e1ad0eed-3ad6-45ef-91a0-825a596b0de0","userId":"m1m1m1","timestamp":"NOW"}],"context":{"library":{"name":"analytics-go","version":"3.0.0"}}}`,
];
const HEADERS = {
  'content-type': 'application/json',
  'user-agent': 'analytics-go (version: 3.0.0)',
  // The write key that is compiled into the client, and public.
  authorization: 'Basic MGdBWWtYNVJWM3Z0N3M0cHFDT09zRGI2V0hQTFQzME06',
};

/** The path of a metrics-client that was built from Kubefirst's source. */
// biome-ignore lint/style/noProcessEnv: only a machine that has built the program has its path.
const { KUBEFIRST_METRICS_CLIENT: program = '' } = process.env;

async function sendRecorded(ledger: TestLedger): Promise<void> {
  for (const body of RECORDED) {
    const request = { method: 'POST', headers: HEADERS };
    const answer = await ledger.fetch('/v1/sources/kubefirst/v1/batch', {
      ...request,
      body: body.replaceAll('NOW', `${new Date().toISOString().slice(0, -1)}333Z`),
    });
    if (answer.status !== 200) throw new Error(`not taken: ${answer.status} ${answer.text}`);
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/**
 * Runs the metrics-client unchanged. A proxy and a certificate of an authority that it trusts make the ledger api.segment.io, as
 * DNS and a certificate do in a cluster.
 */
async function sendByProgram(ledger: TestLedger): Promise<void> {
  const authority = new Authority('the platform');
  const statuses: number[] = [];
  const segment = createTlsServer(
    authority.issue({ commonName: 'api.segment.io', hosts: ['api.segment.io'] }),
    async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const answer = await ledger.fetch(`/v1/sources/kubefirst${request.url}`, {
        method: request.method as string,
        headers: { 'content-type': String(request.headers['content-type']) },
        body,
      });
      statuses.push(answer.status);
      response.writeHead(answer.status).end(answer.text);
    },
  );
  const port = await listening(segment);
  const proxy = createServer().on('connect', (_, socket) => {
    const tunnel = connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    // The program ends without a goodbye.
    for (const end of [socket, tunnel]) end.on('error', () => socket.destroy());
    socket.pipe(tunnel).pipe(socket);
  });
  const proxyPort = await listening(proxy);
  const folder = await mkdtemp(join(tmpdir(), 'metrics-client-'));
  onTestFinished(async () => {
    segment.close();
    proxy.close();
    await rm(folder, { recursive: true });
  });
  await writeFile(join(folder, 'ca.pem'), authority.cert);
  const env = {
    ...PLATFORM,
    HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`,
    SSL_CERT_FILE: join(folder, 'ca.pem'),
  };
  const [code] = await once(spawn(program, ['transmit'], { env, stdio: 'ignore' }), 'exit');
  // It sends both calls in one request or in two, as it happens.
  expect([code, new Set(statuses)]).toEqual([0, new Set([200])]);
}

const clients = [
  { how: 'its recorded requests', send: sendRecorded, isThere: true },
  {
    how:
      program === ''
        ? 'the program. NOT RUN: KUBEFIRST_METRICS_CLIENT names no metrics-client'
        : 'the program, unchanged',
    send: sendByProgram,
    isThere: program !== '',
  },
];

const where = hasKubeApiserver() ? 'a real kube-apiserver' : NO_KUBE_APISERVER;

describe.skipIf(!hasKubeApiserver())(`a platform of Kubefirst with records in ${where}`, () => {
  let server: KubeApiserver;
  let api: KubernetesApi;
  let made = 0;

  beforeAll(async () => {
    server = await KubeApiserver.start();
    api = await KubernetesApi.open(server);
  });
  afterAll(async () => {
    await api?.close();
    await server?.remove();
  });

  /** A ledger that follows the records of an empty management cluster, and how to write them. */
  async function setUp() {
    const namespace = `platform-${made++}`;
    await api.namespace(namespace);
    const kubeconfig = await api.kubeconfigFile(server.adminToken, server.port);
    const ledger = await openLedger({
      now: new Date(Date.now() + 3_600_000).toISOString(),
      kubefirst: { records: { managementCluster: { kubeconfig }, namespace } },
    });
    onTestFinished(ledger.discard);
    const createRecords = async () => {
      const record = managementRecord('secret', [workloadRecord('one', 'aaaaaa')], {
        domain_name: PLATFORM.DOMAIN_NAME,
      });
      await api.createSecret(
        namespace,
        'kubefirst-clusters',
        recordData({ name: 'clusters', list: ['kubefirst'] }),
      );
      await api.createSecret(namespace, 'kubefirst-cluster-kubefirst', recordData(record));
    };
    return { ledger, createRecords };
  }

  const bill = async (ledger: TestLedger): Promise<readonly string[]> => {
    const { body } = await ledger.get('/v1/clusters');
    return body.items.map(
      ({ accountId, name, status }: Record<string, string>) => `${accountId} ${name} ${status}`,
    );
  };
  const ONE_BILL = ['m1m1m1 one billed', 'm1m1m1 kubefirst free'];
  const heard = async (ledger: TestLedger) => (await ledger.get('/v1/sources/kubefirst')).body;

  describe.each(clients)('has, with telemetry by $how', ({ send, isThere }) => {
    test.skipIf(!isThere)('one bill if the telemetry comes after the records', async () => {
      const { ledger, createRecords } = await setUp();
      await createRecords();
      await eventually(async () => expect(await bill(ledger)).toHaveLength(2));
      await send(ledger);
      expect(await bill(ledger)).toEqual(ONE_BILL);
    });

    test.skipIf(!isThere)('one bill if the telemetry comes before the records', async () => {
      const { ledger, createRecords } = await setUp();
      await send(ledger);
      expect(await bill(ledger)).toEqual(['m1m1m1 m1m1m1 free']);
      await createRecords();
      await eventually(async () => expect((await bill(ledger)).toSorted()).toEqual(ONE_BILL.toSorted()));
      expect((await heard(ledger)).records[0]).toMatchObject({ unusable: [], missing: [] });
    });
  });
});
