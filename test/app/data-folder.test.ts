import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { compose } from '../../src/app/compose.ts';
import { readConfig } from '../../src/config/config.ts';

test.each([
  [0o755, 'every user of this machine can look into the folder of the ledger'],
  [0o777, 'every user of this machine can remove and replace files in the folder of the ledger'],
  [0o750, undefined],
  [0o1777, undefined],
])('a start on a folder of mode %o logs the warning: %s', async (mode, message) => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-open-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, mode);
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const ledger = await compose(readConfig({ LEDGER_DATA_DIR: folder }), {
    log,
    now: Date.now,
    onFailed: (error) => {
      throw error;
    },
  });
  await ledger.close();
  const warned = lines.filter((line) => line['folder'] === folder);
  expect(warned.map(({ msg }) => msg)).toEqual(message === undefined ? [] : [message]);
  if (message !== undefined)
    expect(warned[0]).toMatchObject({ mode: mode.toString(8).padStart(4, '0'), do: `chmod 700 ${folder}` });
});
