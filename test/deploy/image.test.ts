import { spawnSync } from 'node:child_process';
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { chmod, chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageName, Network, Wait } from 'testcontainers';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { LogKeys } from '../../src/audit/log-keys.ts';
import { registered } from '../support/cloud-events.ts';
import {
  BUILD_MS,
  buildLedgerImage,
  EVENTSTOREDB_IMAGE,
  findEngine,
  LEDGER_IMAGE,
  LockedContainer,
  missingImage,
  outputOf,
  runToEnd,
  startForTest,
  volumeForTest,
} from '../support/container-engine.ts';
import { freePorts } from '../support/eventstored.ts';
import { isInstalled, runPage } from '../support/page.ts';
import { until } from '../support/until.ts';

const PORT = 8400;
const MIB = 1_048_576;
const MARCH = '2026-03-01T00:00:00.000Z';
const root = join(import.meta.dirname, '../..');

const engine = await findEngine();
const noEngine = 'missing' in engine ? engine.missing : undefined;
const where = noEngine === undefined ? 'a container engine' : `NOT RUN: ${noEngine}`;

describe.skipIf(noEngine !== undefined)(`the image of the ledger in ${where}`, { timeout: BUILD_MS }, () => {
  if ('missing' in engine) return;
  const key = randomBytes(24).toString('base64url');
  let user: string;

  beforeAll(() => buildLedgerImage(), BUILD_MS);

  /** Returns a ledger with a bootstrap key from a file, a published port, and a volume. */
  async function containerOn(volume: string) {
    const keyFile = join(await volumeForTest(), 'key');
    await writeFile(keyFile, `${key}\n`);
    await chmod(join(keyFile, '..'), 0o755);
    user = `${randomInt(10_000, 60_000)}:${randomInt(10_000, 60_000)}`;
    return new LockedContainer()
      .withUser(user)
      .withBindMounts([
        { source: volume, target: '/data' },
        { source: keyFile, target: '/run/secrets/key', mode: 'ro' },
      ])
      .withEnvironment({ LEDGER_BOOTSTRAP_KEY_FILE: '/run/secrets/key' })
      .withExposedPorts(PORT)
      .withWaitStrategy(Wait.forHttp('/readyz', PORT).forStatusCode(200));
  }

  const headers = { authorization: `Bearer ${key}` };
  const post = (url: string, id: string) =>
    fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify(registered(id, MARCH)),
    });

  /** A volume that belongs to another user, and that every user may write to. */
  async function foreignVolume(): Promise<string> {
    const volume = await volumeForTest();
    await chmod(volume, 0o777);
    if (process.getuid?.() === 0) await chown(volume, 4_242, 4_242);
    return volume;
  }

  test('runs as any user on a read-only root with a volume of somebody else, and loses nothing at SIGTERM under load', async () => {
    const volume = await foreignVolume();
    const first = await startForTest(await containerOn(volume));
    const url = `http://${first.getHost()}:${first.getMappedPort(PORT)}`;
    expect((await fetch(`${url}/v1/clusters`)).status).toBe(401);
    const acknowledged: string[] = [];
    let isStopped = false;
    const producers = Array.from({ length: 8 }, async (_, producer) => {
      for (let n = 0; !isStopped; n++) {
        const id = `c-${producer}-${n}`;
        const answer = await post(url, id).catch(() => undefined);
        if (answer?.status === 201) acknowledged.push(id);
        else if (answer === undefined || answer.status === 503) return;
        else throw new Error(`${answer.status} ${await answer.text()}`);
      }
    });
    await until(() => acknowledged.length > 300);
    const container = engine.container.getById(first.getId());
    await container.kill({ signal: 'SIGTERM' });
    const { StatusCode: exitCode } = await container.wait();
    isStopped = true;
    await Promise.all(producers);
    expect(exitCode).toBe(0);
    expect(await outputOf(engine, first)).toContain('"msg":"closed"');

    // Files are private to their user, so the second container runs as the same one.
    const sameUser = user;
    const second = await startForTest((await containerOn(volume)).withUser(sameUser));
    const again = `http://${second.getHost()}:${second.getMappedPort(PORT)}`;
    for (const id of acknowledged) {
      const answer = await fetch(`${again}/v1/clusters/${id}`, { headers });
      expect(answer.status, id).toBe(200);
    }
    expect((await post(again, 'after')).status).toBe(201);
  });

  test.each([
    [
      'a setting is wrong',
      2,
      { Env: ['LEDGER_HTTP_PORT=many'] },
      /^cluster-ledger cannot start: LEDGER_HTTP_PORT must be a port from 0 to 65535; given "many"\n$/,
    ],
    [
      'other machines could use it without a key',
      1,
      {},
      /^cluster-ledger cannot start: there are no API keys, .*LEDGER_BOOTSTRAP_KEY_FILE.*\n$/,
    ],
    [
      'the file of the key is missing',
      2,
      { Env: ['LEDGER_BOOTSTRAP_KEY_FILE=/run/secrets/absent'] },
      /^cluster-ledger cannot start: LEDGER_BOOTSTRAP_KEY_FILE must name a file that can be read \(ENOENT\); .*\n$/,
    ],
  ])('says why it does not start in one line if %s, and ends with %d', async (_, exitCode, options, line) => {
    const ended = await runToEnd(engine, { Image: LEDGER_IMAGE, ...options });
    expect(ended.output).toMatch(line);
    expect(ended.exitCode).toBe(exitCode);
  });

  test('says in one line which user may not write to which folder if the volume is not writable', async () => {
    const volume = await volumeForTest();
    await chmod(volume, 0o555);
    const ended = await runToEnd(engine, {
      Image: LEDGER_IMAGE,
      User: '23456:34567',
      HostConfig: { Binds: [`${volume}:/data`] },
    });
    expect(ended.output).toMatch(
      /^cluster-ledger cannot start: the ledger runs as user 23456, group 34567 and cannot write to its data folder \/data .*\n$/,
    );
    expect(ended.exitCode).toBe(1);
  });

  test('starts without a network and is healthy by the check of the image, which fails if nothing answers', async () => {
    const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
    const [, check = ''] = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(dockerfile) ?? [];
    const command: string[] = JSON.parse(check);
    const started = await startForTest(
      new LockedContainer()
        .withNetworkMode('none')
        .withEnvironment({ LEDGER_BOOTSTRAP_KEY: key, LEDGER_HTTP_PORT: '9100' })
        .withWaitStrategy(Wait.forLogMessage('ledger ready')),
    );
    expect(await started.exec(command)).toMatchObject({ exitCode: 0, output: '/livez: 200\n' });
    expect(await started.exec([...command, '/readyz'])).toMatchObject({ output: '/readyz: 200\n' });
    const elsewhere = await started.exec(['env', 'LEDGER_HTTP_PORT=9101', ...command]);
    expect(elsewhere).toMatchObject({ exitCode: 1, output: expect.stringContaining('ECONNREFUSED') });
    const version = await started.exec(['cluster-ledger', '--version']);
    const { version: released } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(version.output.trim()).toBe(released);
  });

  test('is below 300 MB, has the labels of OCI and an unprivileged user, and no shell, no npm and no development package', async () => {
    const { Size: size, Config: config } = await engine.image.inspect(ImageName.fromString(LEDGER_IMAGE));
    expect(size / MIB).toBeLessThan(286);
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'cluster-ledger',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': expect.any(String),
      'org.opencontainers.image.description': expect.any(String),
    });
    expect(config).toMatchObject({
      User: '65532:65532',
      Entrypoint: ['cluster-ledger'],
      Cmd: ['serve'],
      ExposedPorts: { '8400/tcp': {} },
      Volumes: { '/data': {} },
    });
    const exists = (...files: readonly string[]) =>
      `process.stdout.write(String(${JSON.stringify(files)}.map((file) => fs.existsSync(file))))`;
    const { output } = await runToEnd(engine, {
      Image: LEDGER_IMAGE,
      Entrypoint: ['node', '--eval'],
      Cmd: [
        exists(
          '/bin/sh',
          '/usr/bin/sh',
          '/usr/local/bin/npm',
          '/app/node_modules/vitest',
          '/app/src/main.ts',
        ),
      ],
    });
    expect(output).toBe('false,false,false,false,true');
  });

  test('keeps its facts on an EventStoreDB beside it, and starts before that server answers', async ({
    skip,
  }) => {
    const missing = await missingImage(engine, EVENTSTOREDB_IMAGE);
    if (missing !== undefined) skip(`NOT RUN: ${missing}`);
    const network = await new Network().start();
    onTestFinished(() => network.stop().then(() => undefined));
    const logKey = LogKeys.generate('ledger.example.com/log').text;
    const onServer = () =>
      new LockedContainer()
        .withNetwork(network)
        .withEnvironment({
          LEDGER_BOOTSTRAP_KEY: key,
          LEDGER_STORE: 'esdb://eventstoredb:2113?tls=false',
          LEDGER_AUDIT_KEY: logKey,
        })
        .withExposedPorts(PORT);
    const ledger = await startForTest(
      onServer().withWaitStrategy(Wait.forHttp('/livez', PORT).forStatusCode(200)),
    );
    const url = `http://${ledger.getHost()}:${ledger.getMappedPort(PORT)}`;
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    await startForTest(
      new LockedContainer(EVENTSTOREDB_IMAGE)
        .withNetwork(network)
        .withNetworkAliases('eventstoredb')
        .withEnvironment({
          EVENTSTORE_INSECURE: 'true',
          EVENTSTORE_MEM_DB: 'true',
          EVENTSTORE_RUN_PROJECTIONS: 'None',
          EVENTSTORE_TELEMETRY_OPTOUT: 'true',
        })
        .withExposedPorts(2_113)
        .withWaitStrategy(Wait.forHttp('/health/live', 2_113).forStatusCode(204)),
    );
    await until(async () => (await fetch(`${url}/readyz`)).status === 200);
    expect((await post(url, 'beside')).status).toBe(201);
    const other = await startForTest(
      onServer().withWaitStrategy(Wait.forHttp('/readyz', PORT).forStatusCode(200)),
    );
    const answer = await fetch(`http://${other.getHost()}:${other.getMappedPort(PORT)}/v1/clusters/beside`, {
      headers,
    });
    expect(answer.status).toBe(200);
  });

  const docker = ['docker', 'podman'].find((program) => isInstalled(program, 'version'));
  const cli = docker === undefined ? 'NOT RUN: neither docker nor podman is installed' : docker;
  test.skipIf(docker === undefined)(
    `runs as every command of docs/how-to/run-in-a-container.md says, with ${cli}`,
    async () => {
      const folder = await volumeForTest();
      const name = `ledger-${randomUUID()}`;
      const [port] = (await freePorts(1)) as [number];
      onTestFinished(() => void spawnSync(docker as string, ['rm', '--force', name]));
      const output = await runPage('docs/how-to/run-in-a-container.md', folder, {
        prelude: docker === 'podman' ? 'docker() { podman "$@"; }' : '',
        replacements: {
          // The engine has built it already, from the same folder.
          'docker build --tag cluster-ledger .': `docker tag ${LEDGER_IMAGE} cluster-ledger`,
          '127.0.0.1:8400:': `127.0.0.1:${port}:`,
          'http://127.0.0.1:8400': `http://127.0.0.1:${port}`,
          '--name ledger': `--name ${name}`,
          'docker stop --time 45 ledger': `docker stop --time 45 ${name}`,
          'docker rm ledger': `docker rm ${name}`,
          '" ledger': `" ${name}`,
        },
      });
      expect(output).toContain('"outcome":"appended"');
      expect(output).toMatch(/acme +1 /);
    },
  );

  const twice = inject('imageTwice')
    ? 'built twice without a cache'
    : 'NOT RUN: IMAGE_TWICE=1 is not set, which builds the image a second time';
  test.skipIf(!inject('imageTwice'))(
    `has the same layers if it is ${twice}`,
    { timeout: BUILD_MS },
    async () => {
      const layersOf = async (name: string) =>
        (await engine.image.inspect(ImageName.fromString(name))).RootFS.Layers;
      const name = `cluster-ledger:again-${randomUUID()}`;
      onTestFinished(() =>
        engine.container.dockerode
          .getImage(name)
          .remove({ force: true })
          .then(() => undefined),
      );
      await buildLedgerImage(name, { cache: false });
      expect(await layersOf(name)).toEqual(await layersOf(LEDGER_IMAGE));
    },
  );
});
