import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { registered } from '../../support/cloud-events.ts';
import { Contract } from '../../support/contract.ts';
import { LedgerProcess } from '../../support/ledger-process.ts';
import { WebhookReceiver } from '../webhook-receiver.ts';
import { knownOf } from './known.ts';
import { sendTo } from './send.ts';
import { tortureApi } from './torture-api.ts';

const USAGE = `npm run torture -- api [--seed N] [--count N]
  Starts a ledger and sends N valid and N defective requests (1,000) to each operation of its contract.
  Exits with 1 if an answer differs from the contract, and prints the request.
`;

/** Tortures a ledger in a process of its own. @returns the exit code. */
export async function torture(
  args: readonly string[],
  out: { write(text: string): unknown },
): Promise<number> {
  const options = { seed: { type: 'string' }, count: { type: 'string' }, help: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) {
    out.write(USAGE);
    return 0;
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 30));
  const folder = await mkdtemp(join(tmpdir(), 'ledger-torture-'));
  const ledger = new LedgerProcess({
    LEDGER_STORE: `sqlite:${join(folder, 'log.db')}`,
    LEDGER_DATA_DIR: folder,
    // Runs of the validator find no credentials, and are complete at once.
    LEDGER_VALIDATOR_CREDENTIALS: JSON.stringify({ directory: folder }),
    LEDGER_VALIDATOR_SCHEDULE: 'off',
    // Every request must be answered by its operation.
    LEDGER_HTTP_RATE_LIMIT: '1000000',
  });
  // Webhooks have a receiver. Without one, most of the time would be waiting for names that nobody resolves.
  const receiver = await WebhookReceiver.start();
  try {
    await ledger.start();
    for (const cluster of ['c1', 'c2', 'c3']) {
      const headers = { 'content-type': 'application/cloudevents+json' };
      const body = JSON.stringify(registered(cluster, '2026-01-01T00:00:00Z', `account-${cluster}`));
      await sendTo(ledger.url, { path: '/v1/events', method: 'POST', headers, body });
    }
    const contract = new Contract((await sendTo(ledger.url, { path: '/openapi.json' })).body);
    const { faults, requests, sent } = await tortureApi({
      contract,
      send: (request) => sendTo(ledger.url, request),
      known: async (get) => ({ ...(await knownOf(get)), url: [receiver.url] }),
      progress: (done) => out.write(`${done} requests\n`),
      seed,
      count: Number(values.count ?? 1_000),
    });
    for (const [operation, statuses] of sent)
      out.write(
        `${operation.padEnd(60)} ${Array.from(statuses, (status) => status.join(': ')).join(', ')}\n`,
      );
    for (const fault of faults) out.write(`\n${fault}\n`);
    out.write(`\nseed ${seed}: ${requests} requests, ${faults.length} faults\n`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await receiver.stop();
    await ledger.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
