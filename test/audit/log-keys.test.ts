import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openKeyFile, readKeyFile, retireOldKeys, rotateKey } from '../../src/audit/key-file.ts';
import { LogKeyError, LogKeys } from '../../src/audit/log-keys.ts';
import { openNote, signNote } from '../../src/audit/note.ts';
import { hexOf, MalformedKey, NoteSigner } from '../../src/audit/note-key.ts';

const NAME = 'ledger.example/log';
const lines = (keys: LogKeys) => keys.verifiers.map(String);

describe('LogKeys', () => {
  test('are parsed from their text, ignoring comments and white space', () => {
    const keys = LogKeys.generate(NAME);
    const former = NoteSigner.generate(NAME).verifier;
    const text = `# the key of March\n  ${keys.text}\t${former} # of February\n\n`;
    const read = LogKeys.parse(text, 'the file');
    expect(lines(read)).toEqual([...lines(keys), String(former)]);
    expect(read.signers.map(({ secret }) => secret)).toEqual(keys.signers.map(({ secret }) => secret));
    expect(LogKeys.parse(read.text, 'the file').text).toBe(read.text);
  });

  test('have two signers during a rotation, and then one signer and a former key', () => {
    const first = LogKeys.generate(NAME);
    const both = first.rotated();
    expect(both.signers).toHaveLength(2);
    expect(both.current.name).toBe(NAME);
    expect(both.signers[1]?.secret).toBe(first.signers[0]?.secret);
    const note = signNote('said\n', both.signers);
    expect(openNote(note, first.verifiers).signedBy.map(String)).toEqual(lines(first));
    expect(openNote(note, both.verifiers).signedBy.map(String)).toEqual(lines(both));
    const after = both.retired();
    expect(after.signers.map(({ secret }) => secret)).toEqual([both.signers[0]?.secret]);
    expect(lines(after)).toEqual(lines(both));
    const again = after.rotated().retired();
    expect(lines(again)).toEqual([String(again.current), ...lines(both)]);
  });

  test('allow one rotation at a time', () => {
    const first = LogKeys.generate(NAME);
    expect(() => first.retired()).toThrow('there is no old key to retire');
    expect(() => first.rotated().rotated()).toThrow('a rotation is in progress');
  });

  test.each([
    ['nothing', '', 'the file has no private key'],
    ['a comment only', '# PRIVATE', 'the file has no private key'],
    ['only a public line', String(NoteSigner.generate(NAME).verifier), 'the file has no private key'],
    ['something else', 'hello', 'the file: key 1 is not an Ed25519 key of a signed note'],
  ])('are rejected if the text has %s', (_, text, why) => {
    expect(() => LogKeys.parse(text, 'the file')).toThrow(LogKeyError);
    expect(() => LogKeys.parse(text, 'the file')).toThrow(why);
  });

  test('are rejected if a key is duplicate or damaged, without repeating a private key', () => {
    const { secret, verifier } = NoteSigner.generate(NAME);
    for (const text of [`${secret}\n${secret}`, `${secret}\n${verifier}`])
      expect(() => LogKeys.parse(text, 'the file')).toThrow('the file has a duplicate key');
    for (const mangled of [`${secret.slice(0, -4)}AAA=`, secret.slice(1), secret.replace(NAME, 'other')]) {
      const failing = () => LogKeys.parse(mangled, 'the file');
      expect(failing).toThrow(LogKeyError);
      expect(failing).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(secret.slice(-20)) }),
      );
    }
  });

  test('cannot be generated for an invalid name', () => {
    const cause = new MalformedKey('"two words" is not a key name');
    expect(() => LogKeys.generate('two words')).toThrow(
      new LogKeyError('"two words" is not a key name', { cause }),
    );
  });
});

