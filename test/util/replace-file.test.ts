import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFile, OWNER_ONLY, replaceFile } from '../../src/util/replace-file.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replace-file-'));
  file = join(folder, 'data');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('replaceFile', () => {
  test('replaces the content, sets the permissions, and leaves no temporary file', async () => {
    writeFileSync(file, 'old');
    await replaceFile(file, 'new', OWNER_ONLY);
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(OWNER_ONLY);
    expect(readdirSync(folder)).toEqual(['data']);
  });

  test('leaves one whole content if several calls write the same file at once', async () => {
    const contents = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(10_000));
    await Promise.all(contents.map((content) => replaceFile(file, content)));
    expect(contents).toContain(readFileSync(file, 'utf8'));
    expect(readdirSync(folder)).toEqual(['data']);
  });

  test('removes what a process left that was killed more than an hour ago while it wrote the same file', async () => {
    const hoursAgo = (name: string, hours: number) => {
      writeFileSync(join(folder, name), 'half');
      const at = Date.now() / 1_000 - hours * 3_600;
      utimesSync(join(folder, name), at, at);
    };
    hoursAgo('data.4711-0.new', 2);
    hoursAgo('data.4711-1.new', 0.5);
    hoursAgo('other.4711-0.new', 2);
    hoursAgo('data.new', 2);
    await replaceFile(file, 'new');
    expect(readdirSync(folder).sort()).toEqual(['data', 'data.4711-1.new', 'data.new', 'other.4711-0.new']);
    hoursAgo('data.4711-1.new', 1.5);
    await replaceFile(file, 'newer');
    expect(readdirSync(folder).sort()).toEqual(['data', 'data.new', 'other.4711-0.new']);
  });

  test('rejects if the folder does not exist', async () => {
    await expect(replaceFile(join(folder, 'absent', 'data'), 'new')).rejects.toThrow('ENOENT');
  });
});

describe('createFile', () => {
  test('rejects with EEXIST if the file exists, and keeps its content', async () => {
    await createFile(file, 'first');
    await expect(createFile(file, 'second')).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(file, 'utf8')).toBe('first');
    expect(readdirSync(folder)).toEqual(['data']);
  });
});
