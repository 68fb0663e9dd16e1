import { spawnSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';
import { startDouble } from '../eventstoredb/double.ts';
import { freePorts, hasEventStored, startSingleNode } from './eventstored.ts';
import { until } from './until.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A running EventStoreDB for the suites that run on one; empty where there is none. */
    eventStoreDbUrl: string;
    /** The double of EventStoreDB that all suites of this run share. */
    doubleUrl: string;
    /** Whether an `eventstored` binary is there to start nodes from. */
    hasEventStored: boolean;
    /** How often test/fault/kill.test.ts kills the ledger: `KILLS`, by default few. */
    kills: number;
    /** How many API servers test/kubernetes/prober/prober.test.ts probes at once: `PROBES`, by default few. */
    probes: number;
  }
}

/**
 * Finds a real EventStoreDB for this run: `EVENTSTOREDB_URL`, an `eventstored` binary on the PATH, or a container where
 * Docker answers. Without any, the suites run against the double alone, and the closing lines of the run say so.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const hasBinary = hasEventStored();
  // biome-ignore lint/style/noProcessEnv: the one place where the tests read the environment.
  const { EVENTSTOREDB_URL: given, KILLS: kills = '10', PROBES: probes = '300' } = process.env;
  const server = given === undefined ? await (hasBinary ? startSingleNode() : startContainer()) : undefined;
  const double = await startDouble();
  project.provide('doubleUrl', double.url);
  project.provide('eventStoreDbUrl', given ?? server?.url ?? '');
  project.provide('hasEventStored', hasBinary);
  project.provide('kills', Number(kills));
  project.provide('probes', Number(probes));
  return async () => {
    await double.close();
    await server?.remove();
  };
}

const IMAGE = 'eventstore/eventstore:23.10.0-bookworm-slim';

/** A node in a container, where Docker answers. */
async function startContainer(): Promise<{ url: string; remove(): Promise<void> } | undefined> {
  if (spawnSync('docker', ['version'], { stdio: 'ignore' }).status !== 0) return undefined;
  const [port] = (await freePorts(1)) as [number];
  const options = ['--rm', '--detach', '--publish', `127.0.0.1:${port}:2113`];
  const settings = ['EVENTSTORE_INSECURE=true', 'EVENTSTORE_RUN_PROJECTIONS=None'].flatMap((set) => [
    '--env',
    set,
  ]);
  const started = spawnSync('docker', ['run', ...options, ...settings, IMAGE], { encoding: 'utf8' });
  if (started.status !== 0) return undefined;
  const container = started.stdout.trim();
  await until(
    async () => (await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => undefined))?.status === 204,
  );
  const remove = async () => void spawnSync('docker', ['stop', container], { stdio: 'ignore' });
  return { url: `esdb://127.0.0.1:${port}?tls=false`, remove };
}
