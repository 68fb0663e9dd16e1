import type { TestLedger } from './ledger.ts';

/** Bytes of an evidence file as the ledger gives it. */
export async function evidenceOf(
  ledger: TestLedger,
  accountId: string,
  period: string,
  since?: number,
): Promise<Buffer> {
  const more = since === undefined ? '' : `&since=${since}`;
  const { status, text } = await ledger.get(`/v1/accounts/${accountId}/evidence?period=${period}${more}`);
  if (status !== 200) throw new Error(`no evidence: ${status} ${text}`);
  return Buffer.from(text);
}

/** The keys that a ledger publishes. */
export async function publishedKeys(ledger: TestLedger): Promise<string[]> {
  return (await ledger.get('/log/key')).text.trim().split('\n');
}
