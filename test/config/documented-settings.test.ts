import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/config/config.ts';
import { SETTING_PATHS } from '../../src/config/settings.ts';

const root = join(import.meta.dirname, '../..');
const groups = new Set(SETTING_PATHS.map((path) => path.split('.')[0]));

/** The blocks of YAML in the documentation that are settings of the ledger. */
const blocks = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true }).map((file) => `docs/${file}`),
]
  .filter((file) => file.endsWith('.md'))
  .flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^```yaml\n([^`]+)```$/gm)].map(
      ([, text = ''], i) => ({
        title: `${file}, block ${i + 1}`,
        text,
      }),
    ),
  )
  .filter(({ text }) => groups.has(Object.keys((parse(text) ?? {}) as object)[0]));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'documented-settings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('settings that the documentation shows are accepted', () => {
  test.each(blocks)('$title', async ({ text }) => {
    const file = join(folder, 'ledger.yaml');
    await writeFile(file, text);
    expect(() => readConfig({ LEDGER_CONFIG: file })).not.toThrow();
  });

  test('in several pages', () => {
    expect(blocks.length).toBeGreaterThan(5);
  });
});
