import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { parseAllDocuments } from 'yaml';
import type { KubeApiserver } from './kube-apiserver.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An object of `deploy/`. */
export interface ShippedObject extends Fields {
  readonly kind: 'Namespace' | 'ServiceAccount' | 'Secret' | 'ClusterRole' | 'Role' | 'RoleBinding';
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The roles that `deploy/rbac.yaml` grants. */
export function shippedRoles(): Promise<readonly ShippedObject[]> {
  return shippedObjects('rbac.yaml');
}

/** The objects in a file of `deploy/`. */
export async function shippedObjects(file: string): Promise<readonly ShippedObject[]> {
  const text = await readFile(join(import.meta.dirname, '../../deploy', file), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as ShippedObject);
}

// biome-ignore lint/suspicious/noExplicitAny: objects of the API have every shape.
function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    // An API server that has too much to do says so in plain text.
    return text;
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const PATIENCE_MS = 120_000;
const PAUSE_MS = 200;

/** Writes to a kube-apiserver, as its administrator unless another token is given. */
export class KubernetesApi {
  readonly #server: KubeApiserver;
  readonly #token: string;
  readonly #agent: Agent;
  readonly #folder: string;
  #files = 0;

  private constructor(server: KubeApiserver, folder: string, token: string) {
    this.#server = server;
    this.#token = token;
    this.#folder = folder;
    this.#agent = new Agent({ connect: { ca: server.authority.cert } });
  }

  /** @param token of the user to write as; the administrator by default. */
  static async open(server: KubeApiserver, token = server.adminToken): Promise<KubernetesApi> {
    return new KubernetesApi(server, await mkdtemp(join(tmpdir(), 'kubernetes-api-')), token);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /**
   * Sends a request, again if the API server has too much to do or etcd does not answer it in time.
   * @throws Error if it is refused
   */
  async send(method: Method, path: string, body?: Fields) {
    const deadline = performance.now() + PATIENCE_MS;
    let { statusCode, json } = await this.#sendOnce(method, path, body);
    let wasLost = false;
    while ((statusCode === 429 || statusCode >= 500) && performance.now() < deadline) {
      wasLost ||= statusCode !== 429;
      await wait(PAUSE_MS);
      ({ statusCode, json } = await this.#sendOnce(method, path, body));
    }
    // An attempt whose outcome was unknown may have created or deleted the object.
    const isDone =
      wasLost && (method === 'POST' ? statusCode === 409 : method === 'DELETE' && statusCode === 404);
    if (statusCode >= 300 && !isDone)
      throw new Error(`${method} ${path}: ${statusCode} ${JSON.stringify(json)}`);
    return json;
  }

  async #sendOnce(method: Method, path: string, body?: Fields) {
    const { statusCode, body: answer } = await request(this.#server.url + path, {
      method,
      dispatcher: this.#agent,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const json = parsed(await answer.text());
    return { statusCode, json };
  }

  async namespace(name: string): Promise<void> {
    await this.send('POST', '/api/v1/namespaces', { metadata: { name } });
  }

  /** Creates an object of the kinds that are shipped. */
  async apply(object: ShippedObject): Promise<void> {
    const { namespace = '' } = object.metadata;
    const group = '/apis/rbac.authorization.k8s.io/v1';
    const paths = {
      Namespace: '/api/v1/namespaces',
      ServiceAccount: `/api/v1/namespaces/${namespace}/serviceaccounts`,
      Secret: `/api/v1/namespaces/${namespace}/secrets`,
      ClusterRole: `${group}/clusterroles`,
      Role: `${group}/namespaces/${namespace}/roles`,
      RoleBinding: `${group}/namespaces/${namespace}/rolebindings`,
    };
    await this.send('POST', paths[object.kind], object);
  }

  async createSecret(
    namespace: string,
    name: string,
    data: Readonly<Record<string, string>>,
    more: Fields = {},
  ) {
    const { labels, ...rest } = more;
    const metadata = { name, ...(labels !== undefined && { labels }) };
    const body = { metadata, stringData: data, ...rest };
    return this.send('POST', `/api/v1/namespaces/${namespace}/secrets`, body);
  }

  /** Puts other data in the place of all that a Secret holds. */
  async replaceSecret(
    namespace: string,
    name: string,
    data: Readonly<Record<string, string>>,
    { labels }: { readonly labels?: Readonly<Record<string, string>> } = {},
  ) {
    const encoded = Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    await this.send('PUT', `/api/v1/namespaces/${namespace}/secrets/${name}`, {
      metadata: { name, ...(labels !== undefined && { labels }) },
      data: encoded,
    });
  }

  async deleteSecret(namespace: string, name: string) {
    await this.send('DELETE', `/api/v1/namespaces/${namespace}/secrets/${name}`);
  }

  /** A token of a service account. */
  async tokenOf(namespace: string, name: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    return (await this.send('POST', path, { spec: {} })).status.token;
  }

  /** The file of a kubeconfig for it, perhaps by another port of this host. */
  async kubeconfigFile(token = this.#server.adminToken, port = this.#server.port): Promise<string> {
    const file = join(this.#folder, `kubeconfig-${this.#files++}`);
    const text = this.#server.kubeconfig({ token });
    await writeFile(file, text.replace(this.#server.url, `https://127.0.0.1:${port}`));
    return file;
  }
}
