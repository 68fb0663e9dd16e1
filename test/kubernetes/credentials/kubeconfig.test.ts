import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CredentialRefused } from '../../../src/kubernetes/credentials/credential-source.ts';
import { Endpoint } from '../../../src/kubernetes/credentials/endpoint.ts';
import { parseKubeconfig } from '../../../src/kubernetes/credentials/kubeconfig.ts';
import { Authority } from '../../support/pki.ts';
import { base64, kubeconfig } from '../probe/fleet.ts';

const FOLDER = join(import.meta.dirname, 'hostile-kubeconfigs');
const CANARY = 'SECRET-CANARY';
const parse = (text: string) => parseKubeconfig(text, { allowPlainHttp: false });
const good = { server: 'https://203.0.113.7:6443' };

/** The message of the error for a text, after checking that no form of the error contains the text. */
function refusal(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof CredentialRefused)) throw error;
    expect(`${error.message} ${error.stack} ${inspect(error)} ${JSON.stringify(error)}`).not.toContain(
      CANARY,
    );
    return error.message;
  }
  throw new Error('it was accepted');
}

const hostile = readdirSync(FOLDER).map((file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const [, outcome, detail = ''] = /^# (refused|accepted): (.*)$/m.exec(text) ?? [];
  return { file, text, outcome, detail };
});

describe('a login that runs a program or reads a file is left out, and a harmless one is used', () => {
  test.each(hostile.filter(({ outcome }) => outcome === 'accepted'))('$file', ({ text, detail }) => {
    const { isAnonymous, leftOut } = parse(text);
    const without = `without a login${leftOut === undefined ? '' : `, since ${leftOut}`}`;
    expect(isAnonymous ? without : 'with its login').toBe(detail);
  });
});

describe('an unacceptable kubeconfig is rejected with the field and without its value', () => {
  test.each(hostile.filter(({ outcome }) => outcome !== 'accepted'))('$file', ({ text, detail }) => {
    expect(refusal(text)).toBe(detail);
  });

  const fine = kubeconfig(good, { token: CANARY });
  test.each([
    ['is larger than 64 KiB', `${fine}${' '.repeat(65_536)}`, 'kubeconfig must have at most 65536 bytes'],
    [
      'is larger than 64 KiB in its letters',
      `# ${'é'.repeat(33_000)}\n${fine}`,
      'kubeconfig must have at most 65536 bytes',
    ],
    [
      'is not UTF-8',
      Buffer.concat([Buffer.from([0x23, 0xff, 0xfe, 0x0a]), Buffer.from(fine)]).toString('utf8'),
      'kubeconfig must be UTF-8, or UTF-16 with a byte order mark',
    ],
    [
      'is UTF-16',
      Buffer.from(fine, 'utf16le').toString('latin1'),
      'kubeconfig must not contain control characters',
    ],
    ['has a NUL', `${fine}\0`, 'kubeconfig must not contain control characters'],
    ['has an escape of a terminal', `# \u001b[2J\n${fine}`, 'kubeconfig must not contain control characters'],
    [
      'has a BOM within',
      `${fine}\n\ufeff${fine}`,
      expect.stringMatching(/^kubeconfig is not valid YAML or JSON/),
    ],
    [
      'has a directive after a BOM',
      `\ufeff%YAML 1.1\n---\n${fine}`,
      'kubeconfig must not contain directives',
    ],
    [
      'has a key twice, as JSON',
      fine.replace('"token"', '"token":"x","token"'),
      'kubeconfig must not have duplicate keys',
    ],
  ])('one that %s', (_, text, why) => {
    expect(refusal(text)).toEqual(why);
  });

  test('rejects a bundle that contains a private key besides certificates', () => {
    const { cert, key } = new Authority('ca');
    const cluster = { ...good, 'certificate-authority-data': base64(cert + key) };
    expect(refusal(kubeconfig(cluster, { token: CANARY }))).toBe(
      'clusters.cluster.certificate-authority-data must contain only certificates',
    );
  });

  test('rejects a client key that does not belong to the certificate, or is missing', () => {
    const authority = new Authority('ca');
    const [one, other] = ['a', 'b'].map((commonName) => authority.issue({ commonName }));
    const user = (key: string) => ({
      'client-certificate-data': base64(one?.cert ?? ''),
      'client-key-data': base64(key),
    });
    expect(refusal(kubeconfig(good, user(other?.key ?? '')))).toBe(
      'users.user.client-key-data is not the key of users.user.client-certificate-data',
    );
    expect(refusal(kubeconfig(good, user(CANARY)))).toBe(
      'users.user.client-key-data must be an unencrypted private key in PEM',
    );
  });
});

