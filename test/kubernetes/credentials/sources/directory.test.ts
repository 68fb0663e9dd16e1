import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalReference } from '../../../../src/domain/connection.ts';
import { resolveConnection } from '../../../../src/kubernetes/credentials/credential-source.ts';
import { DirectorySource } from '../../../../src/kubernetes/credentials/sources/directory.ts';

const signal = new AbortController().signal;

describe('a folder of kubeconfigs', () => {
  let root: string;
  let folder: string;
  const resolve = async (reference: string) => {
    const found = await resolveConnection(reference, [new DirectorySource(folder)], signal);
    return found === 'absent' ? found : found.reveal();
  };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'ledger-kubeconfigs-'));
    folder = join(root, 'kubeconfigs');
    await mkdir(join(folder, '..data'), { recursive: true });
    await writeFile(join(root, 'outside'), 'of nobody here');
    await writeFile(join(folder, 'c1.yaml'), 'kubeconfig of c1');
    await writeFile(join(folder, '..data', 'c2'), 'kubeconfig of c2');
    await symlink('..data/c2', join(folder, 'c2'));
    await symlink('../outside', join(folder, 'c3'));
    await symlink('nowhere', join(folder, 'c4'));
    await writeFile(join(folder, 'c5'), 'x');
    await truncate(join(folder, 'c5'), 65_537);
    execFileSync('mkfifo', [join(folder, 'c6')]);
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test('resolves a kubeconfig by name and reads it on every call', async () => {
    expect(await resolve('dir:c1.yaml')).toEqual({ kind: 'kubeconfig', text: 'kubeconfig of c1' });
    await writeFile(join(folder, 'c1.yaml'), 'rotated');
    expect(await resolve('dir/c1.yaml')).toEqual({ kind: 'kubeconfig', text: 'rotated' });
    expect(await resolve('dir:c9')).toBe('absent');
  });

  test('follows links inside the folder and none that lead outside', async () => {
    expect(await resolve('dir:c2')).toEqual({ kind: 'kubeconfig', text: 'kubeconfig of c2' });
    await expect(resolve('dir:c3')).rejects.toThrow('connection must not point outside the folder');
    expect(await resolve('dir:c4')).toBe('absent');
  });

  test.each([
    '../outside',
    '..',
    '.',
    'a/b',
    '..data',
    '/etc/passwd',
    'c1.yaml/../../outside',
    '..%2foutside',
    'c1\0',
    '',
  ])('rejects the file name %j', async (name) => {
    await expect(new DirectorySource(folder).resolve(name)).rejects.toThrow(
      'connection must name a file in the folder',
    );
  });

  test('rejects files that are too large, not regular, or pipes without a writer', async () => {
    await expect(resolve('dir:c5')).rejects.toThrow('kubeconfig must have at most 65536 bytes');
    await truncate(join(folder, 'c5'), 65_536);
    expect(await resolve('dir:c5')).toMatchObject({ kind: 'kubeconfig' });
    await expect(resolve('dir:c6')).rejects.toThrow('connection must name a regular file');
  });

  test('reports a missing folder without its path', async () => {
    const source = new DirectorySource(join(root, 'missing'));
    await expect(source.resolve('c1')).rejects.toThrow(/^the folder cannot be found: ENOENT$/);
  });

  test('lists its files as an inventory', async () => {
    const items = await Array.fromAsync(new DirectorySource(folder).inventory());
    expect(items.slice(0, 2)).toEqual([
      { source: 'dir', reference: 'dir:c1.yaml', name: 'c1' },
      { source: 'dir', reference: 'dir:c2', name: 'c2' },
    ]);
  });
});

test('the two spellings of a reference have one canonical form', () => {
  expect(canonicalReference('argocd/argocd/c1')).toBe('argocd:argocd/c1');
  expect(canonicalReference('argocd:argocd/c1')).toBe('argocd:argocd/c1');
  expect(canonicalReference('nothing')).toBe('nothing');
});
