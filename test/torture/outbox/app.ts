/**
 * An app that reports changes of clusters through an outbox as fast as it can, until it is killed. It prints a line for each
 * event that the outbox has taken. Arguments: file of the outbox, URL of the ledger, name of this run, and `flush` to add
 * nothing and end once everything has arrived.
 */
import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { type DataOf, Outbox } from '../../../packages/client/src/index.ts';

const CLUSTERS = Array.from({ length: 20 }, (_, i) => `c-${i}`);

const [file = '', url = '', run = '', mode = ''] = process.argv.slice(2);
const outbox = Outbox.open({ file, url, source: '/pro-app', timeoutMs: 5_000, onRejected: () => undefined });

if (mode === 'flush') {
  await outbox.flush();
  const rejected = outbox
    .rejected(1_000_000)
    .map(({ event, problem }) => ({ id: event.id, status: problem.status }));
  await outbox.close();
  writeSync(1, JSON.stringify(rejected));
} else {
  // Every run adds the registrations again, as an app does that cannot know whether it was killed before or after.
  for (const cluster of CLUSTERS)
    outbox.add(
      'cluster.registered',
      cluster,
      { accountId: 'globex', name: cluster },
      { id: `register-${cluster}`, time: registeredAt() },
    );
  for (let n = 0; ; n++) {
    const cluster = CLUSTERS[n % CLUSTERS.length] as string;
    const isPoisoned = n % 17 === 3;
    const data = (
      isPoisoned ? { nonsense: true } : { labels: { run, n: String(n) } }
    ) as DataOf<'cluster.changed'>;
    const id = `${run}-${n}`;
    outbox.add('cluster.changed', cluster, data, { id });
    writeSync(1, `${cluster} ${id} ${isPoisoned ? 'poisoned' : 'valid'}\n`);
    await wait(Math.random() * 8);
  }
}

/** A time that is the same in every run of a day. */
function registeredAt(): Date {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - 1));
}
