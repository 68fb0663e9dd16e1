import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type ProbeResult, Prober } from '../../../src/kubernetes/prober/prober.ts';
import type { ProbeTarget } from '../../../src/kubernetes/prober/prober-messages.ts';
import { ProberOptions } from '../../../src/kubernetes/settings/prober-options.ts';
import { eventually, until } from '../../support/until.ts';
import { Fleet } from '../probe/fleet.ts';
import { HANGING, UID } from '../probe/hostile-servers.ts';

const probes = inject('probes');
/** Long enough for a server that answers, however slow this machine is. */
const DEADLINE_MS = 60_000;
const LOCAL = { addresses: { allow: ['127.0.0.0/8'] } };
const FAST = { perHost: { perSecond: 10_000, burst: 10_000 } };
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start();
});
afterAll(() => fleet?.stop());

const ends: string[] = [];
function newProber(options: object = {}): Prober {
  const all = ProberOptions.parse({ ...LOCAL, ...FAST, deadlineMs: DEADLINE_MS, ...options });
  const log = { warn: (details: object) => void ends.push(JSON.stringify(details)) };
  return new Prober(all, { now: () => 7, log });
}

async function started(options: object = {}): Promise<Prober> {
  const prober = newProber(options);
  onTestFinished(() => prober.stop());
  await prober.start();
  return prober;
}

const target = (clusterId: string, behaviour: string): ProbeTarget => ({
  clusterId,
  kubeconfig: fleet.kubeconfig(behaviour),
});

function targets(count: number, behaviour: string): ProbeTarget[] {
  return Array.from({ length: count }, (_, i) => target(`${behaviour}-${i}`, behaviour));
}

async function resultsOf(results: AsyncIterable<ProbeResult>): Promise<ProbeResult[]> {
  return Array.fromAsync(results);
}

/** Returns the number of sockets of the process, as the system counts them. */
async function socketsOf(prober: Prober): Promise<number> {
  const folder = `/proc/${await prober.pid()}/fd`;
  const links = await Promise.all(
    (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => '')),
  );
  return links.filter((link) => link.startsWith('socket:')).length;
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

describe('a fleet of which three in ten are hostile', () => {
  test(`probing ${probes} of them gives each one verdict, the healthy ones alive; no socket is left, and memory stays flat`, {
    timeout: 300_000 + probes * 600,
  }, async () => {
    const concurrency = 100;
    // Long enough for a hundred handshakes at once on a slow machine. Some servers never answer.
    const prober = await started({ concurrency, deadlineMs: 30_000 });
    const hostile = fleet.behaviours.filter((name) => name !== 'healthy');
    const behaviour = (i: number) => (i % 10 < 3 ? (hostile[i % hostile.length] as string) : 'healthy');
    const all = Array.from({ length: probes }, (_, i) => target(`${behaviour(i)} ${i}`, behaviour(i)));
    const own = await socketsOf(prober);
    await resultsOf(prober.probe(targets(concurrency, 'healthy')));
    const results = await resultsOf(prober.probe(all));

    const ids = results.map(({ clusterId }) => clusterId);
    expect(ids.toSorted(), 'a target has no verdict or two').toEqual(
      all.map(({ clusterId }) => clusterId).toSorted(),
    );
    const wrong = results.filter(
      ({ clusterId, verdict }) => clusterId.startsWith('healthy ') && verdict.uid !== UID,
    );
    expect(wrong, 'a healthy server suffered from a hostile one').toEqual([]);
    const hanging = results.filter(({ clusterId }) => HANGING.includes(clusterId.split(' ')[0] as string));
    expect(new Set(hanging.map(({ verdict }) => verdict.code))).toEqual(new Set(['timeout']));
    await until(async () => (await socketsOf(prober)) <= own);
    const after = await prober.stats();
    expect(after).toMatchObject({ probes: 0, sockets: 0 });
    expect(after?.rssBytes).toBeLessThan(300 * 1_048_576);
  });
});

