import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config/config.ts';
import { configurationPage } from '../../src/config/reference.ts';

/** Returns the mistakes in an environment. */
function mistakesIn(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

describe('readConfig', () => {
  test('returns defaults for an empty environment', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8_400,
      dataDir: './data',
      store: { kind: 'sqlite', file: 'data/ledger.db' },
      namespace: 'ledger',
      logLevel: 'info',
    });
  });

  test('reads every setting from its environment variable', () => {
    expect(
      readConfig({
        LEDGER_HTTP_HOST: '::1',
        LEDGER_HTTP_PORT: '0',
        LEDGER_DATA_DIR: '/var/lib/ledger',
        LEDGER_STORE: 'sqlite:',
        LEDGER_NAMESPACE: 'prod-1',
        LEDGER_LOG_LEVEL: 'debug',
      }),
    ).toMatchObject({
      host: '::1',
      port: 0,
      dataDir: '/var/lib/ledger',
      store: { kind: 'sqlite', file: '/var/lib/ledger/ledger.db' },
      namespace: 'prod-1',
      logLevel: 'debug',
    });
  });

  test('keeps the file name of an SQLite store as written', () => {
    expect(readConfig({ LEDGER_STORE: 'sqlite:/tmp/x.db' }).store).toEqual({
      kind: 'sqlite',
      file: '/tmp/x.db',
    });
  });

  test.each(['esdb://127.0.0.1:2113?tls=false', 'esdb+discover://user:pw@cluster.example:2113'])(
    'keeps the EventStoreDB connection string as written: %s',
    (connection) => {
      expect(readConfig({ LEDGER_STORE: connection }).store).toEqual({ kind: 'esdb', connection });
    },
  );

  test('ignores variables whose names do not begin with LEDGER_', () => {
    expect(mistakesIn({ PATH: '/bin', PORT: 'x', XLEDGER_STORE: 'x', ledger_store: 'x' })).toEqual([]);
  });
});

describe('readConfig rejects', () => {
  test('an invalid environment, and reports every mistake with the variable and the value given', () => {
    const mistakes = mistakesIn({
      LEDGER_HTTP_HOST: 'http://0.0.0.0',
      LEDGER_HTTP_PORT: 'eighty',
      LEDGER_DATA_DIR: '',
      LEDGER_STORE: 'postgres://x',
      LEDGER_NAMESPACE: '1 2',
      LEDGER_LOG_LEVEL: 'loud',
      LEDGER_HTP_PORT: '80',
    });
    const names = mistakes.map((line) => line.split(' ')[0]);
    expect(names.sort()).toEqual([
      'LEDGER_DATA_DIR',
      'LEDGER_HTP_PORT',
      'LEDGER_HTTP_HOST',
      'LEDGER_HTTP_PORT',
      'LEDGER_LOG_LEVEL',
      'LEDGER_NAMESPACE',
      'LEDGER_STORE',
    ]);
    expect(mistakes.join('\n')).toContain('given "eighty"');
    expect(mistakes.join('\n')).toContain('given "loud"');
  });

  test('an unknown variable, and lists the settings or the new name of a renamed one', () => {
    const [mistake] = mistakesIn({ LEDGER_PORT: '80' });
    expect(mistake).toMatch(/^LEDGER_PORT is not a known setting; the settings are .*LEDGER_HTTP_PORT/);
    expect(mistakesIn({ LEDGER_AUDIT_TREE_FLOOR: '1' })).toEqual([
      'LEDGER_AUDIT_TREE_FLOOR was renamed to LEDGER_AUDIT_TREE_MIN_HEIGHT_IN_MEMORY',
    ]);
  });

  test('an invalid store without repeating its value, which may contain a password', () => {
    const mistakes = mistakesIn({ LEDGER_STORE: 'esbd://admin:s3cret@host' });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).not.toContain('s3cret');
  });

  test.each(['', 'http://127.0.0.1', '127.0.0.1/8'])('a host that is not an address: %j', (host) => {
    expect(mistakesIn({ LEDGER_HTTP_HOST: host })).toEqual([expect.stringContaining('must be an address')]);
  });

  test.each(['127.0.0.1', '0.0.0.0', '::', 'ledger.example.com'])('no address: %s', (host) => {
    expect(mistakesIn({ LEDGER_HTTP_HOST: host })).toEqual([]);
  });

  test('networks of proxies that are not networks, and an issuer that is not safe or has no audience', () => {
    expect(mistakesIn({ LEDGER_HTTP_TRUST_PROXY: '[10.0.0.0/33]' })).toEqual([
      expect.stringContaining('must be an IP address or a network'),
    ]);
    expect(mistakesIn({ LEDGER_OIDC_ISSUER: 'http://id.example.com', LEDGER_OIDC_AUDIENCE: 'x' })).toEqual([
      expect.stringContaining('must be an https URL'),
    ]);
    expect(mistakesIn({ LEDGER_OIDC_ISSUER: 'https://id.example.com' })).toEqual([
      'LEDGER_OIDC_ISSUER and LEDGER_OIDC_AUDIENCE must be set together',
    ]);
  });

  test('a short bootstrap key, without repeating it', () => {
    const [mistake] = mistakesIn({ LEDGER_BOOTSTRAP_KEY: 's3cret' });
    expect(mistake).toContain('LEDGER_BOOTSTRAP_KEY must be 16 to 256 printable characters');
    expect(mistake).not.toContain('s3cret');
  });

  test.each(['-1', '65536', '99999', '1e3', '0x50', '080', ' 80', '', '8400.0'])(
    'an invalid port: %j',
    (port) => {
      expect(mistakesIn({ LEDGER_HTTP_PORT: port })).toEqual([expect.stringMatching(/^LEDGER_HTTP_PORT /)]);
    },
  );

  test.each(['sqlite', 'ledger.db', 'esdb://', 'http://127.0.0.1:2113', ''])(
    'an invalid store: %j',
    (store) => {
      expect(mistakesIn({ LEDGER_STORE: store })).toEqual([expect.stringMatching(/^LEDGER_STORE /)]);
    },
  );

  test.each(['', '-a', 'a b', 'ä', '1a', 'x'.repeat(65), '$all'])('an invalid namespace: %j', (namespace) => {
    expect(mistakesIn({ LEDGER_NAMESPACE: namespace })).toEqual([
      expect.stringMatching(/^LEDGER_NAMESPACE /),
    ]);
  });
});