describe('a key file', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledger-keys-'));
    file = join(folder, 'data/log-key');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('is created once, for its owner only, also if two processes create it at the same time', async () => {
    const opened = await Promise.all(Array.from({ length: 8 }, () => openKeyFile(file, NAME)));
    const [first] = opened.map(({ text }) => text);
    expect(opened.map(({ text }) => text)).toEqual(opened.map(() => first));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'data'))).toEqual(['log-key']);
    expect((await readKeyFile(file)).text).toBe(first);
    expect((await openKeyFile(file, 'another.example')).text).toBe(first);
  });

  test.each([0o644, 0o640, 0o604, 0o620])('is rejected with permissions %o', async (mode) => {
    await openKeyFile(file, NAME);
    await chmod(file, mode);
    await expect(openKeyFile(file, NAME)).rejects.toThrow(
      `other users can read the key file ${file} (mode 0${mode.toString(8)})`,
    );
    await expect(readKeyFile(file)).rejects.toThrow(LogKeyError);
  });

  test('is rejected with a reason and a remedy if other users can read it', async () => {
    await openKeyFile(file, NAME);
    await chmod(file, 0o644);
    await expect(readKeyFile(file)).rejects.toThrow(
      new LogKeyError(
        `other users can read the key file ${file} (mode 0644), and a user who has read it can sign as the log. If no other ` +
          'user has read it, run chmod 600; otherwise rotate the key.',
      ),
    );
  });

  test('must exist if it is set, and is not created then', async () => {
    await expect(readKeyFile(file)).rejects.toThrow(new LogKeyError(`the key file ${file} does not exist`));
    await expect(rotateKey(file)).rejects.toThrow(new LogKeyError(`the key file ${file} does not exist`));
    expect(await readdir(folder)).toEqual([]);
  });

  test('can have keys of another name than that of a new key, even one that no key can have', async () => {
    const { text } = await openKeyFile(file, NAME);
    expect((await openKeyFile(file, 'two words')).text).toBe(text);
  });

  test('is named in the error if its keys are damaged', async () => {
    await openKeyFile(file, NAME);
    await writeFile(file, 'damaged');
    await expect(readKeyFile(file)).rejects.toThrow(
      new LogKeyError(`the key file ${file}: key 1 is not an Ed25519 key of a signed note`),
    );
  });

  test('is named in the error if it cannot be created or read', async () => {
    await writeFile(join(folder, 'data'), 'a file where the folder should be');
    await expect(openKeyFile(file, NAME)).rejects.toThrow(LogKeyError);
    await expect(openKeyFile(file, NAME)).rejects.toMatchObject({
      message: expect.stringMatching(`^the key file ${file} cannot be read: ENOTDIR`),
      cause: expect.objectContaining({ code: 'ENOTDIR' }),
    });
    const unwritable = '/sys/ledger/log-key';
    await expect(openKeyFile(unwritable, NAME)).rejects.toThrow(LogKeyError);
    await expect(openKeyFile(unwritable, NAME)).rejects.toMatchObject({
      message: expect.stringMatching(`^the key file ${unwritable} cannot be created: E`),
      cause: expect.objectContaining({ syscall: 'mkdir' }),
    });
  });

  test('is replaced by a rotation and keeps its permissions', async () => {
    const { current: old } = await openKeyFile(file, NAME);
    const rotated = await rotateKey(file);
    expect(await readFile(file, 'utf8')).toBe(rotated.text);
    expect(lines(rotated)).toEqual([String(rotated.current), String(old)]);
    await expect(rotateKey(file)).rejects.toThrow('a rotation is in progress');
    const ids = rotated.verifiers.map(({ name, keyId }) => `${name}+${hexOf(keyId)}`);
    const unsigned = (by: string) =>
      new LogKeyError(
        `the checkpoint is not signed by ${by}. A verifier that knows only the old key could not verify the log any more, so ` +
          'nothing was changed. Restart the ledger with both keys, wait until it is ready, and try again.',
      );
    const [current, former] = rotated.signers.map((signer) => signNote('said\n', [signer]));
    await expect(retireOldKeys(file, current as string)).rejects.toThrow(unsigned(`${ids[1]}`));
    await expect(retireOldKeys(file, former as string)).rejects.toThrow(unsigned(`${ids[0]}`));
    await expect(retireOldKeys(file, 'nothing')).rejects.toThrow(unsigned(`${ids[0]} and ${ids[1]}`));
    const note = signNote('said\n', rotated.signers);
    await expect(retireOldKeys(file, note.replace('said', 'sAid'))).rejects.toThrow('not signed by');
    expect(await readFile(file, 'utf8')).toBe(rotated.text);
    const retired = await retireOldKeys(file, note);
    expect((await readKeyFile(file)).text).toBe(retired.text);
    expect(retired.text).toBe(`${retired.signers[0]?.secret}\n${old}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(retireOldKeys(file, note)).rejects.toThrow('there is no old key');
    expect(await readdir(join(folder, 'data'))).toEqual(['log-key']);
  });
});
