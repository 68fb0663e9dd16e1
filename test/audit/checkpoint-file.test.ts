import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CheckpointFile } from '../../src/audit/checkpoint-file.ts';
import { formatCheckpoint, MalformedCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { LogKeys } from '../../src/audit/log-keys.ts';
import { MalformedNote, signNote, UntrustedNote } from '../../src/audit/note.ts';
import { leafHashOf } from './leaves.ts';

const keys = LogKeys.generate('ledger.example/log');
const root = Buffer.from(leafHashOf(1));
const noteOf = (size: number) =>
  signNote(formatCheckpoint({ origin: 'ledger.example/log', size, root }), keys.signers);

describe('the checkpoint in a file outside of the store', () => {
  let folder: string;
  let file: CheckpointFile;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledger-checkpoint-'));
    file = new CheckpointFile(join(folder, 'checkpoint'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('is absent before the first is written', async () => {
    expect(await file.read(keys.verifiers)).toBeUndefined();
    expect([file.size, file.path]).toEqual([0, join(folder, 'checkpoint')]);
  });

  test('is replaced by the next one, in a file that only its owner can read', async () => {
    for (const size of [3, 7]) {
      await file.write({ note: noteOf(size), size });
      expect(file.size).toBe(size);
      expect(await readFile(file.path, 'utf8')).toBe(noteOf(size));
      expect(await file.read(keys.verifiers)).toEqual({ size, root, isTrusted: true });
    }
    expect((await stat(file.path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['checkpoint']);
  });

  test('is read but not trusted if no known key has signed it', async () => {
    await file.write({ note: noteOf(3), size: 3 });
    const others = LogKeys.generate('ledger.example/log').verifiers;
    expect(await file.read(others)).toEqual({ size: 3, root, isTrusted: false });
    expect(await file.read([])).toEqual({ size: 3, root, isTrusted: false });
  });

  test('is damaged if it was changed after it was signed', async () => {
    await writeFile(file.path, noteOf(3).replace('\n3\n', '\n2\n'));
    expect(await file.read(keys.verifiers)).toBeInstanceOf(UntrustedNote);
  });

  test('is damaged if it is not a note, or not that of a checkpoint', async () => {
    await writeFile(file.path, '');
    expect(await file.read(keys.verifiers)).toBeInstanceOf(MalformedNote);
    await writeFile(file.path, signNote('said\n', keys.signers));
    expect(await file.read(keys.verifiers)).toBeInstanceOf(MalformedCheckpoint);
    expect(await file.read([])).toBeInstanceOf(MalformedCheckpoint);
  });

  test('is named in the error if it cannot be read or written', async () => {
    const blocked = new CheckpointFile(folder);
    await expect(blocked.read(keys.verifiers)).rejects.toMatchObject({
      message: expect.stringMatching(
        `^the checkpoint outside of the store, ${folder}, cannot be read: EISDIR`,
      ),
      cause: expect.objectContaining({ code: 'EISDIR' }),
    });
    await expect(blocked.write({ note: noteOf(3), size: 3 })).rejects.toThrow();
    expect(blocked.size).toBe(0);
  });
});