describe('a valid kubeconfig is accepted', () => {
  const { cert } = new Authority('ca');

  test('accepts the output of kubeadm, kind, k3d and Cluster API', () => {
    const text = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64(cert)}
    server: https://api.C1.example.com:6443
  name: c1
contexts:
- context:
    cluster: c1
    namespace: default
    user: c1-admin
  name: c1-admin@c1
- context: {cluster: other, user: other}
  name: other
current-context: c1-admin@c1
kind: Config
preferences: {}
users:
- name: c1-admin
  user:
    token: t0ken
`;
    const endpoint = parse(text);
    expect(endpoint).toMatchObject({ host: 'api.c1.example.com', port: 6443, isTls: true, basePath: '' });
    expect(endpoint.serverName).toBe('api.c1.example.com');
    expect(endpoint.revealAuthorization()).toBe('Bearer t0ken');
    expect(endpoint.ca).toContain('BEGIN CERTIFICATE');
  });

  test('accepts Windows line ends, a BOM, and fields without effect', () => {
    const cluster = {
      ...good,
      'disable-compression': true,
      extensions: [{ name: 'x', extension: {} }],
      'insecure-skip-tls-verify': false,
    };
    const user = { token: 't', exec: null, username: '', 'auth-provider': {} };
    const text = JSON.stringify(JSON.parse(kubeconfig(cluster, user)), undefined, 2).replaceAll('\n', '\r\n');
    expect(parse(`\ufeff${text}`).port).toBe(6443);
  });

  test('accepts a client certificate and its key', () => {
    const pair = new Authority('ca').issue({ commonName: 'admin' });
    const user = { 'client-certificate-data': base64(pair.cert), 'client-key-data': base64(pair.key) };
    const endpoint = parse(kubeconfig(good, user));
    expect(endpoint.revealClient()?.key).toBe(pair.key);
    expect(endpoint.revealAuthorization()).toBeUndefined();
  });

  test('behind a path, and without a port', () => {
    const server = 'https://rancher.example.com/k8s/clusters/c-m-1234/';
    const endpoint = parse(kubeconfig({ server }, { token: 't' }));
    expect(endpoint).toMatchObject({ port: 443, basePath: '/k8s/clusters/c-m-1234' });
  });

  test.each([
    ['https://2130706433/', '127.0.0.1'],
    ['https://0x7f.1', '127.0.0.1'],
    ['https://0177.0.0.1', '127.0.0.1'],
    ['https://[::FFFF:127.0.0.1]:6443', '::ffff:7f00:1'],
    ['https://api.example.com.', 'api.example.com'],
    ['https://xn--pi-7lc.example', 'xn--pi-7lc.example'],
  ])('normalizes the host before it is checked and used: %s', (server, host) => {
    expect(parse(kubeconfig({ server }, { token: 't' })).host).toBe(host);
  });

  test('hides its secrets however it is printed', () => {
    const endpoint = parse(kubeconfig(good, { token: CANARY }));
    const shown = `${endpoint} ${JSON.stringify({ endpoint })} ${inspect(endpoint, { showHidden: true, depth: 9 })}`;
    expect(shown).not.toContain(CANARY);
    expect(Object.values(endpoint).join()).not.toContain(CANARY);
  });
});

test('an endpoint with insecure: true is rejected', () => {
  const make = () => new Endpoint({ ...good, insecure: true }, { allowPlainHttp: false });
  expect(make).toThrow(
    'tlsClientConfig.insecure must not be true: the server could not be identified; give its CA in tlsClientConfig.caData',
  );
});

test('whatever the text, it is accepted or refused: nothing else is thrown, and no prototype is changed', () => {
  const fields = [
    'exec',
    'server',
    'token',
    'users',
    'clusters',
    'contexts',
    'current-context',
    '<<',
    '__proto__',
    '&a',
    '*a',
    '!!js',
  ];
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(...fields, '\n', '  ', ': ', '- ', '{', '}', '[', '"'),
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
    fc.json(),
  );
  fc.assert(
    fc.property(text, (each) => {
      try {
        parse(each);
      } catch (error) {
        expect(error).toBeInstanceOf(CredentialRefused);
      }
    }),
    { numRuns: 2_000 },
  );
  expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
});
