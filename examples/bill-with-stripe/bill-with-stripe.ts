/**
 * Charges the clusters of each closed period with Stripe. docs/how-to/bill-with-stripe.md explains it.
 *
 *     node examples/bill-with-stripe/bill-with-stripe.ts          sends what Stripe does not have yet, and ends
 *     node examples/bill-with-stripe/bill-with-stripe.ts serve    does so after each webhook of the ledger
 */

import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { handOver, type Report } from './hand-over.ts';
import { Journal } from './journal.ts';
import { Ledger } from './ledger.ts';
import { Stripe } from './stripe.ts';

const MAX_BODY = 1024 * 1024;
const [RETRY_AFTER_S, MAX_RETRY_AFTER_S] = [10, 3600];

const environment = process.env;
const say = (line: string) => void process.stderr.write(`${line}\n`);

function required(name: string): string {
  const value = environment[name];
  if (value === undefined || value === '') {
    say(`set ${name}: see docs/how-to/bill-with-stripe.md`);
    process.exit(2);
  }
  return value;
}

/** Reads `workload=cluster_time_workload,*=cluster_time`. */
function metersIn(text: string): Map<string, string> {
  return new Map(text.split(',').map((pair) => pair.trim().split('=') as [string, string]));
}

const work = {
  ledger: new Ledger(environment['LEDGER_URL'] ?? 'http://127.0.0.1:8400', environment['LEDGER_TOKEN']),
  stripe: new Stripe(environment['STRIPE_URL'] ?? 'https://api.stripe.com', required('STRIPE_KEY')),
  journal: new Journal(environment['JOURNAL'] ?? 'stripe-charges.jsonl'),
  from: required('BILL_FROM'),
  meters: metersIn(required('STRIPE_METERS')),
  now: Date.now,
};

async function runOnce(): Promise<Report> {
  const report = await handOver(work);
  for (const sentence of report.needed) say(`needs you: ${sentence}`);
  for (const sentence of report.failed) say(`failed, will be sent again: ${sentence}`);
  say(`${report.accepted} charges accepted`);
  return report;
}

/** Runs after each wake-up, one run at a time, and again after a failure. */
class Runner {
  #isRunning = false;
  #isWanted = false;

  wake(): void {
    this.#isWanted = true;
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      const report = await runOnce().catch(
        (error: Error) => void say(`failed, will run again: ${error.message}`),
      );
      if (report !== undefined && report.failed.length === 0) continue;
      const seconds = Math.min(report?.retryAfter ?? RETRY_AFTER_S, MAX_RETRY_AFTER_S);
      setTimeout(() => this.wake(), seconds * 1000);
    }
    this.#isRunning = false;
  }
}

/**
 * Receives the webhooks of the ledger. Each only wakes the runner, which looks for itself what is missing. So an event that
 * arrives twice or late does no harm, and a start makes up for events that were missed.
 */
function serve(): void {
  const webhook = new Webhook(required('WEBHOOK_SECRET'));
  const runner = new Runner();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
      size += (chunk as Buffer).length;
      if (size > MAX_BODY) return void response.writeHead(413).end();
      chunks.push(chunk as Buffer);
    }
    try {
      webhook.verify(Buffer.concat(chunks).toString('utf8'), request.headers as Record<string, string>);
    } catch {
      return void response.writeHead(401).end();
    }
    response.writeHead(204).end();
    runner.wake();
  });
  const port = Number(environment['PORT'] ?? '9000');
  server.listen(port, environment['HOST'] ?? '127.0.0.1', () => {
    say(`receiving webhooks on port ${port}`);
    runner.wake();
  });
}

if (process.argv[2] === 'serve') serve();
else {
  const report = await runOnce().catch((error: Error) => void say(error.message));
  const isDone = report !== undefined && report.needed.length + report.failed.length === 0;
  process.exitCode = isDone ? 0 : 1;
}
