import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { inspect } from 'node:util';
import { CredentialRefused } from './credential-source.ts';

/** Fields of a credential before validation. */
export interface EndpointFields {
  readonly server: string;
  /** PEM in base64, as are `clientCertData` and `clientKeyData`. */
  readonly caData?: string | undefined;
  readonly tlsServerName?: string | undefined;
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly clientCertData?: string | undefined;
  readonly clientKeyData?: string | undefined;
  readonly insecure?: boolean | undefined;
  /** A login that is never used: the name of its field and the reason. */
  readonly leftOut?: string | undefined;
}

export interface EndpointPolicy {
  /** Whether `http:` URLs are accepted: for tests, and for API servers behind a proxy on the same machine. */
  readonly allowPlainHttp: boolean;
}

const HIDDEN = '[endpoint]';
const MAX_PATH = 256;
const MAX_TOKEN = 16 * 1024;
const MAX_CERTIFICATES = 64;

/** The validated address of an API server with its login. Secrets are only returned by the `reveal…` methods. */
export class Endpoint {
  /** Lower-case host name without a trailing dot, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Path before `/readyz`: empty, or with a leading slash and without a trailing one. */
  readonly basePath: string;
  /** Name or address that the certificate must be for. */
  readonly serverName: string;
  /** A login that was never read: the name of its field and the reason. */
  readonly leftOut: string | undefined;
  readonly #ca: string | undefined;
  readonly #client: { readonly cert: string; readonly key: string } | undefined;
  readonly #authorization: string | undefined;

  /**
   * @param names names of the fields in messages, as the credential spells them.
   * @throws CredentialRefused with the name of the field, never its value.
   */
  constructor(fields: EndpointFields, policy: EndpointPolicy, names: FieldNames = ARGOCD_NAMES) {
    const url = parseServer(fields.server, policy, names.server);
    this.isTls = url.protocol === 'https:';
    this.host = bareHost(url.hostname);
    this.port = url.port === '' ? (this.isTls ? 443 : 80) : Number(url.port);
    this.basePath = url.pathname.replace(/\/+$/, '');
    if (fields.insecure === true)
      throw new CredentialRefused(
        names.insecure,
        `must not be true: the server could not be identified; give its CA in ${names.caData}`,
      );
    const { tlsServerName } = fields;
    this.serverName = tlsServerName === undefined ? this.host : parseName(tlsServerName, names.tlsServerName);
    this.leftOut = fields.leftOut;
    this.#ca = fields.caData === undefined ? undefined : certificates(fields.caData, names.caData).pem;
    this.#client = clientOf(fields, names);
    this.#authorization = authorizationOf(fields, names);
  }

  /** Trusted certificates in PEM; `undefined` for the root certificates of the system. */
  get ca(): string | undefined {
    return this.#ca;
  }

  /** Whether TLS with the configured CA identifies the server, and not only one that owns the name. */
  get isVouchedFor(): boolean {
    return this.isTls && this.#ca !== undefined;
  }

  /** Whether the server is asked without a login. */
  get isAnonymous(): boolean {
    return this.#authorization === undefined && this.#client === undefined;
  }

  /** Returns the client certificate and its key. Only the TLS handshake may use them. */
  revealClient(): { readonly cert: string; readonly key: string } | undefined {
    return this.#client;
  }

