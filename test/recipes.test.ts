/** The recipes of CONTRIBUTING: each test fails, and names the piece, if a piece of a recipe is missing. */

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildProgram, commandsUnder, nameOf } from '../src/cli/program.ts';
import { Output } from '../src/cli/terminal/output.ts';
import { ALERTS } from '../src/domain/alert.ts';
import { cloudEventType } from '../src/domain/facts/cloud-event.ts';
import { FACT_TYPES } from '../src/domain/facts/fact.ts';
import { CredentialSettings } from '../src/kubernetes/settings/credential-settings.ts';
import { ledgerForTest } from './support/ledger.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const textOf = (pattern: string) => globSync(pattern, { cwd: root }).map(read).join('\n');

const environment = { url: undefined, token: undefined, context: undefined, configDir: '/nonexistent' };
const commands = commandsUnder(await buildProgram({ out: new Output(), environment }, '0.0.0'));

describe('a filter on the list of clusters', () => {
  /** Parameters that the command does not need: it reads every page, as of now. */
  const WITHOUT_OPTION = ['limit', 'cursor', 'minPosition', 'billedTime', 'total'];
  const OPTIONS: Readonly<Record<string, string>> = { accountId: '--account', clusterType: '--type' };

  test('has an option of the command, a row in docs/cli.md, and tests of HTTP and of the command', async () => {
    const ledger = await ledgerForTest();
    const { body } = await ledger.get('/openapi.json');
    const parameters: { name: string; in: string }[] = body.paths['/v1/clusters'].get.parameters;
    const names = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    const command = commands.find((candidate) => nameOf(candidate) === 'cluster-ledger clusters list');
    const options = command?.options.map(({ long }) => long);
    expect(names).toContain('status');
    for (const name of names) {
      const isTested = new RegExp(`[?&]${name}=`).test(textOf('test/http/*.test.ts'));
      expect(isTested, `a test of the parameter ${name}`).toBe(true);
      if (WITHOUT_OPTION.includes(name)) continue;
      const option = OPTIONS[name] ?? `--${name}`;
      expect(options, `the option for ${name}`).toContain(option);
      expect(read('docs/cli.md')).toMatch(new RegExp(`^\\| \`(?:-\\w, )?${option} `, 'm'));
      expect(textOf('test/cli/*.test.ts').includes(option), `a test of ${option}`).toBe(true);
    }
  });
});

describe.each([...FACT_TYPES])('the fact %s', (type) => {
  test('has a row in the rules of billing, and its CloudEvents name in the guide for producers', () => {
    expect(read('docs/billing-rules.md')).toMatch(new RegExp(`^\\|.*\`${type}\`.*\\|`, 'm'));
    const name = cloudEventType(type).replace(/^io\.clusterledger\.|\.v1$/g, '');
    expect(read('docs/how-to/post-facts.md')).toContain(name);
  });
});

describe.each(Object.keys(ALERTS))('the alert %s', (kind) => {
  test('is expected in a test', () => {
    const tests = textOf(
      'test/{http,projections,domain,e2e,usecases,jobs,fault,kubernetes,delivery}/**/*.test.ts',
    );
    expect(new RegExp(`['"\`/ ]${kind}\\b`).test(tests)).toBe(true);
  });
});

describe.each(Object.keys(CredentialSettings.shape).filter((key) => !key.startsWith('managementCluster')))(
  'the credential source %s',
  (key) => {
    const row = new RegExp(`^\\| \`credentials\\.${key}\` +\\| \`([a-z]+):`, 'm').exec(
      read('docs/validator.md'),
    );

    test('has a row with its scheme in docs/validator.md', () => {
      expect(row).not.toBeNull();
    });

    test('has a file with its scheme, and a test that uses the scheme', () => {
      const scheme = row?.[1];
      expect(textOf('src/kubernetes/credentials/sources/*.ts')).toContain(`'${scheme}'`);
      expect(textOf('test/kubernetes/credentials/sources/*.test.ts')).toContain(`${scheme}:`);
    });
  },
);

describe.each(commands.filter(({ commands: children }) => children.length === 0).map(nameOf))(
  '%s',
  (name) => {
    test('is run by a test of the command line', () => {
      const words = name.replace('cluster-ledger ', '');
      const tests = textOf('test/{cli,e2e}/*.test.ts').replaceAll("', '", ' ');
      expect(new RegExp(`['"\`\\s]${words}\\b`).test(tests)).toBe(true);
    });
  },
);

test('CHANGELOG.md has a section for what is not released yet', () => {
  expect(read('CHANGELOG.md')).toMatch(/^## Unreleased$/m);
});

test('no two files of src have one name, unless they are the routes, commands and schemas of one subject', () => {
  const names = globSync('src/**/*.ts', { cwd: root })
    .filter((file) => !/\/(?:routes|commands)\/|^src\/api\//.test(file))
    .map((file) => basename(file));
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