describe('a run', () => {
  test('takes no more targets than it needs while its results are not consumed', async () => {
    const prober = await started({ concurrency: 5 });
    let asked = 0;
    const counting = function* () {
      for (const each of targets(500, 'healthy')) {
        asked += 1;
        yield each;
      }
    };
    const run = prober.probe(counting());
    await run.next();
    await until(async () => (await prober.stats())?.probes === 0);
    expect(asked).toBeLessThanOrEqual(21);
    expect(await resultsOf(run)).toHaveLength(499);
  });

  test('ends at once when its signal fires, with its pending probes', async () => {
    const prober = await started({ deadlineMs: 60_000 });
    const abort = new AbortController();
    const run = resultsOf(prober.probe(targets(50, 'hang-on-request'), abort.signal));
    await until(async () => ((await prober.stats())?.sockets ?? 0) >= 50);
    abort.abort();
    expect(await run).toEqual([]);
    await until(async () => {
      const stats = await prober.stats();
      return stats?.probes === 0 && stats.sockets === 0;
    });
  });

  test('closes its targets and ends its pending probes if the consumer leaves early', async () => {
    const prober = await started({ deadlineMs: 60_000, concurrency: 10 });
    let isReturned = false;
    const given = async function* () {
      try {
        yield target('first', 'healthy');
        for (;;) yield target('x', 'hang-before-tls');
      } finally {
        isReturned = true;
      }
    };
    for await (const { clusterId } of prober.probe(given())) {
      expect(clusterId).toBe('first');
      break;
    }
    await until(async () => isReturned && (await prober.stats())?.probes === 0);
  });

  test('fails with the error of its targets', async () => {
    const prober = await started();
    const broken = async function* (): AsyncGenerator<ProbeTarget> {
      yield target('a', 'healthy');
      throw new Error('the list broke off');
    };
    await expect(resultsOf(prober.probe(broken()))).rejects.toThrow('the list broke off');
  });

  test('has its own results if two runs are active', async () => {
    const prober = await started();
    const [some, others] = await Promise.all([
      resultsOf(prober.probe(targets(20, 'healthy'))),
      resultsOf(prober.probe(targets(20, 'not-found'))),
    ]);
    expect(new Set(some?.map(({ verdict }) => verdict.code))).toEqual(new Set(['ok']));
    expect(new Set(others?.map(({ verdict }) => verdict.code))).toEqual(new Set(['not-kubernetes']));
  });

  test('limits the rate of one host without delaying others', async () => {
    const prober = await started({ concurrency: 4, perHost: { perSecond: 0.005, burst: 2 } });
    const mixed = [...targets(3, 'healthy'), target('other', 'forbidden')];
    const finished: string[] = [];
    // The third one of the host waits for minutes.
    for await (const { clusterId } of prober.probe(mixed)) if (finished.push(clusterId) === 3) break;
    expect(finished).toContain('other');
  });

  test('waits between two probes of one host', async () => {
    const prober = await started({ perHost: { perSecond: 1, burst: 1 } });
    const startedAt = performance.now();
    expect(await resultsOf(prober.probe(targets(3, 'healthy')))).toHaveLength(3);
    expect(performance.now() - startedAt).toBeGreaterThan(1_900);
  });
});

describe('the probing process', () => {
  test('is replaced when it is killed: pending probes say nothing, and no verdict is lost or repeated', async () => {
    const prober = await started({ concurrency: 20 });
    const pid = (await prober.pid()) as number;
    const all = [...targets(10, 'hang-on-request'), ...targets(300, 'healthy')];
    const results: ProbeResult[] = [];
    for await (const result of prober.probe(all)) {
      if (results.push(result) === 1) process.kill(pid, 'SIGKILL');
    }
    expect(results.map(({ clusterId }) => clusterId).toSorted()).toEqual(
      all.map(({ clusterId }) => clusterId).toSorted(),
    );
    const codes = Object.groupBy(results, ({ verdict }) => verdict.code);
    expect(codes['prober-failed']?.length).toBeGreaterThanOrEqual(10);
    expect(codes['prober-failed']?.every(({ verdict }) => verdict.state === 'unverifiable')).toBe(true);
    expect(codes['ok']?.length).toBeGreaterThan(150);
    expect(await prober.pid()).not.toBe(pid);
  });

  test('is replaced when it hangs, and the run continues', async () => {
    const prober = await started({ workerTimeoutMs: 5_000 });
    const pid = (await prober.pid()) as number;
    process.kill(pid, 'SIGSTOP');
    const results = await resultsOf(prober.probe(targets(10, 'healthy')));
    expect(results.map(({ verdict }) => verdict.code)).toEqual(new Array(10).fill('prober-failed'));
    expect(isGone(pid)).toBe(true);
    expect(ends.at(-1)).toContain('it stopped answering');
    await eventually(async () => {
      const [next] = await resultsOf(prober.probe(targets(1, 'healthy')));
      expect(next?.verdict.code).toBe('ok');
    });
  });

  test('fails every target soon if it cannot start', async () => {
    const all = ProberOptions.parse({ ...LOCAL, environment: { NODE_OPTIONS: '--no-such-option' } });
    const prober = new Prober(all, { now: () => 7, log: { warn: () => undefined } });
    onTestFinished(() => prober.stop());
    await expect(prober.start()).rejects.toThrow('the probing process ended');
    const results = await resultsOf(prober.probe(targets(1_000, 'healthy')));
    expect(results).toHaveLength(1_000);
    expect(new Set(results.map(({ verdict }) => `${verdict.state} ${verdict.code}`))).toEqual(
      new Set(['unverifiable prober-failed']),
    );
  });

  test('is gone once it is stopped, even during a run', async () => {
    const prober = await started();
    const pid = (await prober.pid()) as number;
    const run = resultsOf(prober.probe(targets(10, 'hang-on-request')));
    await until(async () => (await prober.stats())?.probes === 10);
    await prober.stop();
    expect(isGone(pid)).toBe(true);
    expect(new Set((await run).map(({ verdict }) => verdict.code))).toEqual(new Set(['prober-failed']));
    await expect(prober.start()).rejects.toThrow('the prober was stopped');
  });

  test('ends with the server, even if the server is killed', async () => {
    const program = join(import.meta.dirname, 'probing-process.ts');
    const server = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
    server.stdin.end('{}');
    const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    const { pid } = JSON.parse(line) as { pid: number };
    expect(isGone(pid)).toBe(false);
    server.kill('SIGKILL');
    await until(() => isGone(pid));
  });

  test('ignores signals, which are for the server', async () => {
    const prober = await started();
    const pid = (await prober.pid()) as number;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    const [result] = await resultsOf(prober.probe(targets(1, 'healthy')));
    expect(result?.verdict.code).toBe('ok');
    expect(await prober.pid()).toBe(pid);
  });

  test('has no environment, cannot start a process and reads only its code', async () => {
    const prober = await started();
    const pid = (await prober.pid()) as number;
    const environment = (await readFile(`/proc/${pid}/environ`, 'utf8'))
      .split('\0')
      .map((each) => each.split('=')[0]);
    expect(environment.filter((name) => name !== '')).toEqual([
      'NODE_CHANNEL_FD',
      'NODE_CHANNEL_SERIALIZATION_MODE',
    ]);
    const options = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    expect(options).toContain('--permission');
    expect(
      options.filter((option) => /^--(allow|inspect)/.test(option)).map((option) => option.split('=')[0]),
    ).toEqual(new Array(3).fill('--allow-fs-read'));
  });
});

