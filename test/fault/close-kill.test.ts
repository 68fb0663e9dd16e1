import { randomInt, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { inBatchMode, registered, stopped } from '../support/cloud-events.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { stores } from '../support/stores.ts';

const kills = inject('kills');

describe.each(stores)('a ledger on $name that is killed while it closes a period', ({ connection }) => {
  test(`${kills} times closes each once, with the digest that the dry run said`, {
    timeout: 300_000 + kills * 30_000,
  }, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ledger-kill-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const ledger = new LedgerProcess({
      LEDGER_STORE: connection,
      LEDGER_DATA_DIR: dataDir,
      LEDGER_NAMESPACE: `kill-${randomUUID()}`,
      LEDGER_LOG_LEVEL: 'fatal',
    });
    onTestFinished(() => ledger.stop('SIGKILL'));
    await ledger.start();
    const clusters = Array.from({ length: 400 }, (_, i) => `c${i}`);
    await post(
      ledger,
      clusters.map((id, i) => registered(id, '2010-01-05T00:00:00Z', `a${i % 200}`)),
    );
    const closed: object[] = [];
    for (let kill = 0; kill < kills; kill++) {
      const month = new Date(Date.UTC(2010, kill));
      const period = month.toISOString().slice(0, 7);
      const late = new Date(Date.UTC(2010, kill, -7)).toISOString();
      await post(ledger, [stopped(`c${kill}`, kill === 0 ? '2010-01-20T00:00:00Z' : late)]);
      const { statementsDigest, watermark } = await close(ledger, period, { dryRun: true });
      void close(ledger, period).catch(() => undefined);
      await wait(randomInt(40));
      await ledger.stop('SIGKILL');
      await ledger.start();
      const again = await close(ledger, period);
      expect(again).toMatchObject({ outcome: 'closed', period, statementsDigest, watermark });
      closed.push(again);
    }
    const { items } = (await ledger.getJson('/v1/periods?limit=1000')) as {
      items: { close: object | null }[];
    };
    const listed = items.flatMap(({ close }) => (close === null ? [] : [close]));
    expect(closed).toMatchObject(listed);
    const { checks } = (await ledger.getJson('/readyz')) as { checks: { statements: object } };
    expect(checks.statements).toMatchObject({ ok: true });
  });
});

interface Closing {
  readonly statementsDigest: string;
  readonly watermark: string;
}

async function close(ledger: LedgerProcess, period: string, command: object = {}): Promise<Closing> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(command);
  const answer = await ledger.fetch(`/v1/periods/${period}/close`, { method: 'POST', headers, body });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${period} was not closed: ${text}`);
  return JSON.parse(text) as Closing;
}

async function post(ledger: LedgerProcess, events: Parameters<typeof inBatchMode>[0]): Promise<void> {
  const { headers, body } = inBatchMode(events);
  const answer = await ledger.fetch('/v1/events', { method: 'POST', headers, body: body as string });
  const { results } = (await answer.json()) as { results: { outcome: string }[] };
  expect(results.every(({ outcome }) => outcome === 'appended')).toBe(true);
}
