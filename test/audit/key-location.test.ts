import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultKeyFile, keysOf } from '../../src/audit/key-location.ts';
import { LogKeyError, LogKeys } from '../../src/audit/log-keys.ts';

const ORIGIN = 'ledger.example/log';

describe('the keys of a log', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledger-key-location-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('are those of the setting, even if a file is set too', async () => {
    const { text } = LogKeys.generate('ledger.example/given');
    const keys = await keysOf({ key: text, keyFile: join(folder, 'absent') }, folder)(ORIGIN);
    expect(keys.text).toBe(text);
    expect(existsSync(defaultKeyFile(folder))).toBe(false);
  });

  test('are those of the file that is set, which must exist', async () => {
    const keyFile = join(folder, 'given');
    const { text } = LogKeys.generate('ledger.example/given');
    await writeFile(keyFile, text, { mode: 0o600 });
    expect((await keysOf({ keyFile }, folder)(ORIGIN)).text).toBe(text);
    const absent = join(folder, 'absent');
    await expect(keysOf({ keyFile: absent }, folder)(ORIGIN)).rejects.toThrow(
      new LogKeyError(`the key file ${absent} does not exist`),
    );
    expect(existsSync(defaultKeyFile(folder))).toBe(false);
  });

  test('are created in the data folder if nothing is set, named after the origin', async () => {
    const keys = await keysOf({}, folder)(ORIGIN);
    expect(keys.current.name).toBe(ORIGIN);
    expect(defaultKeyFile(folder)).toBe(join(folder, 'log-key'));
    expect((await keysOf({}, folder)('ledger.example/other')).text).toBe(keys.text);
    expect((await keysOf({ keyFile: join(folder, 'log-key') }, folder)(ORIGIN)).text).toBe(keys.text);
  });

  test('are rejected if the setting is not a key, without repeating it', async () => {
    await expect(keysOf({ key: 'PRIVATE+KEY+damaged' }, folder)(ORIGIN)).rejects.toThrow(
      new LogKeyError('the key of the log: key 1 is not an Ed25519 key of a signed note'),
    );
    await expect(keysOf({ key: '' }, folder)(ORIGIN)).rejects.toThrow(
      new LogKeyError('the key of the log has no private key (PRIVATE+KEY+…)'),
    );
  });
});
