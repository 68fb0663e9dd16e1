import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { SETTING_PATHS, variableOf } from '../../src/config/settings.ts';
import {
  BUILD_MS,
  buildLedgerImage,
  EVENTSTOREDB_IMAGE,
  findEngine,
  LEDGER_IMAGE,
  missingImage,
  runToEnd,
  volumeForTest,
} from '../support/container-engine.ts';
import { freePorts } from '../support/eventstored.ts';
import type { Manifest } from '../support/helm.ts';
import { isInstalled, runPage } from '../support/page.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFile(join(root, file), 'utf8');
const composeFile = async (): Promise<Manifest> => parse(await read('docker-compose.yml'));

test('docker-compose.yml mounts only files that exist, publishes ports on this machine only, and sets only known settings', async () => {
  const { services, volumes } = await composeFile();
  expect(Object.keys(services)).toEqual([
    'eventstoredb',
    'ledger',
    'keys',
    'prometheus',
    'alertmanager',
    'grafana',
  ]);
  const known = SETTING_PATHS.map(variableOf);
  for (const [name, service] of Object.entries<Manifest>(services)) {
    for (const port of service.ports ?? []) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    for (const mount of service.volumes ?? []) {
      const [source] = mount.split(':');
      if (source.startsWith('.')) expect((await read(source)).length, mount).toBeGreaterThan(0);
      else expect(Object.keys(volumes), mount).toContain(source);
    }
    for (const dependency of service.depends_on ?? []) expect(Object.keys(services)).toContain(dependency);
  }
  expect(known).toEqual(expect.arrayContaining(Object.keys(services.ledger.environment)));
});

test('Prometheus scrapes the ledger with its key, evaluates the rules, and sends alerts to Alertmanager', async () => {
  const { services } = await composeFile();
  const config = parse(await read('deploy/compose/prometheus.yml'));
  const mounted = services.prometheus.volumes.map((mount: string) => mount.split(':')[1]);
  expect(mounted).toEqual(expect.arrayContaining(config.rule_files));
  const [ledger] = config.scrape_configs;
  expect(ledger.static_configs[0].targets).toEqual(['ledger:8400']);
  expect(
    mounted.some((folder: string) => ledger.authorization.credentials_file.startsWith(`${folder}/`)),
  ).toBe(true);
  expect(config.alerting.alertmanagers[0].static_configs[0].targets).toEqual(['alertmanager:9093']);
  const [source] = parse(await read('deploy/compose/grafana/datasources.yml')).datasources;
  expect(source).toMatchObject({ type: 'prometheus', isDefault: true, url: 'http://prometheus:9090' });
});

const hasPromtool = isInstalled('promtool', '--version');
test.skipIf(!hasPromtool)(
  `promtool accepts the configuration of Prometheus ${hasPromtool ? '' : 'NOT RUN: promtool is not installed'}`,
  async () => {
    const folder = await volumeForTest();
    const file = join(folder, 'prometheus.yml');
    const config = (await read('deploy/compose/prometheus.yml')).replace(
      '/etc/prometheus/rules.yml',
      join(root, 'deploy/prometheus/rules.yml'),
    );
    await writeFile(join(folder, 'key'), 'key');
    await writeFile(file, config.replace('/run/secrets/keys/prometheus', join(folder, 'key')));
    const checked = spawnSync('promtool', ['check', 'config', file], { encoding: 'utf8' });
    expect(checked.stderr + checked.stdout).toContain('SUCCESS');
    expect(checked.status).toBe(0);
  },
);

/** Commands that run a compose file, the best one first. */
const COMPOSE = [['docker', 'compose'], ['podman-compose']].find(([program = '', ...args]) =>
  isInstalled(program, ...args, 'version'),
);
const engine = await findEngine();
const missing = 'missing' in engine ? engine.missing : await missingImage(engine, EVENTSTOREDB_IMAGE);
const whyNot =
  missing ?? (COMPOSE === undefined ? 'neither docker compose nor podman-compose is installed' : undefined);

describe.skipIf(whyNot !== undefined)(
  `docker-compose.yml, as far as images can be had, ${whyNot === undefined ? '' : `NOT RUN: ${whyNot}`}`,
  () => {
    test('serves the ledger on EventStoreDB as docs/how-to/run-with-compose.md says, with a key for Prometheus', {
      timeout: BUILD_MS,
    }, async () => {
      if ('missing' in engine || COMPOSE === undefined) return;
      await buildLedgerImage();
      const folder = await volumeForTest();
      const project = `ledger-${randomUUID().slice(0, 8)}`;
      const [port] = (await freePorts(1)) as [number];
      const { services, ...file } = await composeFile();
      // Those services whose images can be had.
      const running: Manifest = {};
      for (const [name, { build: _, ...service }] of Object.entries<Manifest>(services)) {
        if (service.image === 'cluster-ledger') running[name] = { ...service, image: LEDGER_IMAGE };
        else if ((await missingImage(engine, service.image)) === undefined) running[name] = service;
      }
      for (const service of Object.values<Manifest>(running))
        service.depends_on = (service.depends_on ?? []).filter((name: string) => name in running);
      await writeFile(
        join(folder, 'docker-compose.yml'),
        JSON.stringify({ ...file, name: project, services: running }),
      );
      await mkdir(join(folder, 'deploy'));
      await cp(join(root, 'deploy/compose'), join(folder, 'deploy/compose'), { recursive: true });
      for (const name of ['prometheus', 'grafana'])
        await symlink(join(root, 'deploy', name), join(folder, 'deploy', name));
      const command = [...COMPOSE, '--project-name', project].join(' ');
      onTestFinished(() => {
        spawnSync('bash', ['-c', `${command} down --volumes`], { cwd: folder });
      });
      const output = await runPage('docs/how-to/run-with-compose.md', folder, {
        // podman-compose writes what it does to its standard output, too.
        prelude: `docker() { shift; if [ "$1" = run ]; then ${command} "$@" | grep '^clk_'; else ${command} "$@"; fi; }`,
        replacements: {
          '> .env': `> .env; echo LEDGER_PORT_ON_HOST=${port} >> .env`,
          'up --detach --build': 'up --detach',
          'http://127.0.0.1:8400': `http://127.0.0.1:${port}`,
          // The test stops them.
          'docker compose down': 'true',
        },
      });
      expect(output).toContain('"outcome":"appended"');
      const { output: key } = await runToEnd(engine, {
        Image: LEDGER_IMAGE,
        User: '65534:65534',
        Entrypoint: ['node', '--print'],
        Cmd: ['fs.readFileSync("/keys/prometheus", "utf8")'],
        HostConfig: { Binds: [`${project}_keys:/keys:ro`] },
      });
      const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, {
        headers: { authorization: `Bearer ${key.trim()}` },
      });
      expect(await metrics.text()).toContain('ledger_events_total');
    });
  },
);
