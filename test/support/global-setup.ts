import { GenericContainer, Wait } from 'testcontainers';
import type { TestProject } from 'vitest/node';
import { startDouble } from '../eventstoredb/double.ts';
import { hasEventStored, startSingleNode } from './eventstored.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of a running EventStoreDB; empty if there is none. */
    eventStoreDbUrl: string;
    /** Why there is no running EventStoreDB; empty if there is one. */
    noEventStoreDb: string;
    /** Connection string of the double of EventStoreDB that all suites of this run share. */
    doubleUrl: string;
    /** Whether the PATH has an `eventstored` binary to start nodes from. */
    hasEventStored: boolean;
    /** Number of times that test/fault/kill.test.ts kills the ledger: `KILLS`. */
    kills: number;
    /** Number of API servers that test/kubernetes/prober/prober.test.ts probes at once: `PROBES`. */
    probes: number;
    /** Whether test/deploy/image.test.ts builds the image a second time and compares: `IMAGE_TWICE`. */
    imageTwice: boolean;
  }
}

interface Server {
  readonly url: string;
  remove(): Promise<void>;
}

/**
 * Finds a real EventStoreDB for this run: `EVENTSTOREDB_URL`, an `eventstored` binary on the PATH, or a container. Without
 * any of them the suites run against the double alone, and the last lines of the run say so.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const hasBinary = hasEventStored();
  // biome-ignore lint/style/noProcessEnv: the one place where the tests read the environment.
  const { EVENTSTOREDB_URL: configuredUrl, KILLS: kills = '4', PROBES: probes = '300' } = process.env;
  // biome-ignore lint/style/noProcessEnv: as above.
  const { IMAGE_TWICE: imageTwice = '' } = process.env;
  const server = configuredUrl === undefined ? await startServer(hasBinary) : serverAt(configuredUrl);
  const double = await startDouble();
  project.provide('doubleUrl', double.url);
  project.provide('eventStoreDbUrl', 'url' in server ? server.url : '');
  project.provide(
    'noEventStoreDb',
    'url' in server ? '' : `no EventStoreDB in a container: ${server.reason}`,
  );
  project.provide('hasEventStored', hasBinary);
  project.provide('kills', Number(kills));
  project.provide('probes', Number(probes));
  project.provide('imageTwice', imageTwice === '1');
  return async () => {
    await double.close();
    if ('url' in server) await server.remove();
  };
}

const serverAt = (url: string): Server => ({ url, remove: async () => undefined });

const startServer = (hasBinary: boolean) => (hasBinary ? startSingleNode() : startContainer());

const IMAGE = 'eventstore/eventstore:23.10.0-bookworm-slim';
const PORT = 2113;
const START_MS = 300_000;

/** A node in a container. @returns the reason if there is no container engine or no image. */
async function startContainer(): Promise<Server | { readonly reason: string }> {
  try {
    const container = await new GenericContainer(IMAGE)
      .withEnvironment({
        EVENTSTORE_INSECURE: 'true',
        EVENTSTORE_RUN_PROJECTIONS: 'None',
        EVENTSTORE_TELEMETRY_OPTOUT: 'true',
      })
      .withExposedPorts(PORT)
      .withWaitStrategy(Wait.forHttp('/health/live', PORT).forStatusCode(204))
      .withStartupTimeout(START_MS)
      .start();
    const url = `esdb://${container.getHost()}:${container.getMappedPort(PORT)}?tls=false`;
    return { url, remove: async () => void (await container.stop()) };
  } catch (error) {
    return { reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}
