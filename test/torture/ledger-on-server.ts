import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerProcess } from '../support/ledger-process.ts';

/** Returns a ledger that is not started yet, with a namespace of its own on an EventStoreDB, and its end. It takes old facts. */
export async function ledgerOnServer(
  url: string,
  name: string,
): Promise<{ readonly ledger: LedgerProcess; endLedger(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), `ledger-${name}-`));
  const ledger = new LedgerProcess({
    LEDGER_STORE: url,
    LEDGER_DATA_DIR: dataDir,
    LEDGER_NAMESPACE: `${name}-${randomUUID()}`,
    LEDGER_LOG_LEVEL: 'fatal',
    LEDGER_INGEST_BACKDATING: '3650d',
  });
  const endLedger = async () => {
    await ledger.stop('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  };
  return { ledger, endLedger };
}
