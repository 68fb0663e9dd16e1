/**
 * Runs a harness that tries to break the ledger, by its name: `npm run torture -- damage --seed N --count N`. Exits with 1 if the
 * harness found something.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DamageReport } from './damage.ts';
import type { FuzzReport } from './fuzz/fuzz.ts';
import { inShares } from './shares.ts';
import type { Shim } from './shim/shim.ts';

/** Runs a harness with the arguments after its name, and returns the exit code. */
type Harness = (args: readonly string[]) => Promise<number>;

const HARNESSES: Readonly<Record<string, Harness>> = {
  api: async (args) => (await import('./api/main.ts')).torture(args, process.stdout),
  simulate: async (args) => (await import('./simulate/main.ts')).simulate(args, process.stdout),
  kill: async (args) => {
    const { kill } = await import('./kill.ts');
    const { kills, backups, restores, promises, delivered, findings } = await kill({
      ...budgetOf(args),
      progress: ({ kills: done }) => process.stderr.write(`${done} kills\n`),
    });
    const { facts, closings, checkpoints } = promises;
    process.stdout.write(
      `${kills} kills, ${backups} of them in a backup, and ${restores} of a restore: ${facts.length} acknowledged facts, ${closings.size} closings, ${checkpoints.length} checkpoints, ${delivered} clusters whose facts arrived as webhooks; ${findings.length} findings\n`,
    );
    for (const text of findings) process.stdout.write(`  ${text}\n`);
    return findings.length === 0 ? 0 : 1;
  },
  fuzz: async (args) => {
    const { seed, count } = budgetOf(args, 100_000);
    const reports = await inShares<FuzzReport>(new URL('./fuzz/fuzz.ts', import.meta.url), 'fuzz', {
      seed,
      count,
    });
    const inputs = reports.reduce((all, report) => all + report.inputs, 0);
    const findings = reports.flatMap((report) => report.findings);
    const taken = new Map<string, number>();
    for (const [name, number] of reports.flatMap((report) => [...report.taken]))
      taken.set(name, (taken.get(name) ?? 0) + number);
    const not = Array.from(taken, ([name, number]) => `${name} ${number}`).join(', ');
    process.stdout.write(`${inputs} inputs, ${findings.length} findings; not refused: ${not}\n`);
    for (const text of findings) process.stdout.write(`  ${text}\n`);
    return findings.length === 0 ? 0 : 1;
  },
  probes: async (args) => {
    const { count } = budgetOf(args, 5_000);
    const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
    const tests = ['run', 'test/kubernetes/prober/prober.test.ts', '-t', 'gives each one verdict'];
    // biome-ignore lint/style/noProcessEnv: the test takes its number from there, beside the rest of the environment.
    const env = { ...process.env, PROBES: String(count) };
    return spawnSync(process.execPath, [vitest, ...tests], { stdio: 'inherit', env }).status ?? 1;
  },
  overload: async (args) => {
    const { overload } = await import('./overload.ts');
    const { count } = budgetOf(args, 120);
    const { findings, ...report } = await overload({ connections: 500, slow: 2_000, seconds: count });
    const { capacity, overload: loaded } = report;
    if (loaded.p99 > 3 * capacity.p99)
      findings.push(`the 99th percentile rose from ${capacity.p99} to ${loaded.p99} ms`);
    process.stdout.write(`${JSON.stringify({ ...report, findings }, null, 2)}\n`);
    return findings.length === 0 ? 0 : 1;
  },
  restarts: async (args) => {
    const { restarts } = await import('./restarts.ts');
    const {
      restarts: done,
      acknowledged,
      findings,
    } = await restarts(budgetOf(args, 20).count, (report) =>
      process.stderr.write(`${report.restarts} restarts\n`),
    );
    process.stdout.write(
      `${done} rolling restarts, ${acknowledged} facts acknowledged; ${findings.length} findings\n`,
    );
    for (const text of findings) process.stdout.write(`  ${text}\n`);
    return findings.length === 0 ? 0 : 1;
  },
  faults: async (args) => {
    const { faults } = await import('./faults.ts');
    const { cases, stopped, wentOn, refused, findings } = await faults(await shimOrExit(), {
      ...budgetOf(args),
      progress: ({ cases: done }) => process.stderr.write(`${done} faults\n`),
    });
    process.stdout.write(
      `${cases} faults of the disk: ${stopped} stopped the ledger, ${wentOn} did not, ${refused} kept it from starting, with a reason; ${findings.length} findings\n`,
    );
    for (const text of findings) process.stdout.write(`  ${text}\n`);
    return findings.length === 0 ? 0 : 1;
  },
  'lost-writes': async (args) => {
    const { lostWrites } = await import('./lost-writes.ts');
    const { images, calls, findings } = await lostWrites(await shimOrExit(), {
      ...budgetOf(args),
      progress: ({ images: done }) => process.stderr.write(`${done} power failures\n`),
    });
    process.stdout.write(
      `${images} power failures among ${calls} recorded calls; ${findings.length} findings\n`,
    );
    for (const text of findings) process.stdout.write(`  ${text}\n`);
    return findings.length === 0 ? 0 : 1;
  },
  crashpoints: async (args) => {
    const { crashpoints } = await import('./crashpoints.ts');
    const { points, findings } = await crashpoints(await shimOrExit(), {
      ...budgetOf(args, 1_000_000),
      progress: ({ points: done }) => process.stderr.write(`${[...done.keys()].at(-1)}\n`),
    });
    for (const [name, { tried, all }] of points)
      process.stdout.write(`${name}: ended at ${tried} of ${all} calls that change a file\n`);
    process.stdout.write(`${findings.length} findings\n`);
    for (const text of findings) process.stdout.write(`  ${text}\n`);
    return findings.length === 0 ? 0 : 1;
  },
  damage: async (args) => {
    const { seed, count } = budgetOf(args);
    const reports = await inShares<DamageReport>(new URL('./damage.ts', import.meta.url), 'damage', {
      seed,
      count,
    });
    const sum = (name: 'cases' | 'complete' | 'told' | 'refused') =>
      reports.reduce((all, report) => all + report[name], 0);
    const silent = reports.flatMap((report) => report.silent);
    process.stdout.write(
      `${sum('cases')} damaged starts: ${sum('complete')} with every acknowledged fact, ${sum('told')} read-only with a reason, ${sum('refused')} refused with a reason, ${silent.length} silent\n`,
    );
    for (const text of silent) process.stdout.write(`  ${text}\n`);
    return silent.length === 0 ? 0 : 1;
  },
  replicas: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        url: { type: 'string' },
        count: { type: 'string', default: '10' },
        seconds: { type: 'string', default: '60' },
      },
    });
    const { tortureReplicas } = await import('./replicas.ts');
    const server =
      values.url === undefined
        ? await (await import('../support/eventstored.ts')).startSingleNode()
        : undefined;
    const count = Number(values.count);
    const report = await tortureReplicas({
      connection: values.url ?? (server?.url as string),
      count,
      seconds: Number(values.seconds),
      progress: (kills, facts) => process.stderr.write(`${kills} of ${count} kills, ${facts} facts\n`),
    }).finally(() => server?.remove());
    const { kills, facts, runs, ticks, closings, delivered, longestPauseMs, findings } = report;
    process.stdout.write(
      `${kills} kills and ${kills} upgrades of three replicas: ${facts} facts, ${runs} runs of the validator at ${ticks} ticks, ${closings} closings, ${delivered} deliveries, at most ${(longestPauseMs / 1_000).toFixed(1)} s without one; ${findings.length} findings\n`,
    );
    for (const text of findings) process.stdout.write(`  ${text}\n`);
    return findings.length === 0 ? 0 : 1;
  },
  deliveries: async (args) => {
    const { tortureDeliveries } = await import('./deliveries.ts');
    const { startSingleNode } = await import('../support/eventstored.ts');
    const server = await startSingleNode();
    const report = await tortureDeliveries({
      server,
      count: budgetOf(args, 10).count,
      progress: (text) => process.stderr.write(`${text}\n`),
    }).finally(() => server.remove());
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return report.findings.length === 0 ? 0 : 1;
  },
  servers: async (args) => {
    const { tortureServer, serverFaults } = await import('./server-faults.ts');
    const { values } = parseArgs({
      args: [...args],
      options: { count: { type: 'string', default: '3' }, fault: { type: 'string', multiple: true } },
    });
    const faults = serverFaults(await shimOrExit());
    let found = 0;
    for (const name of values.fault ?? Object.keys(faults)) {
      const start = faults[name];
      if (start === undefined)
        throw new Error(`there is no fault ${name}: ${Object.keys(faults).join(', ')}`);
      const { findings, ...counts } = await tortureServer({
        name,
        server: await start(),
        count: Number(values.count),
      });
      process.stdout.write(`${JSON.stringify(counts)}; ${findings.length} findings\n`);
      for (const text of findings) process.stdout.write(`  ${text}\n`);
      found += findings.length;
    }
    return found === 0 ? 0 : 1;
  },
  reads: async (args) => {
    const { INTERRUPTED_SERVERS, tortureReads } = await import('./reads.ts');
    const { values } = parseArgs({
      args: [...args],
      options: {
        count: { type: 'string', default: '500' },
        on: { type: 'string', multiple: true, default: ['node', 'cluster'] },
      },
    });
    const progress = (text: string) => process.stderr.write(`${text}\n`);
    let found = 0;
    for (const name of values.on) {
      const start = INTERRUPTED_SERVERS[name];
      if (start === undefined)
        throw new Error(`there is no server ${name}: ${Object.keys(INTERRUPTED_SERVERS).join(', ')}`);
      const count = Number(values.count);
      const { findings, ...report } = await tortureReads(name, await start(), { count, progress });
      process.stdout.write(`${name}: ${JSON.stringify(report, null, 2)}; ${findings.length} findings\n`);
      for (const text of findings) process.stdout.write(`  ${text}\n`);
      found += findings.length;
    }
    return found === 0 ? 0 : 1;
  },
  'returned-faults': async (args) => {
    const { returnedFaults } = await import('./returned-faults.ts');
    const { RETURNED_FAULTS } = await import('./returned-faults-table.ts');
    const { values } = parseArgs({ args: [...args], options: { fault: { type: 'string', default: '' } } });
    const faults = RETURNED_FAULTS.filter(({ test }) => test.includes(values.fault));
    const report = await returnedFaults((text) => process.stderr.write(`${text}\n`), faults);
    process.stdout.write(
      `${report.faults} faults put back: ${report.noticed} noticed by their test; ${report.findings.length} findings\n`,
    );
    for (const text of report.findings) process.stdout.write(`  ${text}\n`);
    return report.findings.length === 0 ? 0 : 1;
  },
  idle: async (args) => {
    const { idleBeside } = await import('./idle-beside.ts');
    const report = await idleBeside(budgetOf(args, 2_000_000).count, (text) =>
      process.stderr.write(`${text}\n`),
    );
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return report.findings.length === 0 ? 0 : 1;
  },
  active: async (args) => {
    const { activeClusters } = await import('./active-clusters.ts');
    const { count } = budgetOf(args, 40_000);
    const report = await activeClusters([count / 4, count / 2, count], (round) =>
      process.stderr.write(`${JSON.stringify(round)}\n`),
    );
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return report.findings.length === 0 ? 0 : 1;
  },
  backlog: async (args) => {
    const { tortureBacklog } = await import('./backlog.ts');
    const { facts, held, outstanding, findings } = await tortureBacklog(budgetOf(args, 1_000_000).count);
    const figures = Object.entries(held).map(
      ([when, bytes]) => `${(bytes / 1_048_576).toFixed(1)} MiB while it ${when}`,
    );
    process.stdout.write(
      `a receiver ${facts} facts behind: the group holds ${figures.join(', ')}; at most ${outstanding} messages outstanding; ${findings.length} findings\n`,
    );
    for (const text of findings) process.stdout.write(`  ${text}\n`);
    return findings.length === 0 ? 0 : 1;
  },
  live: async (args) => {
    const { liveClients } = await import('./live-clients.ts');
    const report = await liveClients(budgetOf(args, 1_000).count, 20);
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return report.findings.length === 0 ? 0 : 1;
  },
  outbox: async (args) => {
    const { tortureOutbox } = await import('./outbox/torture-outbox.ts');
    const { seed, count } = budgetOf(args, 100);
    const report = await tortureOutbox({
      seed,
      count,
      progress: (kills) => process.stderr.write(`killed ${kills} of ${count} times\n`),
    });
    const { kills, ledgerRestarts, cuts, taken, rejected, findings } = report;
    process.stdout.write(
      `seed ${seed}: apps killed ${kills} times, the ledger restarted ${ledgerRestarts} times, ${cuts} connections cut: ${taken} facts taken, ${rejected} of them rejected as expected, ${findings.length} findings\n`,
    );
    for (const text of findings) process.stdout.write(`  ${text}\n`);
    return findings.length === 0 ? 0 : 1;
  },
};

/** Compiles the shim. Exits if this machine cannot. */
async function shimOrExit(): Promise<Shim> {
  const shim = (await import('./shim/shim.ts')).Shim.compile();
  if (shim !== undefined) return shim;
  process.stderr.write('this harness needs a C compiler (cc) and glibc\n');
  process.exit(2);
}

function budgetOf(args: readonly string[], standardCount = 200): { seed: number; count: number } {
  const options = {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: String(standardCount) },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  return { seed: Number(values.seed), count: Number(values.count) };
}

const [name = '', ...args] = process.argv.slice(2);
const harness = HARNESSES[name];
if (harness === undefined) {
  process.stderr.write(
    `usage: npm run torture -- <${Object.keys(HARNESSES).join('|')}> [--seed N] [--count N]\n`,
  );
  process.exit(2);
}
process.exit(await harness(args));
