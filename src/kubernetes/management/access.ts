import { readFile } from 'node:fs/promises';
import { Agent, type Dispatcher } from 'undici';
import { CredentialRefused } from '../credentials/credential-source.ts';
import { Endpoint, type EndpointPolicy } from '../credentials/endpoint.ts';
import { parseKubeconfig } from '../credentials/kubeconfig.ts';
import type { ManagementClusterSettings } from '../settings/credential-settings.ts';
import { SourceUnreadable } from './source-unreadable.ts';

/** Files of the in-cluster login, which Kubernetes mounts into each container. */
const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount';
const IN_CLUSTER_POLICY: EndpointPolicy = { allowPlainHttp: false };

/** An open access to a management cluster. */
export interface Access {
  /** URL without a trailing slash. */
  readonly server: string;
  /** CA in PEM; `undefined` for the root certificates of the system. */
  readonly ca: string | undefined;
  readonly authorization: string | undefined;
  readonly dispatcher: Dispatcher;
}

/**
 * Reads the access to a management cluster, from within it or by a kubeconfig, with the parser that also reads the
 * kubeconfigs of customers: no program is run and no other file is read.
 * @param policy for a kubeconfig.
 * @throws SourceUnreadable with the field at fault, never its value.
 */
export async function readAccess(
  settings: ManagementClusterSettings,
  policy: EndpointPolicy,
): Promise<Access> {
  try {
    const endpoint =
      'inCluster' in settings
        ? await inClusterEndpoint()
        : parseKubeconfig(await readFile(settings.kubeconfig, 'utf8'), policy, settings.context);
    return accessOf(endpoint);
  } catch (error) {
    if (error instanceof SourceUnreadable) throw error;
    if (error instanceof CredentialRefused)
      throw new SourceUnreadable(`the kubeconfig of the management cluster is refused: ${error.message}`);
    const { code = 'it cannot be parsed' } = error as NodeJS.ErrnoException;
    const what = 'inCluster' in settings ? 'in-cluster login' : 'kubeconfig';
    throw new SourceUnreadable(`the ${what} of the management cluster cannot be read: ${code}`);
  }
}

async function inClusterEndpoint(): Promise<Endpoint> {
  // biome-ignore lint/style/noProcessEnv: Kubernetes gives the address of the API server only here.
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (host === undefined || port === undefined)
    throw new SourceUnreadable('the ledger does not run in a cluster: KUBERNETES_SERVICE_HOST is not set');
  const [token, ca] = await Promise.all([
    readFile(`${IN_CLUSTER}/token`, 'utf8'),
    readFile(`${IN_CLUSTER}/ca.crt`, 'base64'),
  ]);
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Endpoint({ server, caData: ca, token: token.trim() }, IN_CLUSTER_POLICY);
}

function accessOf(endpoint: Endpoint): Access {
  const { host, port, isTls, basePath, serverName, ca, isAnonymous, leftOut } = endpoint;
  if (isAnonymous) {
    const why = leftOut === undefined ? '' : `: ${leftOut}`;
    throw new SourceUnreadable(
      `the kubeconfig of the management cluster needs a token or a client certificate${why}`,
    );
  }
  const { cert, key } = endpoint.revealClient() ?? {};
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert, key }),
    // An address is not a server name in TLS.
    ...(serverName !== host && { servername: serverName }),
  };
  const address = host.includes(':') ? `[${host}]` : host;
  return {
    server: `${isTls ? 'https' : 'http'}://${address}:${port}${basePath}`,
    ca,
    authorization: endpoint.revealAuthorization(),
    dispatcher: new Agent({ connect: isTls ? tls : {} }),
  };
}