/** Writes a text to a new file and returns the name of the file. */
function fileOf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'ledger-config-')), 'ledger.yaml');
  writeFileSync(file, text);
  return file;
}

describe('the configuration file', () => {
  test('sets values, and a variable overrides them', () => {
    const file = fileOf('http: { port: 9000 }\ndataDir: /srv/ledger\nnamespace: from-file\n');
    expect(readConfig({ LEDGER_CONFIG: file, LEDGER_NAMESPACE: 'from-variable' })).toMatchObject({
      port: 9_000,
      dataDir: '/srv/ledger',
      namespace: 'from-variable',
    });
  });

  test.each(['', '# nothing\n', 'http:\n'])('may be empty: %j', (text) => {
    expect(mistakesIn({ LEDGER_CONFIG: fileOf(text) })).toEqual([]);
  });

  test('is rejected with every mistake: its path, the value given and the values allowed', () => {
    const file = fileOf('http: { port: "80", hots: x }\nlog: loud\ndataDir: ""\nport: 1\n');
    expect(mistakesIn({ LEDGER_CONFIG: file }).sort()).toEqual([
      expect.stringMatching(/: dataDir must be a folder; given ""$/),
      expect.stringMatching(/: http\.hots is not a known setting; the settings are .*http\.host/),
      expect.stringMatching(/: http\.port must be a port from 0 to 65535; given "80"$/),
      expect.stringMatching(/: log must be a mapping$/),
      expect.stringMatching(/: port is not a known setting/),
    ]);
  });

  test.each([
    ['audit: { treeFloor: 1 }', 'audit.treeFloor', 'audit.treeMinHeightInMemory'],
    [
      'validator: { policy: { massRatio: "0.3" } }',
      'validator.policy.massRatio',
      'validator.policy.outageRatio',
    ],
    [
      'validator: { policy: { massLeast: 6 } }',
      'validator.policy.massLeast',
      'validator.policy.outageMinClusters',
    ],
    [
      'validator: { policy: { massWindow: 2h } }',
      'validator.policy.massWindow',
      'validator.policy.outageWindow',
    ],
    [
      'validator: { probe: { silenceMs: 9000 } }',
      'validator.probe.silenceMs',
      'validator.probe.workerTimeoutMs',
    ],
  ])('is rejected with the new name if it has a renamed setting: %s', (text, path, renamed) => {
    const mistakes = mistakesIn({ LEDGER_CONFIG: fileOf(text) });
    expect(mistakes).toEqual([expect.stringContaining(`${path} was renamed to ${renamed}`)]);
  });

  test.each([
    ['YAML with a duplicate key', 'namespace: a\nnamespace: b\n', /not valid YAML/],
    ['text that is not YAML', 'http: {', /not valid YAML/],
    ['YAML that is nested too deeply', '- '.repeat(3_000), /not valid YAML: it is nested too deeply/],
    ['a list', '- http\n', /the top level must be a mapping/],
  ])('is rejected if it is %s', (_, text, mistake) => {
    expect(mistakesIn({ LEDGER_CONFIG: fileOf(text) })[0]).toMatch(mistake);
  });

  test('must exist if LEDGER_CONFIG names it', () => {
    expect(mistakesIn({ LEDGER_CONFIG: '/nowhere/ledger.yaml' })).toEqual([
      'LEDGER_CONFIG must name a file that can be read (ENOENT); given "/nowhere/ledger.yaml"',
    ]);
  });
});

describe('a secret setting', () => {
  test('can be read from the file that its _FILE variable names', () => {
    const file = fileOf('esdb://admin:s3cret@127.0.0.1:2113\n');
    const connection = 'esdb://admin:s3cret@127.0.0.1:2113';
    expect(readConfig({ LEDGER_STORE_FILE: file }).store).toEqual({ kind: 'esdb', connection });
  });

  test('is rejected if both its variable and its _FILE variable are set', () => {
    expect(mistakesIn({ LEDGER_STORE: 'sqlite:', LEDGER_STORE_FILE: fileOf('sqlite:') })).toEqual([
      'LEDGER_STORE_FILE and LEDGER_STORE are both set: set one of them',
    ]);
  });

  test('is the only kind of setting with a _FILE variable', () => {
    expect(mistakesIn({ LEDGER_NAMESPACE_FILE: '/x' })[0]).toMatch(
      /^LEDGER_NAMESPACE_FILE is not a known setting/,
    );
  });
});

test('docs/configuration.md describes every setting', async () => {
  await expect(configurationPage()).toMatchFileSnapshot('../../docs/configuration.md');
});