describe('credentials', () => {
  let folder: string;
  let all: Map<string, ProbeResult['verdict']>;
  const references = ['good.yaml', 'absent.yaml', 'exec.yaml', 'passwd', '../x'].map((name) => `dir:${name}`);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubeconfigs-'));
    await writeFile(join(folder, 'good.yaml'), fleet.kubeconfig('healthy'));
    await writeFile(
      join(folder, 'exec.yaml'),
      fleet.kubeconfig('forbidden').replace('"token":"a-token"', '"exec":{"command":"id"}'),
    );
    await symlink('/etc/passwd', join(folder, 'passwd'));
    const prober = newProber({ credentials: { directory: folder } });
    const asked = [...references, 'dir/good.yaml', 'vault:x', 'nonsense', undefined];
    const results = await resultsOf(
      prober.probe(asked.map((connection) => ({ clusterId: String(connection), connection }))),
    );
    all = new Map(results.map(({ clusterId, verdict }) => [clusterId, verdict]));
    await prober.stop();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([
    ['dir:good.yaml', { state: 'alive', code: 'ok', uid: UID }],
    ['dir/good.yaml', { state: 'alive', code: 'ok' }],
    [
      undefined,
      {
        state: 'unverifiable',
        code: 'no-credential',
        detail: 'the registration of the cluster has no connection',
      },
    ],
    [
      'dir:absent.yaml',
      {
        state: 'unverifiable',
        code: 'no-credential',
        detail: 'the folder of kubeconfigs has no file with that name',
      },
    ],
    [
      'dir:exec.yaml',
      {
        state: 'alive',
        code: 'not-logged-in',
        detail: 'asked without logging in: users.user.exec is never run',
      },
    ],
    ['dir:passwd', { state: 'unverifiable', code: 'credential-refused' }],
    ['dir:../x', { state: 'unverifiable', code: 'credential-refused' }],
    ['vault:x', { state: 'unverifiable', code: 'source-unreadable' }],
    ['nonsense', { state: 'unverifiable', code: 'credential-refused' }],
  ])('finds credentials by reference: %s', (connection, verdict) => {
    expect(all.get(String(connection))).toMatchObject(verdict);
  });

  test('makes clusters unverifiable, not unreachable, if the folder of credentials cannot be read', async () => {
    const prober = await started({ credentials: { directory: join(folder, 'gone') } });
    const [result] = await resultsOf(prober.probe([{ clusterId: 'c', connection: 'dir:good.yaml' }]));
    expect(result?.verdict).toMatchObject({ state: 'unverifiable', code: 'source-unreadable' });
  });
});
