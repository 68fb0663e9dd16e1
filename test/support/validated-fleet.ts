import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Fleet } from '../kubernetes/probe/fleet.ts';
import { registered } from './cloud-events.ts';
import { type LedgerOptions, ledgerForTest, type TestLedger } from './ledger.ts';
import { until } from './until.ts';

/** A ledger with a validator that reads kubeconfigs from a folder and asks the servers of a fleet. */
export class ValidatedFleet {
  readonly ledger: TestLedger;
  readonly #fleet: Fleet;
  readonly #folder: string;

  constructor(ledger: TestLedger, fleet: Fleet, folder: string) {
    this.ledger = ledger;
    this.#fleet = fleet;
    this.#folder = folder;
  }

  /** Points the cluster's kubeconfig to a server with this behavior; `'refused'` is a port on which nothing listens. */
  async becomes(clusterId: string, behaviour: string): Promise<void> {
    const port = behaviour === 'refused' ? 1 : this.#fleet.port(behaviour);
    const cluster = { server: `https://127.0.0.1:${port}` };
    const kubeconfig = this.#fleet.kubeconfig('healthy', { cluster });
    await writeFile(join(this.#folder, `${clusterId}.yaml`), kubeconfig);
  }

  /** Puts another credential in the place of the cluster's kubeconfig; `undefined` removes it. */
  async changeCredential(clusterId: string, text: string | undefined): Promise<void> {
    const file = join(this.#folder, `${clusterId}.yaml`);
    if (text === undefined) await rm(file);
    else await writeFile(file, text);
  }

  /** Registers clusters, each with a server that behaves so. */
  async register(clusters: Readonly<Record<string, string>>, at = '2026-04-01T00:00:00.000Z'): Promise<void> {
    for (const [clusterId, behaviour] of Object.entries(clusters)) {
      await this.becomes(clusterId, behaviour);
      const connection = `dir:${clusterId}.yaml`;
      await this.ledger.record(registered(clusterId, at, 'acme', { connection, labels: { team: 'core' } }));
    }
  }

  /** Has the validator run once, and gives what is said of the run. */
  async run() {
    const { status, body, text } = await this.request({});
    if (status !== 202) throw new Error(`no run: ${status} ${text}`);
    const path = `/v1/validations/${body.id}`;
    let answer = await this.ledger.get(path);
    await until(async () => {
      answer = await this.ledger.get(path);
      return answer.status === 200 && answer.body.state !== 'running';
    });
    return answer.body;
  }

  request(body: object) {
    return this.ledger.fetch('/v1/validations', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Runs every five minutes for as long as is said, and once more. */
  async runFor(minutes: number) {
    for (let passed = 0; passed < minutes; passed += 5) {
      await this.run();
      this.ledger.pass(300_000);
    }
    return this.run();
  }

  /** Types of the facts of a cluster, in the order in which they were recorded. */
  async factsOf(clusterId: string): Promise<{ type: string; time: string; data: Record<string, unknown> }[]> {
    const { body } = await this.ledger.get(`/v1/clusters/${clusterId}/events`);
    return body.items.map((item: { type: string }) => ({
      ...item,
      type: item.type.replace(/^io\.clusterledger\.(.*)\.v1$/, '$1'),
    }));
  }

  async alerts(): Promise<{ kind: string; subject: string; state: string }[]> {
    return (await this.ledger.get('/v1/alerts?state=open')).body.items;
  }
}

export interface FleetOptions extends LedgerOptions {
  readonly policy?: object;
  readonly validator?: Readonly<Record<string, string>>;
  /** Further settings of the probe. */
  readonly probe?: object;
}

/** For the test that is running. */
export async function fleetForTest(fleet: Fleet, options: FleetOptions = {}): Promise<ValidatedFleet> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-kubeconfigs-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { policy = {}, validator = {}, probe = {}, ...rest } = options;
  const environment = {
    LEDGER_VALIDATOR_SCHEDULE: 'off',
    LEDGER_VALIDATOR_CREDENTIALS: JSON.stringify({ directory: folder }),
    LEDGER_VALIDATOR_POLICY: JSON.stringify(policy),
    LEDGER_VALIDATOR_PROBE: JSON.stringify({
      // Only a server that never answers reaches these limits: a machine may be slow.
      deadlineMs: 30_000,
      workerTimeoutMs: 120_000,
      perHost: { perSecond: 1_000, burst: 1_000 },
      addresses: { allow: ['127.0.0.0/8'] },
      ...probe,
    }),
    ...validator,
  };
  return new ValidatedFleet(await ledgerForTest({ ...rest, environment }), fleet, folder);
}

export { Fleet };
