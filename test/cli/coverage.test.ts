import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMAND_OF, WITHOUT_COMMAND } from '../../src/cli/operation-commands.ts';
import { buildProgram, commandsUnder, nameOf } from '../../src/cli/program.ts';
import { Output } from '../../src/cli/terminal/output.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const environment = { url: undefined, token: undefined, context: undefined, configDir: '/nonexistent' };

/** The operations of the contract, with the path as the source of the command line writes it. */
function operations(): { id: string; path: string }[] {
  const { paths } = JSON.parse(read('docs/openapi.json')) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).map(({ operationId }) => ({ id: operationId, path })),
  );
}

test('every operation of the HTTP API has a command, or a reason why it needs none, and no others are named', () => {
  const named = [...Object.keys(COMMAND_OF), ...Object.keys(WITHOUT_COMMAND)];
  expect(named.toSorted()).toEqual(
    operations()
      .map(({ id }) => id)
      .toSorted(),
  );
});

test('every command that is named for an operation exists, and the command line requests its path', async () => {
  const commands = commandsUnder(await buildProgram({ out: new Output(), environment }, '0.0.0')).map(nameOf);
  for (const command of Object.values(COMMAND_OF)) expect(commands).toContain(`cluster-ledger ${command}`);
  const source = globSync('src/cli/{client,commands,render}/**/*.ts', { cwd: root }).map(read).join('\n');
  const requested = source.replaceAll(/\$\{[^}]*\}/g, '{}');
  for (const { id, path } of operations()) {
    if (id in WITHOUT_COMMAND) continue;
    expect(requested, `${id} is requested`).toMatch(
      new RegExp(`${path.replaceAll(/\{\w+\}/g, '\\{\\}')}['"\`]`),
    );
  }
});
