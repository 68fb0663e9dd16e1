import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { kubeconfig } from './kubernetes/probe/fleet.ts';
import { inBatchMode, type Message, registered } from './support/cloud-events.ts';
import { freePorts } from './support/eventstored.ts';
import { LedgerProcess } from './support/ledger-process.ts';
import { until } from './support/until.ts';

const root = join(import.meta.dirname, '..');
const BATCH = 1_000;
/** From this number of events on, a thread hashes the log at a start. */
const LONG_LOG = 20_000;

/** A copy of the program, so that its sources can be changed. */
let copy: string;
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'ledger-bundle-'));
  for (const file of ['package.json', 'package-lock.json', 'bin', 'src', 'packages/client/src'])
    await cp(join(root, file), join(copy, file), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  await mkdir(join(copy, 'dist/console'), { recursive: true });
  await writeFile(join(copy, 'dist/console/index.html'), '<!doctype html>');
});
afterAll(() => rm(copy, { recursive: true, force: true }));

const bundles = () => readdir(join(copy, 'dist/program'));

/** Returns the bundle that a process runs from; `undefined` if it runs the sources. */
async function bundleOf({ pid }: LedgerProcess): Promise<string | undefined> {
  for (const bundle of await bundles())
    if ((await readdir(join(copy, 'dist/program', bundle))).includes(`used-by-${pid}`)) return bundle;
  return undefined;
}

/** A ledger that is started as by `npm start`, with a folder of its own and a source of credentials. */
async function ledgerOfCopy(): Promise<LedgerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-bundled-'));
  const credentials = join(folder, 'kubeconfigs');
  await mkdir(credentials);
  const [port] = (await freePorts(1)) as [number];
  await writeFile(
    join(credentials, 'gone'),
    kubeconfig({ server: `https://127.0.0.1:${port}` }, { token: 't' }),
  );
  const ledger = new LedgerProcess(
    {
      LEDGER_DATA_DIR: join(folder, 'data'),
      LEDGER_VALIDATOR_SCHEDULE: 'off',
      LEDGER_VALIDATOR_CREDENTIALS: JSON.stringify({ directory: credentials }),
      LEDGER_VALIDATOR_PROBE: JSON.stringify({ addresses: { allow: ['127.0.0.0/8'] } }),
    },
    undefined,
    [join(copy, 'bin/start.js'), 'src/main.ts'],
  );
  onTestFinished(async () => {
    await ledger.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  return ledger;
}

async function post(ledger: LedgerProcess, path: string, { headers, body }: Partial<Message> = {}) {
  const answer = await ledger.fetch(path, { method: 'POST', headers: headers ?? {}, body: body ?? null });
  const text = await answer.text();
  expect(answer.status, text).toBeLessThan(300);
  return text;
}

interface Validation {
  readonly state: string;
  readonly result: { readonly counts: Readonly<Record<string, number>> };
  readonly raised: readonly { readonly kind: string }[];
}

/** Runs the validator, whose probing process reads the credentials. */
async function validate(ledger: LedgerProcess) {
  const { id } = JSON.parse(await post(ledger, '/v1/validations')) as { id: string };
  const read = () => ledger.getJson(`/v1/validations/${id}`) as Promise<Validation>;
  await until(async () => (await read()).state === 'completed');
  return read();
}

describe('A ledger that was started from its bundle', () => {
  test('serves the documentation, writes facts, probes, and hashes a long log when it starts again', async () => {
    const ledger = await ledgerOfCopy();
    await ledger.start();
    expect(await bundleOf(ledger)).toMatch(/^[0-9a-f]{16}$/);
    const styles = await ledger.fetch('/docs/static/swagger-ui.css');
    expect(styles.headers.get('content-type')).toBe('text/css; charset=utf-8');
    const at = new Date().toISOString();
    await post(
      ledger,
      '/v1/events',
      inBatchMode([registered('gone', at, 'acme', { connection: 'dir:gone' })]),
    );
    expect((await validate(ledger)).result.counts).toMatchObject({ unreachable: 1, unverifiable: 0 });
    for (let from = 0; from < LONG_LOG; from += BATCH) {
      const facts = Array.from({ length: BATCH }, (_, i) => registered(`c${from + i}`, at));
      await post(ledger, '/v1/events', inBatchMode(facts));
    }
    const signed = await post(ledger, '/log/checkpoint');
    await ledger.stop();
    await ledger.start();
    expect(await ledger.fetch('/log/checkpoint').then((answer) => answer.text())).toBe(signed);
  });

  test('goes on from it while a bundle of changed sources is built, which removes it once no process uses it', async () => {
    const [first, second] = [await ledgerOfCopy(), await ledgerOfCopy()];
    await first.start();
    const former = await bundleOf(first);
    await appendFile(join(copy, 'src/main.ts'), '\n// Changed.\n');
    await second.start();
    const current = await bundleOf(second);
    expect(current).not.toBe(former);
    expect(await bundles()).toEqual(expect.arrayContaining([former, current]));
    // Only now its probing process is started.
    expect((await validate(first)).raised).toMatchObject([{ kind: 'running-but-unregistered' }]);
    await first.stop();
    await second.stop();
    await writeFile(join(copy, 'src/added.ts'), '');
    await promisify(execFile)(process.execPath, [join(copy, 'bin/build-program.js')]);
    const [left, ...others] = await bundles();
    expect([former, current]).not.toContain(left);
    expect(others).toEqual([]);
  });
});
