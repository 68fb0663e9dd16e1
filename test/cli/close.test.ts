import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { fillLedger } from '../support/filled-ledger.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { finished, PROGRAM, run, words } from './program.ts';

const stateOf = async (ledger: TestLedger) => (await ledger.get('/v1/periods/2026-02')).body.state;
const url = (ledger: TestLedger) => `http://127.0.0.1:${ledger.port}`;

describe('closing a period', () => {
  test('needs --yes if stdin is not a terminal', async () => {
    const ledger = await ledgerForTest();
    await fillLedger(ledger);
    const line = ['period', 'close', '2026-02', '--url', url(ledger)];
    expect((await run(line)).code).toBe(2);
    expect(await stateOf(ledger)).toBe('due');
    const closed = await run([...line, '--yes']);
    expect(closed).toMatchObject({ code: 0, stderr: '' });
    expect(closed.stdout).toMatch(/^closed +2026-02\nclosed at +2026-04-15T12:00:00\.000Z\n/);
    expect(await stateOf(ledger)).toBe('closed');
    const again = await run([...line, '-y', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'closed', period: '2026-02' });
  });

  test('fails out of order and names the next period', async () => {
    const ledger = await ledgerForTest();
    await fillLedger(ledger);
    const { code, stderr } = await run(words(`period close 2026-03 --yes --url ${url(ledger)}`));
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: Another period must be closed first\n {2}\/path\/period: .* the next is 2026-02/,
    );
  });
});

/** Runs the program on a pseudo-terminal and types text into it. */
function onTerminal(args: readonly string[], typed: string, env: Record<string, string> = {}) {
  const command = [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { PATH: '/usr/bin:/bin', TERM: 'xterm', XDG_CONFIG_HOME: '/nonexistent', ...env },
    stdio: 'pipe',
  });
  return finished(child, typed);
}

const hasTerminals = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasTerminals)('on a terminal,', () => {
  test('closing a period asks for confirmation, and goes on only after "y"', async () => {
    const ledger = await ledgerForTest();
    await fillLedger(ledger);
    const line = ['period', 'close', '2026-02', '--url', url(ledger)];
    const [no, nothing] = await Promise.all([onTerminal(line, 'n\n'), onTerminal(line, '\n')]);
    expect(no.stdout).toContain('Close 2026-02 at http://127.0.0.1');
    expect(no.stdout).toContain(
      'permanently: 2 statements, in total 2 clusters and 4665600.000 cluster seconds?',
    );
    for (const { code, stdout } of [no, nothing]) {
      expect(code).toBe(1);
      expect(stdout).toContain('canceled; nothing was changed');
    }
    expect(await stateOf(ledger)).toBe('due');
    expect((await onTerminal(line, 'y\n')).code).toBe(0);
    expect(await stateOf(ledger)).toBe('closed');
  });

  test('billing begin asks with the window, the accounts and the cluster seconds that it leaves out', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', '2026-02-01T00:00:00Z', 'acme'));
    const line = ['billing', 'begin', '2026-03', '--reason', 'moved', '--url', url(ledger)];
    const no = await onTerminal(line, 'n\n');
    expect(no.stdout).toContain(
      'never charge for 2419200.000 cluster seconds of 1 account from 2026-02-01T00:00:00.000Z to 2026-03-01T00:00:00.000Z?',
    );
    expect(no).toMatchObject({ code: 1 });
    expect((await ledger.get('/v1/billing/beginning')).status).toBe(404);
  });

  test('clusters transfer asks with the credit and the charge, and transfers nothing after "n"', async () => {
    const ledger = await ledgerForTest();
    await ledger.record(registered('c1', '2026-02-01T00:00:00Z', 'acme'));
    const line = words(`clusters transfer c1 --to globex --at 2026-03-01T00:00:00Z --url ${url(ledger)}`);
    const no = await onTerminal(line, 'n\n');
    expect(no.stdout).toContain('Cluster c1 would belong to globex from 2026-03-01T00:00:00.000Z.');
    expect(no.stdout).toContain('acme 2026-03: -2678400.000 cluster seconds');
    expect(no.stdout).toContain('globex 2026-03: +2678400.000 cluster seconds');
    expect(no).toMatchObject({ code: 1 });
    expect((await ledger.get('/v1/clusters/c1')).body.accountId).toBe('acme');
  });

  test('table titles are bold unless NO_COLOR is set', async () => {
    const ledger = await ledgerForTest();
    await fillLedger(ledger);
    const line = ['period', 'list', '--url', url(ledger)];
    const [plain, colored, piped] = await Promise.all([
      onTerminal(line, '', { NO_COLOR: '1' }),
      onTerminal(line, ''),
      run(line),
    ]);
    expect(colored.stdout).toContain('\u001b[1mPERIOD');
    expect(plain.stdout).not.toContain('\u001b[');
    expect(piped.stdout).not.toContain('\u001b[');
    expect(plain.stdout.replaceAll('\r', '')).toBe(piped.stdout);
  });
});