  /** Returns the Authorization header. Only the request may use it. */
  revealAuthorization(): string | undefined {
    return this.#authorization;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/** Names of fields in messages. */
export type FieldNames = Readonly<Record<Exclude<keyof EndpointFields, 'leftOut'>, string>>;

/** Names of the fields in a Secret of Argo CD. */
const ARGOCD_NAMES: FieldNames = {
  server: 'server',
  caData: 'tlsClientConfig.caData',
  tlsServerName: 'tlsClientConfig.serverName',
  token: 'bearerToken',
  username: 'username',
  password: 'password',
  clientCertData: 'tlsClientConfig.certData',
  clientKeyData: 'tlsClientConfig.keyData',
  insecure: 'tlsClientConfig.insecure',
};

/** URL without user, escapes, query or fragment. No character needs decoding, so the checked text is the used text. */
const SERVER =
  /^(https?):\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?((?:\/[A-Za-z0-9._~:-]*)*)$/i;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

function parseServer(server: string, { allowPlainHttp }: EndpointPolicy, name: string): URL {
  const refuse = (why: string) => new CredentialRefused(name, why);
  const [, scheme, , port, path = ''] = SERVER.exec(server) ?? [];
  const forms = allowPlainHttp ? 'https:// or http://' : 'https://';
  const form = `must be an ${forms} URL with a host and optionally a port and a path, such as https://api.example.com:6443`;
  if (/^https:\/\/[^?]*\?agentName=/.test(server))
    throw refuse(
      'must not be an agent of Argo CD, which is not an API server; register the cluster with a kubeconfig',
    );
  if (scheme === undefined) throw refuse(form);
  if (scheme.toLowerCase() === 'http' && !allowPlainHttp) throw refuse('must be an https:// URL');
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))
    throw refuse('must have a port from 1 to 65535');
  if (path.length > MAX_PATH || /\/\.{1,2}(?:\/|$)/.test(path) || path.includes('//'))
    throw refuse('must not have a path with dot segments or empty segments, or of more than 256 characters');
  if (!URL.canParse(server)) throw refuse(form);
  const url = new URL(server);
  if (isIP(bareHost(url.hostname)) === 0 && !isName(bareHost(url.hostname)))
    throw refuse('must have a valid host name or IP address');
  return url;
}

/** Returns the host of a URL without brackets or a trailing dot. */
function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

function isName(host: string): boolean {
  return host.length <= 253 && host.split('.').every((label) => LABEL.test(label));
}

function parseName(text: string, field: string): string {
  const name = text.toLowerCase();
  if (isIP(name) === 0 && !isName(name))
    throw new CredentialRefused(field, 'must be a host name or an IP address');
  return name;
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function decode(base64: string, field: string): string {
  const packed = base64.replace(/\s/g, '');
  if (!BASE64.test(packed)) throw new CredentialRefused(field, 'must be PEM in base64');
  return Buffer.from(packed, 'base64').toString('latin1');
}

/** Returns the certificates of a bundle without the text between them. */
function certificates(
  data: string,
  field: string,
): { readonly pem: string; readonly first: X509Certificate } {
  const refuse = (why: string) => new CredentialRefused(field, why);
  const text = decode(data, field);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0 || blocks.length > MAX_CERTIFICATES)
    throw refuse(`must contain 1 to ${MAX_CERTIFICATES} certificates in PEM`);
  if (text.match(/-----BEGIN /g)?.length !== blocks.length) throw refuse('must contain only certificates');
  try {
    const [first] = blocks.map((block) => new X509Certificate(block)) as [X509Certificate];
    return { pem: `${blocks.join('\n')}\n`, first };
  } catch {
    throw refuse('contains an invalid certificate');
  }
}

function clientOf(
  { clientCertData, clientKeyData }: EndpointFields,
  names: FieldNames,
): { readonly cert: string; readonly key: string } | undefined {
  if (clientCertData === undefined && clientKeyData === undefined) return undefined;
  if (clientCertData === undefined)
    throw new CredentialRefused(names.clientCertData, `is required with ${names.clientKeyData}`);
  if (clientKeyData === undefined)
    throw new CredentialRefused(names.clientKeyData, `is required with ${names.clientCertData}`);
  const { pem, first } = certificates(clientCertData, names.clientCertData);
  const key = decode(clientKeyData, names.clientKeyData);
  if (!first.checkPrivateKey(privateKey(key, names.clientKeyData)))
    throw new CredentialRefused(names.clientKeyData, `is not the key of ${names.clientCertData}`);
  return { cert: pem, key };
}

function privateKey(pem: string, field: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    throw new CredentialRefused(field, 'must be an unencrypted private key in PEM');
  }
}

function authorizationOf(
  { token, username, password }: EndpointFields,
  names: FieldNames,
): string | undefined {
  if (token !== undefined) {
    if (username !== undefined || password !== undefined)
      throw new CredentialRefused(names.username, `must not be given together with ${names.token}`);
    if (token.length > MAX_TOKEN || !/^[\x21-\x7e]+$/.test(token))
      throw new CredentialRefused(
        names.token,
        `must be at most ${MAX_TOKEN} visible ASCII characters, without spaces and line breaks`,
      );
    return `Bearer ${token}`;
  }
  if (username === undefined && password === undefined) return undefined;
  if (username === undefined || username.includes(':'))
    throw new CredentialRefused(names.username, 'is required with a password and must not contain a colon');
  if (password === undefined) throw new CredentialRefused(names.password, 'is required with a user name');
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
