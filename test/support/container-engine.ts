import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
} from 'testcontainers';
import { onTestFinished } from 'vitest';
import { messageOf } from '../../src/util/message-of.ts';

export const EVENTSTOREDB_IMAGE = 'eventstore/eventstore:23.10.0-bookworm-slim';
const BASE_IMAGE = 'docker.io/library/node:24-bookworm-slim';
/** The image that every test of containers uses: the engine builds it once, and finds it in its cache afterwards. */
export const LEDGER_IMAGE = 'cluster-ledger:test';
const ROOT = join(import.meta.dirname, '../..');

/**
 * Finds the container engine (`DOCKER_HOST`, or the default socket) that has the base image of the ledger.
 * @returns the reason if there is none.
 */
export async function findEngine(): Promise<ContainerRuntimeClient | { readonly missing: string }> {
  try {
    const engine = await getContainerRuntimeClient();
    const missing = await missingImage(engine, BASE_IMAGE);
    return missing === undefined ? engine : { missing };
  } catch (error) {
    return { missing: `no container engine answers (${messageOf(error).split('\n')[0]})` };
  }
}

/** Returns the reason why an image cannot be used; `undefined` if the engine has the image or could pull it. */
export async function missingImage(
  { image }: ContainerRuntimeClient,
  name: string,
): Promise<string | undefined> {
  try {
    const parsed = ImageName.fromString(name);
    if (await image.exists(parsed)) return undefined;
    await image.pull(parsed);
    // Some engines report a failed pull in their answer only.
    return (await image.exists(parsed)) ? undefined : `the container engine cannot pull the image ${name}`;
  } catch (error) {
    return `the container engine has no image ${name} (${messageOf(error).split('\n')[0]})`;
  }
}

/** Time to build the image: without what earlier builds have kept, on a busy machine, the installation of its packages takes minutes. */
export const BUILD_MS = 1_200_000;

/** Builds the image of the ledger from this checkout. @throws Error if it cannot be built. */
export async function buildLedgerImage(name = LEDGER_IMAGE, { cache = true } = {}): Promise<void> {
  await GenericContainer.fromDockerfile(ROOT).withCache(cache).build(name, { deleteOnExit: false });
}

/** A container of the ledger that cannot write to its image and has no capability. */
export class LockedContainer extends GenericContainer {
  constructor(image = LEDGER_IMAGE) {
    super(image);
    this.hostConfig.ReadonlyRootfs = true;
    this.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges');
  }
}

/** Time in which a container must answer: enough for a machine that is busy with other tests. */
const STARTUP_MS = 200_000;

/**
 * Starts a container, and removes it after the test. A container that says that it is ready, and cannot be reached, is started again:
 * an engine may lose the way to a published port while other networks come and go.
 * @throws Error with what the container has printed, if it does not get ready
 */
export async function startForTest(container: GenericContainer): Promise<StartedTestContainer> {
  const printed: string[] = [];
  container
    .withStartupTimeout(STARTUP_MS)
    .withLogConsumer((output) => output.on('data', (line) => printed.push(String(line))));
  const start = () =>
    container.start().catch((error: unknown) => {
      throw new Error(`${messageOf(error)}; it has printed:\n${printed.join('')}`, { cause: error });
    });
  const started = await start().catch((error: unknown) => {
    if (!printed.some((line) => line.includes('"msg":"ledger ready"'))) throw error;
    printed.length = 0;
    return start();
  });
  onTestFinished(() => started.stop({ timeout: 0 }).then(() => undefined));
  return started;
}

/** A container that has ended. */
export interface EndedContainer {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a container to its end. @param options as the API of the engine has them. */
export async function runToEnd(
  { container: { dockerode } }: ContainerRuntimeClient,
  options: Parameters<ContainerRuntimeClient['container']['create']>[0],
): Promise<EndedContainer> {
  const container = await dockerode.createContainer({ ...options, Tty: true });
  try {
    await container.start();
    const { StatusCode: exitCode } = await container.wait();
    const logs = await container.logs({ stdout: true, stderr: true });
    return { exitCode, output: logs.toString('utf8').replaceAll('\r\n', '\n') };
  } finally {
    await container.remove({ force: true, v: true });
  }
}

/** Returns what a started container has written so far. */
export async function outputOf(
  { container }: ContainerRuntimeClient,
  started: StartedTestContainer,
): Promise<string> {
  return text(await container.logs(container.getById(started.getId()), { follow: false }));
}

/** A folder for a volume, removed after the test. */
export async function volumeForTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-volume-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
