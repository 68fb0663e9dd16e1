import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultKeyFile } from '../../src/audit/key-location.ts';
import { NoteSigner } from '../../src/audit/note-key.ts';
import { startDouble } from '../eventstoredb/double.ts';
import { readFeed } from '../fault/feed.ts';
import { Producers } from '../fault/producers.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';

/** The result of a run. */
export interface RestartsReport {
  restarts: number;
  acknowledged: number;
  readonly findings: string[];
}

const CLIENTS = 16;
const FACTS_BETWEEN = 30;

/**
 * Restarts two replicas of a ledger in turn, as a rolling update does, while clients post to both and repeat what was not
 * answered, as docs/how-to/post-facts.md says. No fact may be refused, lost or doubled.
 */
export async function restarts(
  count: number,
  progress?: (report: RestartsReport) => void,
): Promise<RestartsReport> {
  const double = await startDouble();
  const root = mkdtempSync(join(tmpdir(), 'ledger-restarts-'));
  const { secret } = NoteSigner.generate('ledger.example/restarts');
  const replicas = ['one', 'two'].map((name) => {
    const dataDir = mkdtempSync(join(root, name));
    writeFileSync(defaultKeyFile(dataDir), secret, { mode: 0o600 });
    return new LedgerProcess({
      LEDGER_STORE: double.url,
      LEDGER_DATA_DIR: dataDir,
      LEDGER_NAMESPACE: 'restarts',
      LEDGER_LOG_LEVEL: 'fatal',
      LEDGER_INGEST_BACKDATING: '3650d',
    });
  }) as [LedgerProcess, LedgerProcess];
  const report: RestartsReport = { restarts: 0, acknowledged: 0, findings: [] };
  try {
    for (const replica of replicas) await replica.start();
    let turn = 0;
    const producers = new Producers(() => (replicas[turn++ % 2] as LedgerProcess).url);
    producers.start(CLIENTS, 'r');
    for (let restart = 0; restart < count; restart++) {
      const before = producers.acknowledged.length;
      await until(() => producers.acknowledged.length > before + FACTS_BETWEEN);
      const replica = replicas[restart % 2] as LedgerProcess;
      await replica.stop('SIGTERM');
      if (replica.exitCode !== 0)
        report.findings.push(`a replica ended with ${replica.exitCode}: ${replica.output.slice(-500)}`);
      await replica.start();
      report.restarts++;
      progress?.(report);
    }
    await producers.stop();
    report.acknowledged = producers.acknowledged.length;
    report.findings.push(...producers.wrong);
    const [feed, other] = await Promise.all(replicas.map(readFeed));
    const ids = new Set(feed?.map(({ ledgereventid }) => ledgereventid));
    if (JSON.stringify(feed) !== JSON.stringify(other))
      report.findings.push('the replicas have different feeds');
    if (ids.size !== feed?.length) report.findings.push('a fact is recorded twice');
    const lost = producers.acknowledged.filter(({ eventId }) => !ids.has(eventId));
    if (lost.length > 0) report.findings.push(`${lost.length} acknowledged facts are lost`);
    const produced = new Set(feed?.map(({ source, id }) => `${source} ${id}`));
    if (produced.size !== feed?.length) report.findings.push('an event of a producer is recorded twice');
    return report;
  } finally {
    for (const replica of replicas) await replica.stop('SIGKILL');
    await double.stop();
    rmSync(root, { recursive: true, force: true });
  }
}
