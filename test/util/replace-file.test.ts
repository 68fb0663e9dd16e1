import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
