import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePorts } from './support/eventstored.ts';
import { until } from './support/until.ts';

const root = join(import.meta.dirname, '..');

/** Starts a script of package.json as the leader of its own process group. */
function startScript(args: readonly string[], settings: readonly string[]) {
  const npm = spawn('env', [...settings, 'npm', ...args], { cwd: root, detached: true, stdio: 'pipe' });
  const group = -(npm.pid as number);
  let output = '';
  for (const stream of [npm.stdout, npm.stderr])
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  const isAlive = () => {
    try {
      return process.kill(group, 0);
    } catch {
      return false;
    }
  };
  onTestFinished(() => void (isAlive() && process.kill(group, 'SIGKILL')));
  return { npm, isAlive, output: () => output };
}

describe.each(['start', 'run demo'])('SIGTERM to npm %s', (script) => {
  test('leaves no process behind and frees the port of the ledger', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ledger-npm-'));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    const [port] = (await freePorts(1)) as [number];
    const running = startScript(script.split(' '), [
      `LEDGER_DATA_DIR=${dataDir}`,
      `LEDGER_HTTP_PORT=${port}`,
    ]);
    await until(async () => {
      if (!running.isAlive()) throw new Error(`npm ended: ${running.output()}`);
      return (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status === 200;
    });
    const exited = once(running.npm, 'exit');
    running.npm.kill('SIGTERM');
    await exited;
    await until(() => !running.isAlive());
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  });
});

test('npm start on a Node.js that is too old names the required version and exits with 1', () => {
  // The Node.js of the machine, if there is one, instead of the one among the packages.
  const old = spawnSync('/usr/bin/node', ['bin/start.js', 'src/main.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: { LEDGER_HTTP_PORT: 'none' },
  });
  if (old.status !== 1) return;
  expect(old.stderr).toMatch(/^cluster-ledger needs Node\.js 24\.\S+ or later; this is .*\n$/);
});
