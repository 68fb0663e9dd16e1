import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Verdict } from '../../../../src/domain/validation/judging/verdict.ts';
import { Prober } from '../../../../src/kubernetes/prober/prober.ts';
import { ProberOptions } from '../../../../src/kubernetes/settings/prober-options.ts';
import { DnsServer } from '../../../support/dns-server.ts';
import { hasKubeApiserver, KubeApiserver, NO_KUBE_APISERVER } from '../../../support/kube-apiserver.ts';
import { KubernetesApi } from '../../../support/kubernetes-api.ts';
import { base64, Fleet } from '../../probe/fleet.ts';

/**
 * Credentials as the tools of the field write them, through the real prober. Each is usable, or refused with words that say
 * what to do. Their servers are at an address of this machine that is allowed; the rest of loopback is not.
 */
const ALLOWED = '127.0.0.77';
const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln';

const FOLDER = join(import.meta.dirname, 'kubeconfigs');
const SECRETS = readFileSync(join(import.meta.dirname, 'secrets.yaml'), 'utf8');

interface Form {
  readonly name: string;
  /** `<state> <code>` or `<state> <code>: <detail>`. */
  readonly gives: string;
  readonly connection: string;
}
interface SecretForm extends Form {
  readonly namespace: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

const files = readdirSync(FOLDER).map((file) => ({ file, text: readFileSync(join(FOLDER, file), 'utf8') }));
const kubeconfigs: readonly Form[] = files.map(({ file, text }) => ({
  name: file,
  gives: /^# gives: (.*)$/m.exec(text)?.[1] ?? 'nothing',
  connection: `dir:${file}`,
}));

/** Returns the Secrets, with the values of this run in their texts. */
function secretForms(fill: (text: string) => string): readonly SecretForm[] {
  return parseAllDocuments(SECRETS)
    .map((document) => document.toJS() as Record<string, unknown> | null)
    .filter((manifest) => manifest !== null)
    .map((manifest) => {
      const { namespace, name, annotations } = manifest['metadata'] as {
        readonly namespace: string;
        readonly name: string;
        readonly annotations: Readonly<Record<string, string>>;
      };
      const { gives = 'nothing', connection = '' } = annotations;
      const stringData = Object.entries(manifest['stringData'] as Record<string, string>);
      const filled = Object.fromEntries(stringData.map(([key, text]) => [key, fill(text)]));
      return { name, namespace, gives, connection, manifest: { ...manifest, stringData: filled } };
    });
}
const secrets = secretForms((text) => text);

const forms = [...kubeconfigs, ...secrets];

/** Returns the bytes of a file in the encoding that its head names. */
function encoded(text: string): Buffer {
  const encoding = /^# encoded: (.*)$/m.exec(text)?.[1];
  const body = text.replace(/^(# (?:gives|encoded): .*\n)+/, '');
  switch (encoding) {
    case undefined:
      return Buffer.from(text);
    case 'crlf':
      return Buffer.from(text.replaceAll('\n', '\r\n'));
    case 'utf-8-bom':
      return Buffer.from(`\ufeff${text}`);
    case 'utf-16le':
      return Buffer.from(`\ufeff${text}`, 'utf16le');
    case 'utf-16be':
      return Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
    case 'base64':
      return Buffer.from(base64(body));
    case 'without-comments':
      return Buffer.from(body);
    default:
      throw new Error(`unknown encoding ${encoding}`);
  }
}

const where = hasKubeApiserver() ? 'a real kube-apiserver' : NO_KUBE_APISERVER;

describe.skipIf(!hasKubeApiserver())(`credentials as tools write them, with Secrets in ${where}`, () => {
  let folder: string;
  let server: KubeApiserver;
  let api: KubernetesApi;
  let fleet: Fleet;
  let dns: DnsServer;
  let prober: Prober;
  let forbiddenConnections = 0;
  let verdicts: ReadonlyMap<string, Verdict>;
  const forbidden = createServer((socket) => {
    forbiddenConnections += 1;
    socket.destroy();
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'real-forms-'));
    const at = (name: string) => join(folder, name);
    for (const name of ['kubeconfigs', 'programs', 'files', 'ran']) await mkdir(at(name));
    const names = new Set(
      [...files.map(({ text }) => text), SECRETS].flatMap((text) =>
        [...text.matchAll(/https:\/\/([a-z0-9.-]+):\{\{port/gi)].map(([, name = '']) => name.toLowerCase()),
      ),
    );
    const extra = ['kube-teleport-proxy-alpn.teleport.customer-a.example'];
    fleet = await Fleet.start({ hosts: [...names, ...extra], address: ALLOWED });
    dns = await DnsServer.start(Object.fromEntries([...names].map((name) => [name, [ALLOWED]])));
    forbidden.listen(0, '127.0.0.1');
    await once(forbidden, 'listening');
    const { port } = forbidden.address() as AddressInfo;

    const { cert, key } = fleet.authority.issue({ commonName: 'admin', organization: 'system:masters' });
    const ca = base64(fleet.authority.cert);
    const values: Readonly<Record<string, string>> = {
      ca,
      'ca-folded': ca.replace(/.{64}(?=.)/g, '$&\\\n      '),
      'ca-in-lines': ca.replace(/.{64}(?=.)/g, '$&\n      '),
      'ca-with-text': base64(`Certificate:\n    Data:\n        Version: 3 (0x2)\n${fleet.authority.cert}`),
      cert: base64(cert),
      key: base64(key),
      token: TOKEN,
      programs: at('programs'),
      files: at('files'),
      forbidden: String(port),
    };
    const fill = (text: string) =>
      text.replace(/\{\{(?:port:([^}]+)|([a-z-]+))\}\}/g, (_, behaviour?: string, name = '') =>
        behaviour === undefined ? (values[name] ?? `no value ${name}`) : String(fleet.port(behaviour)),
      );

    // The programs leave a trace, and a reader of the files would keep them open.
    const all = [...files.map(({ text }) => text), SECRETS].join('\n');
    for (const [, name = ''] of all.matchAll(/\{\{programs\}\}\/([a-z-]+)/g))
      await writeFile(at(`programs/${name}`), `#!/bin/sh\ntouch ${at(`ran/${name}`)}\n`, { mode: 0o755 });
    const pipes = new Set(
      [...all.matchAll(/\{\{files\}\}\/([a-z.]+)/g)].map(([, name = '']) => at(`files/${name}`)),
    );
    expect(spawnSync('mkfifo', [...pipes]).status).toBe(0);
    for (const { file, text } of files) await writeFile(at(`kubeconfigs/${file}`), encoded(fill(text)));

    server = await KubeApiserver.start();
    api = await KubernetesApi.open(server);
    const filled = secretForms(fill);
    for (const namespace of new Set(filled.map(({ namespace }) => namespace))) await api.namespace(namespace);
    for (const { namespace, manifest } of filled)
      await api.send('POST', `/api/v1/namespaces/${namespace}/secrets`, manifest);

    const roots = at('roots.pem');
    await writeFile(roots, fleet.authority.cert);
    const managementCluster = { kubeconfig: await api.kubeconfigFile() };
    const options = ProberOptions.parse({
      // Long enough for a server that answers, however slow this machine is.
      deadlineMs: 60_000,
      addresses: { allow: [`${ALLOWED}/32`] },
      dnsServers: [dns.address],
      environment: { NODE_EXTRA_CA_CERTS: roots },
      readable: [managementCluster.kubeconfig],
      credentials: {
        directory: at('kubeconfigs'),
        managementCluster,
        argocd: { namespaces: ['argocd'] },
        clusterApi: { namespaces: [] },
        secrets: { namespaces: ['flux-system', 'vcluster-team-x'] },
      },
    });
    prober = new Prober(options, { now: Date.now, log: { warn: () => undefined } });
    const targets = forms.map(({ connection }) => ({ clusterId: connection, connection }));
    const results = await Array.fromAsync(prober.probe(targets));
    verdicts = new Map(results.map(({ clusterId, verdict }) => [clusterId, verdict]));
  });
  afterAll(async () => {
    await prober?.stop();
    forbidden.close();
    await api?.close();
    await server?.remove();
    await dns?.stop();
    await fleet?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(forms)('$connection gives: $gives', ({ connection, gives }) => {
    const { state, code, detail } = verdicts.get(connection) as Verdict;
    expect(`${state} ${code}${detail === undefined ? '' : `: ${detail}`}`).toBe(gives);
  });

  test('are more than fifty', () => {
    expect(forms.length).toBeGreaterThan(50);
  });

  test('are read anew by each run: a Secret that was just put right, and one of the how-to', async () => {
    const ask = async (connection: string) => {
      const [result] = await Array.fromAsync(prober.probe([{ clusterId: 'c', connection }]));
      return result?.verdict;
    };
    expect(await ask('argocd:argocd/broken')).toMatchObject({ code: 'credential-refused' });
    expect(await ask('argocd:argocd/prod')).toMatchObject({ code: 'no-credential' });
    const page = readFileSync(
      join(import.meta.dirname, '../../../../docs/how-to/connect-clusters.md'),
      'utf8',
    );
    const [, text = ''] = /^```yaml\n(apiVersion: v1\nkind: Secret\n[^`]+)```$/m.exec(page) ?? [];
    const values: Readonly<Record<string, string>> = {
      server: `https://api.customer-a.example:${fleet.port('healthy')}`,
      ca: base64(fleet.authority.cert),
      token: TOKEN,
    };
    const manifest = parse(text.replace(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? 'unknown'));
    await api.send('POST', '/api/v1/namespaces/argocd/secrets', manifest);
    const { metadata, stringData } = manifest;
    await api.replaceSecret('argocd', 'broken', stringData, metadata);
    expect(await ask('argocd:argocd/broken')).toMatchObject({ state: 'alive', code: 'ok' });
    expect(await ask('argocd:argocd/prod')).toMatchObject({ state: 'alive', code: 'ok' });
  });

  test('run no program, read no file, and connect to no address that is not allowed', async () => {
    expect(await readdir(join(folder, 'programs'))).not.toEqual([]);
    expect(await readdir(join(folder, 'ran'))).toEqual([]);
    for (const file of await readdir(join(folder, 'files'))) {
      const writing = open(join(folder, 'files', file), constants.O_WRONLY | constants.O_NONBLOCK);
      // There is no reader of the pipe.
      await expect(writing).rejects.toMatchObject({ code: 'ENXIO' });
    }
    expect(forbiddenConnections).toBe(0);
  });

  test('show nothing of a login in a verdict', () => {
    expect(JSON.stringify([...verdicts.values()])).not.toContain(TOKEN);
  });
});
